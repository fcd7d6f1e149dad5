//! What somebody else puts in the way.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use obs_core::{Exporter, Health};
use obs_file::{FileConfig, FileExporter};

use crate::support::{Hands, NOON, all_said, config, exporter, logs, names};

#[tokio::test]
async fn a_link_in_the_place_of_a_file_is_gone_around() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, "hush").unwrap();
    let place = folder.path().join("place");
    fs::create_dir(&place).unwrap();
    symlink(&secret, place.join("app-20261121T130500Z.jsonl.open")).unwrap();
    symlink(&secret, place.join("app-20261121T130500Z-2.jsonl")).unwrap();
    symlink(folder.path().join("nowhere"), place.join("app-20261121T130500Z-3.jsonl.open")).unwrap();
    let exporter = exporter(config(&place));
    exporter.export(&logs(["one"])).await.unwrap();
    exporter.shutdown().await.unwrap();
    assert_eq!(fs::read_to_string(&secret).unwrap(), "hush");
    assert!(place.join("app-20261121T130500Z-4.jsonl").is_file(), "{:?}", names(&place));
    assert_eq!(all_said(&place), ["one"], "and links are not read");
    assert!(!folder.path().join("nowhere").exists());
}

#[tokio::test]
async fn what_was_left_open_is_touched_only_if_it_is_a_plain_file_of_one_name() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, "{\"v\":1,\"torn").unwrap();
    let place = folder.path().join("place");
    fs::create_dir(&place).unwrap();
    fs::hard_link(&secret, place.join("app-20261121T130501Z.jsonl.open")).unwrap();
    symlink(&secret, place.join("app-20261121T130502Z.jsonl.open")).unwrap();
    fs::create_dir(place.join("app-20261121T130503Z.jsonl.open")).unwrap();
    let pipe =
        std::process::Command::new("mkfifo").arg(place.join("app-20261121T130504Z.jsonl.open")).status();
    assert!(pipe.unwrap().success());
    let before = names(&place);
    let exporter = exporter(config(&place));
    exporter.export(&logs(["one"])).await.unwrap();
    exporter.rotate().unwrap();
    assert_eq!(names(&place).len(), before.len() + 1);
    assert_eq!(fs::read_to_string(&secret).unwrap(), "{\"v\":1,\"torn");
}

#[test]
fn a_folder_behind_a_link_is_refused_with_where_it_leads() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("real")).unwrap();
    symlink(folder.path().join("real"), folder.path().join("link")).unwrap();
    let error = FileExporter::new(FileConfig::new(folder.path().join("link"))).unwrap_err();
    let said = error.message();
    assert!(said.starts_with("output_directory: ") && said.contains("it is a link to "), "{said}");
    assert!(said.ends_with("/real; name the folder itself"), "{said}");
}

#[tokio::test]
async fn files_and_folders_are_their_owner_s_alone() {
    let folder = tempfile::tempdir().unwrap();
    let exporter = exporter(config(&folder.path().join("a/b")));
    exporter.export(&logs(["one"])).await.unwrap();
    let mode = |path: &str| fs::metadata(folder.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("a"), mode("a/b")), (0o700, 0o700));
    assert_eq!(mode("a/b/app-20261121T130500Z.jsonl.open"), 0o600);
    exporter.rotate().unwrap();
    assert_eq!(mode("a/b/app-20261121T130500Z.jsonl"), 0o600);
}

#[tokio::test]
async fn a_folder_that_is_exchanged_is_told_and_a_file_in_its_place_is_unhealthy() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("place");
    let hands = Hands::at(NOON);
    let exporter = FileExporter::with_clock(config(&place), hands.clone()).unwrap();
    exporter.export(&logs(["one"])).await.unwrap();
    fs::rename(&place, folder.path().join("away")).unwrap();
    symlink(folder.path().join("away"), &place).unwrap();
    exporter.rotate().unwrap();
    let error = exporter.export(&logs(["two"])).await.unwrap_err();
    assert!(error.message().contains("it is a link to") && error.undelivered().len() == 1, "{error}");
    let Health::Unhealthy(said) = exporter.check().await else { panic!("nothing can be written") };
    assert!(said.contains("/place: a file cannot be written: it is a link to"), "{said}");
    fs::remove_file(&place).unwrap();
    exporter.export(&logs(["two"])).await.unwrap();
    exporter.rotate().unwrap();
    assert_eq!(
        (all_said(&folder.path().join("away")), all_said(&place)),
        (vec!["one".into()], vec!["two".into()])
    );
}

#[test]
fn a_folder_of_another_user_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("theirs");
    fs::create_dir(&place).unwrap();
    // Only root may give folders away.
    if std::os::unix::fs::chown(&place, Some(12_345), None).is_err() {
        eprintln!("skipped: only root may give files to another user");
        return;
    }
    let error = FileExporter::new(FileConfig::new(&place)).unwrap_err();
    assert!(error.message().starts_with("output_directory: "), "{error}");
    assert!(error.message().contains("it belongs to the user 12345"), "{error}");
}

#[tokio::test]
async fn probes_that_a_death_left_are_removed_and_two_at_once_do_not_meet() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".obs-check-1-2"), "\n").unwrap();
    fs::write(folder.path().join(".obs-check-mine"), "\n").unwrap();
    let exporter = exporter(config(folder.path()));
    assert_eq!(names(folder.path()), [".obs-check-mine"]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                for _ in 0..200 {
                    assert_eq!(runtime.block_on(exporter.check()), Health::Healthy);
                }
            });
        }
    });
}
