//! Disks that fail, and files that are not what they were.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use obs_core::Health;
use obs_pipeline::Log as _;
use obs_queue::DiskQueue;
use proptest::prelude::*;

use crate::support::{Lane, PATIENCE, config, lane, logs, numbered, open};

/// Appends for a lane, as a pipeline does.
fn put(log: &DiskQueue, lane: &mut Lane, batch: obs_core::Batch) {
    let position = log.append(&batch);
    lane.take(position, batch);
}

#[expect(clippy::disallowed_methods, reason = "a test waits for a real disk")]
fn now() -> Instant {
    Instant::now()
}

/// Asks for a sync until the health is as wanted.
fn until(log: &DiskQueue, wanted: impl Fn(&Health) -> bool) {
    let begin = now();
    while !wanted(&log.health()) {
        log.sync(Duration::from_millis(20));
        assert!(begin.elapsed() < PATIENCE, "{:?}", log.health());
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

fn is_degraded(health: &Health) -> bool {
    matches!(health, Health::Degraded(_))
}

/// A small file system of its own, or nothing where we may not make one.
struct Small(tempfile::TempDir);

impl Small {
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        let done = mount.args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"]).arg(folder.path()).output();
        done.is_ok_and(|done| done.status.success()).then_some(Self(folder))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(self.0.path()).status());
    }
}

#[test]
fn a_full_disk_keeps_records_in_memory_says_so_and_heals() {
    let Some(disk) = Small::new() else {
        eprintln!("skipped: mounting a small tmpfs takes root");
        return;
    };
    let folder = disk.0.path().join("queue");
    let log = open(&folder);
    let mut lane = lane(&log, "lane");
    put(&log, &mut lane, numbered(0..10));
    assert!(log.sync(PATIENCE));
    fs::write(disk.0.path().join("ballast"), vec![0; 2_500_000]).ok();
    let begin = now();
    for at in 0..20 {
        put(&log, &mut lane, logs((0..50).map(|n| format!("{at}-{n}-{}", "x".repeat(2_000)))));
    }
    assert!(!log.sync(PATIENCE));
    // A sync that waited to its end would take all the patience; a busy machine may take some of it.
    assert!(begin.elapsed() < PATIENCE / 2, "{:?}", begin.elapsed());
    let Health::Degraded(said) = log.health() else { panic!("{:?}", log.health()) };
    assert!(said.starts_with("queue on disk: ") && said.contains("free some space"), "{said}");
    assert!(said.ends_with("records are kept in memory"), "{said}");
    assert!(lane.queue.at_risk() > 0 && lane.queue.items() == 1_010);
    assert!(!lane.queue.spill());
    assert!(lane.queue.is_ready());
    fs::remove_file(disk.0.path().join("ballast")).unwrap();
    until(&log, |health| *health == Health::Healthy);
    assert!(log.sync(PATIENCE));
    assert_eq!(lane.queue.at_risk(), 0);
    drop(lane);
    assert!(log.close(PATIENCE));
    let log = open(&folder);
    assert_eq!(crate::support::lane(&log, "lane").deliver_all().len(), 1_010);
}

#[test]
fn what_waits_on_a_disk_that_is_full_at_the_start_is_delivered_once_there_is_room() {
    let Some(disk) = Small::new() else {
        eprintln!("skipped: mounting a small tmpfs takes root");
        return;
    };
    let folder = disk.0.path().join("queue");
    let log = open(&folder);
    let mut first = lane(&log, "lane");
    put(&log, &mut first, numbered(0..10));
    drop(first);
    assert!(log.close(PATIENCE));
    let ballast = disk.0.path().join("ballast");
    fs::write(&ballast, vec![0; 4_000_000]).unwrap_err();
    let log = open(&folder);
    assert!(is_degraded(&log.health()), "{:?}", log.health());
    let mut lane = lane(&log, "lane");
    assert_eq!(lane.queue.items(), 10);
    put(&log, &mut lane, numbered(10..15));
    assert_eq!((lane.queue.at_risk(), log.sync(PATIENCE)), (5, false));
    fs::remove_file(&ballast).unwrap();
    until(&log, |health| *health == Health::Healthy);
    assert_eq!(lane.deliver_all().len(), 15);
    assert!(log.close(PATIENCE));
    let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().contains("late")), "{names:?}");
}

#[test]
fn a_queue_that_turns_up_after_the_start_is_set_aside_and_can_be_drained() {
    let folder = tempfile::tempdir().unwrap();
    let (directory, away) = (folder.path().join("queue"), folder.path().join("away"));
    let log = open(&directory);
    let mut first = lane(&log, "lane");
    put(&log, &mut first, numbered(0..10));
    drop(first);
    assert!(log.close(PATIENCE));
    fs::rename(&directory, &away).unwrap();
    fs::write(&directory, "in the way").unwrap();
    // Between two tries there is time to bring it back.
    let log = DiskQueue::open(config(&directory).with_retry_interval(Duration::from_secs(2))).unwrap();
    let mut lane = lane(&log, "lane");
    put(&log, &mut lane, numbered(10..15));
    assert!(is_degraded(&log.health()) && !log.sync(PATIENCE));
    fs::remove_file(&directory).unwrap();
    fs::rename(&away, &directory).unwrap();
    until(&log, |health| *health == Health::Healthy);
    assert!(log.sync(PATIENCE));
    assert_eq!(lane.deliver_all().len(), 5);
    assert!(log.close(PATIENCE));
    let late: Vec<_> = fs::read_dir(&directory).unwrap().map(|file| file.unwrap().path()).collect();
    let late = late.into_iter().find(|path| path.to_string_lossy().ends_with('Z')).unwrap();
    assert!(late.to_string_lossy().contains("queue.db.late-"));
    assert_eq!(obs_queue::QueueView::open(late).unwrap().lanes().unwrap()[0].records, 10);
}

