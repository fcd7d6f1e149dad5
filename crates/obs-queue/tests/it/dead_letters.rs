//! Dead letters, kept and tried again.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{Batch, DeadLetters as _, ErrorKind, Rejection, Retry, Signal};
use obs_pipeline::{Clock, DeadLetter, Fallback};
use obs_queue::{DeadLetterConfig, DeadLetterFilter, DeadLetterStore};
use obs_testkit::{Scripted, Step, fixtures};

use crate::support::{clock, logs, numbered, texts};

fn open(folder: &tempfile::TempDir) -> DeadLetterStore {
    DeadLetterStore::open_at(DeadLetterConfig::new(folder.path()), clock().0).unwrap()
}

fn rejected(batch: Batch) -> Rejection {
    Rejection { status: Some(400), ..Rejection::of(batch, ErrorKind::Rejected, "the field Trace is bad") }
}

fn by_destination(name: &str) -> DeadLetterFilter {
    DeadLetterFilter { destination: Some(name.to_owned()), ..DeadLetterFilter::default() }
}

fn by_reason(reason: &str) -> DeadLetterFilter {
    DeadLetterFilter { reason: Some(reason.to_owned()), ..DeadLetterFilter::default() }
}

#[tokio::test]
async fn law_1_accounting_every_rejected_record_is_kept_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let mut all = Vec::new();
    for signal in Signal::ALL {
        let batch = fixtures::batch(signal);
        store.put("first", &rejected(batch.clone())).await.unwrap();
        all.extend(batch.to_records());
    }
    let counted = Rejection { records: None, count: 7, ..rejected(numbered(0..0)) };
    store.put("second", &counted).await.unwrap();
    drop(store);

    let store = open(&folder);
    let letters = store.list(&by_destination("first"), usize::MAX).unwrap();
    assert_eq!(letters.len(), all.len());
    for (letter, record) in letters.iter().zip(&all) {
        assert_eq!(
            (letter.signal, letter.status, &*letter.kind),
            (Some(record.signal()), Some(400), "rejected")
        );
        let shown = store.show(letter.id).unwrap().unwrap();
        assert_eq!(shown.record().unwrap().as_ref(), Some(record));
    }
    assert_eq!(store.count(&DeadLetterFilter::default()).unwrap(), all.len() as u64 + 7);
    for reason in ["http_400", "rejected", "field trace"] {
        assert_eq!(store.list(&by_reason(reason), 3).unwrap().len(), 3, "{reason}");
    }
    assert!(store.list(&by_reason("http_500"), 9).unwrap().is_empty());
    assert_eq!(store.purge(&by_destination("second")).unwrap(), 1);
    assert_eq!(store.count(&DeadLetterFilter::default()).unwrap(), all.len() as u64);
}

#[tokio::test]
async fn replay_of_10_000_delivers_each_once_by_id() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    for at in 0..10 {
        store.put("sink", &rejected(numbered(at * 1_000..at * 1_000 + 1_000))).await.unwrap();
    }
    let sink = Scripted::new([]);
    let real = Clock::system();
    let report = store.replay(&DeadLetterFilter::default(), &sink, None).await.unwrap();
    assert!(real.monotonic() < Duration::from_secs(10), "{:?}", real.monotonic());
    assert_eq!((report.delivered, report.left, report.stopped), (10_000, 0, None));
    let arrived: Vec<String> = Batch::group(sink.records()).iter().flat_map(texts).collect();
    assert_eq!(arrived, (0..10_000).map(|at| at.to_string()).collect::<Vec<_>>());
    assert_eq!(store.count(&DeadLetterFilter::default()).unwrap(), 0);
}

#[tokio::test]
async fn what_is_rejected_again_stays_with_the_new_reason() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    store.put("sink", &rejected(numbered(0..10))).await.unwrap();
    let sink = Scripted::new([Step::Reject(vec![2, 5])]);
    let report = store.replay(&DeadLetterFilter::default(), &sink, None).await.unwrap();
    assert_eq!((report.delivered, report.rejected, report.left), (8, 2, 0));
    let letters = store.list(&DeadLetterFilter::default(), 100).unwrap();
    assert!(letters.iter().all(|letter| letter.attempts == 2 && letter.status != Some(400)), "{letters:?}");
    let left: Vec<_> = letters.iter().map(|letter| store.show(letter.id).unwrap().unwrap()).collect();
    let left = Batch::group(left.iter().map(|letter| letter.record().unwrap().unwrap()));
    assert_eq!(texts(&left[0]), ["2", "5"]);
}

#[tokio::test]
async fn one_poison_in_a_batch_stops_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    store.put("sink", &rejected(numbered(0..4))).await.unwrap();
    // Four, then the first two, then the first alone; the others pass.
    let sink = Scripted::new([Step::refused(), Step::refused(), Step::refused()]);
    let report = store.replay(&DeadLetterFilter::default(), &sink, None).await.unwrap();
    assert_eq!((report.delivered, report.rejected, report.stopped), (3, 1, None));
    assert_eq!(store.count(&DeadLetterFilter::default()).unwrap(), 1);
}

