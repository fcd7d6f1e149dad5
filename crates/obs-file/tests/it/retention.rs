//! Which files are removed, and above all which are not.

use std::fs::{File, FileTimes};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use obs_core::{Exporter, Signal};
use obs_file::{Compression, FileConfig, FileExporter, FileFormat, RotationPolicy};
use obs_testkit::fixtures;

use crate::support::{Hands, NOON, config, logs, names};

const DAY: Duration = Duration::from_hours(24);

/// Says that the file was last written so long before noon.
fn written(path: &Path, ago: Duration) {
    let noon = UNIX_EPOCH + Duration::from_nanos(NOON.as_nanos());
    File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_times(FileTimes::new().set_modified(noon - ago))
        .unwrap();
}

/// Writes a closed file a day, the oldest first, and returns their names.
async fn days(config: &FileConfig, days: u64) -> Vec<String> {
    let folder = config.output_directory.clone();
    for ago in (1..=days).rev() {
        let hands = Hands::at(NOON.saturating_sub(DAY * ago as u32));
        let exporter = FileExporter::with_clock(config.clone(), hands).unwrap();
        exporter.export(&fixtures::batch(Signal::Logs)).await.unwrap();
        let path = exporter.rotate().unwrap().remove(0);
        written(&path, DAY * ago as u32);
    }
    names(&folder)
}

#[tokio::test]
async fn old_files_are_removed_at_the_start_and_with_each_file_that_is_closed() {
    for (format, compression, end) in [
        (FileFormat::Jsonl, Compression::None, "jsonl"),
        (FileFormat::Jsonl, Compression::Gzip, "jsonl.gz"),
        (FileFormat::Csv, Compression::Zstd, "csv.zst"),
        (FileFormat::Parquet, Compression::None, "parquet"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let config = FileConfig::new(folder.path())
            .with_file_format(format)
            .with_compression(compression)
            .with_filename_template(format!("app-{{signal}}-{{timestamp}}.{end}"));
        let all = days(&config, 5).await;
        let hands = Hands::at(NOON);
        let exporter = FileExporter::with_clock(config.with_max_age(DAY * 7 / 2), hands.clone()).unwrap();
        assert_eq!(names(folder.path()), all[2..], "{end}");
        hands.pass(DAY);
        exporter.export(&fixtures::batch(Signal::Logs)).await.unwrap();
        let closed = exporter.rotate().unwrap();
        assert_eq!(names(folder.path())[..2], all[3..], "{end}");
        assert!(closed[0].exists());
    }
}

#[tokio::test]
async fn the_oldest_go_until_the_rest_is_small_enough_and_open_files_do_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let all = days(&config(folder.path()), 5).await;
    let one = folder.path().join(&all[0]).metadata().unwrap().len();
    let config =
        config(folder.path()).with_rotation_policy(RotationPolicy::Time).with_max_total_size(one * 3);
    let exporter = FileExporter::with_clock(config, Hands::at(NOON)).unwrap();
    assert_eq!(names(folder.path()), all[2..]);
    exporter.export(&fixtures::batch(Signal::Logs)).await.unwrap();
    assert_eq!(names(folder.path()).len(), 4, "the open one does not count");
    let closed = exporter.rotate().unwrap();
    assert_eq!(names(folder.path())[..2], all[3..]);
    assert!(closed[0].exists(), "the one that was closed is the newest");
}