#[test]
fn a_folder_that_is_taken_away_is_made_again_and_what_memory_has_is_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("queue");
    let log = open(&directory);
    let mut lane = lane(&log, "lane");
    put(&log, &mut lane, numbered(0..10));
    assert!(log.sync(PATIENCE));
    fs::remove_dir_all(&directory).unwrap();
    put(&log, &mut lane, numbered(10..20));
    until(&log, |health| *health == Health::Healthy && directory.join("queue.db").exists());
    assert!(log.sync(PATIENCE));
    assert_eq!(lane.queue.at_risk(), 10, "the first ten went with the folder");
    assert_eq!(lane.deliver_all().len(), 20);
    assert!(log.close(PATIENCE));
}

#[test]
fn a_place_where_no_folder_can_be_never_refuses_to_start() {
    let folder = tempfile::tempdir().unwrap();
    let parent = folder.path().join("file");
    fs::write(&parent, "in the way").unwrap();
    let log = open(&parent.join("queue"));
    let mut lane = lane(&log, "lane");
    assert!(is_degraded(&log.health()));
    put(&log, &mut lane, numbered(0..10));
    assert!(!log.sync(PATIENCE));
    assert_eq!(lane.queue.at_risk(), 10);
    fs::remove_file(&parent).unwrap();
    until(&log, |health| *health == Health::Healthy);
    assert!(log.sync(PATIENCE));
    assert_eq!((lane.queue.at_risk(), lane.queue.spill()), (0, true));
    assert_eq!(lane.deliver_all().len(), 10);
    assert!(log.close(PATIENCE));
}

#[test]
fn what_memory_has_at_the_front_leaves_while_disk_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let (directory, away) = (folder.path().join("queue"), folder.path().join("away"));
    let log = open(&directory);
    let mut lane = lane(&log, "lane");
    put(&log, &mut lane, numbered(0..10));
    put(&log, &mut lane, numbered(10..20));
    assert!(log.sync(PATIENCE));
    assert!(lane.queue.spill(), "the second ten are read from disk when they are wanted");
    fs::rename(&directory, &away).unwrap();
    fs::write(&directory, "in the way").unwrap();
    put(&log, &mut lane, numbered(20..30));
    until(&log, is_degraded);
    assert!(lane.queue.load(crate::support::ALL).is_none(), "nothing that is needed now is on disk");
    assert_eq!(lane.queue.peek(crate::support::ALL).map(|head| head.len()), Some(10));
    lane.queue.commit(obs_core::Batch::empty(obs_core::Signal::Logs));
    assert!(lane.queue.is_front_unread() && lane.queue.load(crate::support::ALL).is_some());
}

#[test]
fn law_6_secrets_stay_files_are_for_their_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("deep/queue");
    let log = open(&directory);
    let mut lane = lane(&log, "lane");
    put(&log, &mut lane, numbered(0..10));
    assert!(log.sync(PATIENCE));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    let files: Vec<_> = fs::read_dir(&directory).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    assert!(log.close(PATIENCE));
}

#[test]
fn a_row_that_is_no_record_is_put_aside_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let mut first = lane(&log, "lane");
    put(&log, &mut first, numbered(0..5));
    assert!(log.sync(PATIENCE));
    put(&log, &mut first, numbered(5..8));
    assert!(log.close(PATIENCE));
    let file = rusqlite::Connection::open(folder.path().join("queue.db")).unwrap();
    file.execute("UPDATE log SET data = x'7b' WHERE items = 5", []).unwrap();
    drop(file);
    let log = open(folder.path());
    let mut lane = lane(&log, "lane");
    assert_eq!(lane.queue.items(), 8);
    let mut rows = lane.queue.load(crate::support::ALL).unwrap()();
    let good = rows.pop().unwrap();
    let error = rows.pop().unwrap().batch.unwrap_err();
    assert!(error.message().contains("table `damaged`"), "{error}");
    lane.queue.loaded(rows.len() as u64, numbered(0..0), 0);
    let bad = good.position - 1;
    lane.queue.loaded(bad, numbered(0..0), 0);
    lane.queue.loaded(good.position, good.batch.unwrap(), 1);
    assert_eq!(lane.deliver_all().len(), 3);
    assert!(log.close(PATIENCE));
    assert_eq!(log.damaged_records(), 5);
    assert_eq!(crate::support::number(folder.path(), "SELECT sum(items) FROM damaged"), 5);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_damaged_file_never_refuses_to_start(
        spots in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..200),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let log = open(folder.path());
        let mut first = lane(&log, "lane");
        for at in 0..10 {
            put(&log, &mut first, logs((0..50).map(|n| format!("{at}-{n}-{}", "x".repeat(200)))));
        }
        prop_assert!(log.close(PATIENCE));
        let path = folder.path().join("queue.db");
        let mut bytes = fs::read(&path).unwrap();
        for (at, byte) in spots {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        fs::write(&path, bytes).unwrap();
        let log = DiskQueue::open(config(folder.path())).unwrap();
        let mut lane = lane(&log, "lane");
        let found = lane.queue.items();
        prop_assert!(found == 500 || log.damaged() == 1 || found < 500);
        // What is there now is taken and kept, whatever was there before.
        lane.queue.load(crate::support::ALL).map(|load| load());
        until(&log, |health| *health == Health::Healthy);
        put(&log, &mut lane, numbered(0..10));
        prop_assert!(log.sync(PATIENCE), "{:?}", log.health());
        prop_assert!(log.close(PATIENCE));
    }
}