#[tokio::test]
async fn a_destination_that_is_out_ends_the_replay_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    store.put("sink", &rejected(numbered(0..1_000))).await.unwrap();
    let hold = Retry::Hold(Duration::from_mins(1));
    let sink = Scripted::new([Step::Deliver, Step::fail_after(100, ErrorKind::Unavailable, hold)]);
    let report = store.replay(&DeadLetterFilter::default(), &sink, None).await.unwrap();
    assert!(report.stopped.is_some(), "{report:?}");
    assert_eq!(report.delivered + report.left, 1_000);
    assert_eq!(report.delivered, sink.delivered(Signal::Logs) as u64);
    assert_eq!(store.count(&DeadLetterFilter::default()).unwrap(), report.left);
}

#[tokio::test]
async fn a_loss_that_names_nobody_keeps_all_that_may_be_lost() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    store.put("sink", &rejected(numbered(0..10))).await.unwrap();
    let sink = Scripted::new([Step::Lose(1)]);
    let report = store.replay(&DeadLetterFilter::default(), &sink, None).await.unwrap();
    assert_eq!((report.delivered, report.unknown), (0, 10));
    assert_eq!(store.count(&DeadLetterFilter::default()).unwrap(), 10);
}

#[tokio::test]
async fn law_1_accounting_what_a_replay_buries_again_is_not_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(&folder));
    store.put("sink", &rejected(numbered(0..10))).await.unwrap();
    // As a lane does whose dead letters are the same ones.
    let sink = Scripted::new([Step::Reject((0..10).collect()), Step::Reject(vec![1, 4])]);
    let lane = DeadLetter::new(Arc::clone(&sink), "sink", store.clone());
    let all = DeadLetterFilter::default();
    let report = store.replay(&all, &lane, None).await.unwrap();
    assert_eq!((report.delivered, report.dead_lettered, report.left), (0, 10, 0), "{report:?}");
    assert_eq!(store.count(&all).unwrap(), 20);
    // Which two of the twenty it was is not told.
    let report = store.replay(&all, &lane, None).await.unwrap();
    assert_eq!((report.delivered, report.unknown, report.left), (0, 20, 0), "{report:?}");
    assert_eq!(store.count(&all).unwrap(), 22);
}

#[tokio::test]
async fn what_a_queue_took_over_is_not_delivered_yet() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    store.put("sink", &rejected(numbered(0..10))).await.unwrap();
    let sink = Scripted::new([Step::Queue]);
    let report = store.replay(&DeadLetterFilter::default(), &sink, None).await.unwrap();
    assert_eq!((report.delivered, report.queued, report.left), (0, 10, 0), "{report:?}");
    assert_eq!(store.count(&DeadLetterFilter::default()).unwrap(), 10);
}

#[tokio::test]
async fn what_another_destination_takes_instead_is_delivered_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    store.put("sink", &rejected(numbered(0..10))).await.unwrap();
    let out = Step::fail(ErrorKind::Unavailable, Retry::Hold(Duration::from_mins(1)));
    let other = Scripted::new([Step::Reject(vec![3])]);
    let lane = Fallback::new(Scripted::new([out]), vec![("other".into(), other)], false);
    let report = store.replay(&DeadLetterFilter::default(), &lane, None).await.unwrap();
    assert_eq!((report.delivered, report.rejected, report.left), (9, 1, 0), "{report:?}");
    let left = store.list(&DeadLetterFilter::default(), 10).unwrap();
    assert_eq!(left.iter().map(|letter| letter.id).collect::<Vec<_>>(), [4]);
}

#[tokio::test]
async fn law_5_isolation_a_held_disk_stops_nothing_else_on_the_thread() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let holder = rusqlite::Connection::open(store.path()).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let rejection = rejected(numbered(0..3));
    // Who holds the disk is on this very thread, and lets go once it is its turn.
    let elsewhere = async { holder.execute_batch("ROLLBACK").unwrap() };
    let (kept, ()) = tokio::join!(store.put("sink", &rejection), elsewhere);
    kept.unwrap();
    assert_eq!(store.count(&DeadLetterFilter::default()).unwrap(), 3);
}

#[tokio::test]
async fn puts_that_nobody_waits_for_any_more_do_not_stop_those_behind() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let holder = rusqlite::Connection::open(store.path()).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let rejection = rejected(numbered(0..3));
    for _ in 0..100 {
        drop(tokio::time::timeout(Duration::ZERO, store.put("given up", &rejection)).await);
    }
    holder.execute_batch("ROLLBACK").unwrap();
    store.put("kept", &rejection).await.unwrap();
    assert_eq!(store.count(&by_destination("kept")).unwrap(), 3);
    let begun = store.count(&by_destination("given up")).unwrap();
    assert!(begun <= 3, "at most the one was kept whose turn had come: {begun}");
}