#[tokio::test]
async fn a_file_of_a_stranger_is_never_removed() {
    let folder = tempfile::tempdir().unwrap();
    let outside = folder.path().join("outside");
    std::fs::write(&outside, "{\"v\":1}\n").unwrap();
    let place = folder.path().join("place");
    let exporter = FileExporter::with_clock(config(&place), Hands::at(NOON)).unwrap();
    exporter.export(&logs(["open"])).await.unwrap();
    // Names that are none of ours, with content that is; names of ours, with content that is not.
    let strangers = [
        ("notes.txt", "{\"v\":1,\"signal\":\"logs\"}\n"),
        ("app-1999.jsonl", "{\"v\":1,\"signal\":\"logs\"}\n"),
        ("other-20260101T000000Z.jsonl", "{\"v\":1,\"signal\":\"logs\"}\n"),
        ("app-20260101T000000Z.jsonl.gz", "{\"v\":1,\"signal\":\"logs\"}\n"),
        ("app-20260101T000000Z.jsonl.bak", "{\"v\":1,\"signal\":\"logs\"}\n"),
        ("app-20260102T000000Z.jsonl", "my thesis\n"),
        ("app-20260103T000000Z.jsonl", ""),
    ];
    for (name, content) in strangers {
        std::fs::write(place.join(name), content).unwrap();
        written(&place.join(name), 300 * DAY);
    }
    std::fs::create_dir(place.join("app-20260104T000000Z.jsonl")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&outside, place.join("app-20260105T000000Z.jsonl")).unwrap();
    let before = names(&place);
    std::fs::write(place.join("app-20260106T000000Z.jsonl"), "{\"v\":1,\"signal\":\"logs\"}\n").unwrap();
    written(&place.join("app-20260106T000000Z.jsonl"), 300 * DAY);
    let config = config(&place)
        .with_rotation_policy(RotationPolicy::Time)
        .with_max_age(DAY)
        .with_max_total_size(1_000);
    let _next = FileExporter::with_clock(config, Hands::at(NOON)).unwrap();
    assert_eq!(names(&place), before, "ours is removed and nothing else");
    assert!(outside.exists());
}

#[tokio::test]
async fn the_file_that_was_closed_last_is_never_removed() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path())
        .with_rotation_policy(RotationPolicy::Time)
        .with_max_age(Duration::from_secs(1))
        .with_max_total_size(1_000);
    let hands = Hands::at(NOON);
    let exporter = FileExporter::with_clock(config, hands.clone()).unwrap();
    for round in 0..3 {
        hands.pass(DAY);
        exporter.export(&logs([format!("{round}{}", "x".repeat(3_000))])).await.unwrap();
        let closed = exporter.rotate().unwrap();
        assert!(closed[0].exists(), "it is larger than all may be together, and was delivered a moment ago");
    }
}

#[tokio::test]
async fn what_cannot_be_ours_does_not_drive_ours_out() {
    let folder = tempfile::tempdir().unwrap();
    let config = FileConfig::new(folder.path())
        .with_compression(Compression::Zstd)
        .with_rotation_policy(RotationPolicy::Time)
        .with_filename_template("app-{timestamp}.jsonl.zst");
    let all = days(&config, 3).await;
    let damaged = [&b"\x28\xb5\x2f\xfd"[..], &[0xff; 9_000]].concat();
    for strange in ["app-20200101T000000Z.jsonl.zst", "app-20300101T000000Z.jsonl.zst"] {
        std::fs::write(folder.path().join(strange), &damaged).unwrap();
    }
    written(&folder.path().join("app-20200101T000000Z.jsonl.zst"), 300 * DAY);
    let size = |name: &String| folder.path().join(name).metadata().unwrap().len();
    let ours: u64 = all.iter().map(size).sum();
    assert!(ours < 9_000, "{ours}");
    let _next =
        FileExporter::with_clock(config.with_max_total_size(ours.max(1_000)), Hands::at(NOON)).unwrap();
    for name in &all {
        assert!(folder.path().join(name).exists(), "{name}");
    }
    assert_eq!(names(folder.path()).len(), 5);
}

#[tokio::test]
async fn tables_of_fewer_columns_are_ours_too() {
    let folder = tempfile::tempdir().unwrap();
    let config = FileConfig::new(folder.path())
        .with_file_format(FileFormat::Csv)
        .with_filename_template("app-{signal}-{timestamp}.csv");
    // As a version with two columns more at the end would have written it, and as one that is older than ours.
    let header: Vec<&str> = obs_file::columns(Signal::Logs).iter().map(|column| column.name).collect();
    let header = header.join(",");
    let newer = "app-logs-20200101T000000Z.csv";
    std::fs::write(folder.path().join(newer), format!("{header},mood,weather\r\n")).unwrap();
    let strange = "app-logs-20200102T000000Z.csv";
    std::fs::write(folder.path().join(strange), format!("{header}less\r\n")).unwrap();
    for name in [newer, strange] {
        written(&folder.path().join(name), 300 * DAY);
    }
    let _next = FileExporter::with_clock(config.with_max_age(DAY), Hands::at(NOON)).unwrap();
    assert_eq!(names(folder.path()), [strange]);
}
