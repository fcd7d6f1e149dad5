//! Listings: what they say where they cannot read, and that they change nothing.

use std::fs;
use std::path::Path;

use obs_pipeline::Log as _;

use crate::program::{failed, obsctl, obsctl_with};
use crate::waiting::{PATIENCE, rejected, waiting};

/// Every file of a folder with what it holds.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = files
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn no_command_changes_damaged_dead_letters_and_each_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    rejected(folder.path());
    let queue = folder.path().join("obs-queue");
    let file = queue.join("dead-letters.db");
    let well = fs::read(&file).unwrap();
    let mut torn = well.clone();
    torn[16_384..].fill(0x5a);
    for damaged in [torn, b"nonsense".repeat(1_000)] {
        fs::write(&file, &damaged).unwrap();
        let before = contents(&queue);
        for args in [
            &["dlq", "ls"][..],
            &["dlq", "show", "1"],
            &["dlq", "replay", "--dry-run"],
            &["dlq", "replay", "--to", "again.jsonl"],
            &["dlq", "purge", "--yes"],
        ] {
            let said = ["obs-queue/dead-letters.db", "damaged", "left as it is", ".recover"];
            failed(obsctl(folder.path(), args), &said);
            assert_eq!(contents(&queue), before, "{args:?}");
        }
    }
    assert!(!folder.path().join("again.jsonl").exists());
    fs::write(&file, &well).unwrap();
    let before = contents(&queue);
    obsctl(folder.path(), &["dlq", "ls"]).ended(0);
    obsctl(folder.path(), &["dlq", "show", "1"]).ended(0);
    obsctl(folder.path(), &["dlq", "replay", "--dry-run"]).ended(0);
    assert_eq!(contents(&queue), before);
}

#[test]
fn what_a_killed_application_left_is_listed_and_stays_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let log = waiting(folder.path(), &["datadog"]);
    rejected(folder.path());
    let (from, to) = (folder.path().join("obs-queue"), folder.path().join("copy"));
    fs::create_dir(&to).unwrap();
    for name in ["queue.db", "queue.db-wal"] {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
    assert!(log.close(PATIENCE));
    let read = |name: &str| fs::read(to.join(name)).unwrap();
    let before = (read("queue.db"), read("queue.db-wal"));
    let json = obsctl(folder.path(), &["queue", "ls", "--dir", "copy", "--json"]).ended(0).json();
    assert_eq!(json["lanes"][0]["records"], 10, "{json}");
    assert_eq!((read("queue.db"), read("queue.db-wal")), before);
}

#[test]
fn an_empty_variable_is_none() {
    let folder = tempfile::tempdir().unwrap();
    rejected(folder.path());
    let empty = [("OBS_QUEUE_DIR", "")];
    let text = obsctl_with(folder.path(), &["dlq", "ls"], &empty).ended(0).stdout;
    assert!(text.contains("http_400"), "{text}");
    let ran = obsctl(folder.path(), &["dlq", "purge", "--yes", "--dir", ""]).ended(2);
    assert!(ran.stderr.contains("--dir"), "an empty --dir is a mistake: {ran:#?}");
}

#[cfg(unix)]
mod somebody_else {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    use super::*;
    use crate::program::Ran;

    /// The user `nobody`.
    const NOBODY: u32 = 65_534;

    fn allow(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Runs the program as somebody whom the modes of `obs-queue` and its files stop: `root` they do not.
    fn stopped(folder: &Path, args: &[&str]) -> Ran {
        let program = folder.join("obsctl");
        if !program.exists() {
            let built = env!("CARGO_BIN_EXE_obsctl");
            fs::hard_link(built, &program).or_else(|_| fs::copy(built, &program).map(drop)).unwrap();
            allow(folder, 0o755);
        }
        let mut command = Command::new(program);
        command.env_remove("OBS_QUEUE_DIR").current_dir(folder).args(args);
        if fs::metadata(folder).unwrap().uid() == 0 {
            command.uid(NOBODY).gid(NOBODY);
        }
        Ran::of(&mut command)
    }

    const LISTINGS: [&[&str]; 5] = [
        &["queue", "ls"],
        &["queue", "verify"],
        &["dlq", "ls"],
        &["dlq", "show", "1"],
        &["dlq", "replay", "--dry-run"],
    ];

    #[test]
    fn who_may_not_read_is_told_so_and_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        assert!(waiting(folder.path(), &["datadog"]).close(PATIENCE));
        rejected(folder.path());
        let queue = folder.path().join("obs-queue");
        allow(&queue.join("queue.db"), 0o000);
        allow(&queue.join("dead-letters.db"), 0o000);
        for mode in [0o555, 0o000] {
            allow(&queue, mode);
            for args in LISTINGS {
                failed(stopped(folder.path(), args), &["obs-queue", "Permission denied", "as the user"]);
            }
        }
        allow(&queue, 0o700);
    }

    #[test]
    fn what_cannot_be_written_is_listed() {
        let folder = tempfile::tempdir().unwrap();
        assert!(waiting(folder.path(), &["datadog"]).close(PATIENCE));
        rejected(folder.path());
        let queue = folder.path().join("obs-queue");
        for (name, _) in contents(&queue) {
            allow(&queue.join(name), 0o444);
        }
        allow(&queue, 0o555);
        let before = contents(&queue);
        for args in LISTINGS {
            stopped(folder.path(), args).ended(0);
        }
        let json = stopped(folder.path(), &["queue", "ls", "--json"]).ended(0).json();
        assert_eq!(json["lanes"][0]["records"], 10, "{json}");
        assert_eq!(contents(&queue), before);
        allow(&queue, 0o700);
    }

    #[test]
    fn what_only_its_log_holds_is_not_passed_over_where_nothing_can_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let log = waiting(folder.path(), &["datadog"]);
        let queue = folder.path().join("obs-queue");
        let (file, beside) = (queue.join("queue.db"), queue.join("queue.db-wal"));
        let (held, written) = (fs::read(&file).unwrap(), fs::read(&beside).unwrap());
        assert!(log.close(PATIENCE));
        fs::write(&file, held).unwrap();
        fs::write(&beside, written).unwrap();
        allow(&file, 0o444);
        allow(&beside, 0o444);
        allow(&queue, 0o555);
        failed(stopped(folder.path(), &["queue", "ls"]), &["queue.db-wal", "copy both"]);
        allow(&beside, 0o000);
        failed(stopped(folder.path(), &["queue", "ls"]), &["queue.db-wal", "Permission denied"]);
        allow(&queue, 0o700);
    }
}