#[tokio::test]
async fn a_rejection_that_names_no_records_belongs_to_no_signal() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    store.put("sink", &Rejection { records: None, count: 7, ..rejected(numbered(0..0)) }).await.unwrap();
    store.put("sink", &rejected(numbered(0..2))).await.unwrap();
    let traces = DeadLetterFilter { signal: Some(Signal::Traces), ..DeadLetterFilter::default() };
    assert_eq!(store.list(&traces, 10).unwrap(), []);
    assert_eq!(store.count(&DeadLetterFilter::default()).unwrap(), 9);
    let report = store.replay(&DeadLetterFilter::default(), &Scripted::new([]), None).await.unwrap();
    assert_eq!((report.delivered, report.unreadable, report.left), (2, 7, 0), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    store.put("sink", &rejected(numbered(0..200))).await.unwrap();
    let begin = tokio::time::Instant::now();
    store.replay(&DeadLetterFilter::default(), &Scripted::new([]), Some(50.0)).await.unwrap();
    let took = begin.elapsed();
    assert!((Duration::from_secs(3)..Duration::from_secs(5)).contains(&took), "{took:?}");
}

#[tokio::test]
async fn the_oldest_go_first_by_size_and_by_age_and_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, hand) = clock();
    let config = DeadLetterConfig::new(folder.path()).with_max_size(1_000_000);
    let store = DeadLetterStore::open_at(config.with_max_age(Duration::from_hours(1)), clock).unwrap();
    for at in 0..30 {
        let batch = logs((0..100).map(|n| format!("{at}-{n}-{}", "x".repeat(1_000))));
        store.put("sink", &rejected(batch)).await.unwrap();
    }
    let kept = store.count(&DeadLetterFilter::default()).unwrap();
    assert!(kept > 100 && kept + store.removed() == 3_000, "{kept} kept, {} removed", store.removed());
    let last = store.list(&DeadLetterFilter::default(), usize::MAX).unwrap().pop().unwrap();
    assert!(store.show(last.id).unwrap().unwrap().line.unwrap().contains("29-99-"));
    hand.advance(Duration::from_secs(3_700));
    store.put("sink", &rejected(numbered(0..1))).await.unwrap();
    assert_eq!(store.count(&DeadLetterFilter::default()).unwrap(), 1);
}

#[tokio::test]
async fn two_use_one_file_and_a_damaged_one_makes_way() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (open(&folder), open(&folder));
    one.put("a", &rejected(numbered(0..3))).await.unwrap();
    other.put("b", &rejected(numbered(3..5))).await.unwrap();
    assert_eq!(one.count(&DeadLetterFilter::default()).unwrap(), 5);
    drop((one, other));
    std::fs::write(folder.path().join("dead-letters.db"), vec![7; 100_000]).unwrap();
    let store = open(&folder);
    store.put("a", &rejected(numbered(0..3))).await.unwrap();
    assert_eq!((store.damaged(), store.count(&DeadLetterFilter::default()).unwrap()), (1, 3));
}

#[tokio::test]
async fn letters_of_the_first_version_are_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    store.put("sink", &Rejection { records: None, count: 7, ..rejected(numbered(0..0)) }).await.unwrap();
    store.put("sink", &rejected(fixtures::batch(Signal::Traces).slice(0..1))).await.unwrap();
    store.put("sink", &rejected(numbered(0..2))).await.unwrap();
    let (path, all) = (store.path(), store.list(&DeadLetterFilter::default(), 10).unwrap());
    drop(store);
    let old = "CREATE TABLE old (id INTEGER PRIMARY KEY AUTOINCREMENT, destination TEXT NOT NULL,
            signal INTEGER NOT NULL, kind TEXT NOT NULL, status INTEGER, reason TEXT NOT NULL,
            attempts INTEGER NOT NULL, first_seen INTEGER NOT NULL, last_try INTEGER NOT NULL,
            count INTEGER NOT NULL, record TEXT);
        INSERT INTO old SELECT id, destination, coalesce(signal, 0), kind, status, reason, attempts,
            first_seen, last_try, count, record FROM letters;
        DROP TABLE letters;
        ALTER TABLE old RENAME TO letters;
        CREATE INDEX letters_first_seen ON letters (first_seen);
        PRAGMA user_version = 1;";
    rusqlite::Connection::open(&path).unwrap().execute_batch(old).unwrap();
    let store = open(&folder);
    assert_eq!(store.list(&DeadLetterFilter::default(), 10).unwrap(), all);
    assert_eq!(all.iter().map(|letter| letter.signal).collect::<Vec<_>>(), {
        [None, Some(Signal::Traces), Some(Signal::Logs), Some(Signal::Logs)]
    });
    store.put("sink", &rejected(numbered(2..3))).await.unwrap();
    assert_eq!((store.damaged(), store.count(&DeadLetterFilter::default()).unwrap()), (0, 11));
}

#[cfg(unix)]
#[tokio::test]
async fn law_6_secrets_stay_dead_letters_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("deep");
    let store = DeadLetterStore::open(DeadLetterConfig::new(&directory)).unwrap();
    store.put("a", &rejected(numbered(0..3))).await.unwrap();
    assert_eq!(std::fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
    for file in std::fs::read_dir(&directory).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
    }
}
