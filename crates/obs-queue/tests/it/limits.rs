//! How much is kept, and for how long.

use std::path::Path;
use std::time::Duration;

use obs_core::{Batch, Limits, Signal};
use obs_pipeline::{Clock, Log as _};
use obs_queue::{DiskQueue, QueueConfig};

use crate::support::{
    ALL, Lane, PATIENCE, clock, config, lane, lane_at, logs, number, numbered, open, texts,
};

const USED: &str = "SELECT (page_count - freelist_count) * page_size
    FROM pragma_page_count, pragma_freelist_count, pragma_page_size";

/// Appends for a lane, as a pipeline does.
fn put(log: &DiskQueue, lanes: &mut [&mut Lane], batch: &Batch) {
    let position = log.append(batch);
    for lane in lanes {
        lane.take(position, batch.clone());
    }
    assert!(log.sync(PATIENCE));
}

/// Gives up what disk has no room for, as a pipeline does when the lane is woken.
fn give_up(folder: &Path, lanes: &mut [&mut Lane]) -> usize {
    let (mut count, real) = (0, Clock::system());
    while number(folder, USED) > 1_000_000 {
        for lane in lanes.iter_mut() {
            while lane.queue.is_over() {
                let Some(removed) = lane.queue.drop_oldest() else { break };
                count += removed.count;
            }
        }
        assert!(real.monotonic() < PATIENCE, "the writer removes what is given up");
        std::thread::park_timeout(Duration::from_millis(1));
    }
    count
}

#[test]
fn law_1_accounting_beyond_its_size_a_queue_gives_up_the_oldest_even_while_a_head_is_on_its_way() {
    let folder = tempfile::tempdir().unwrap();
    let log = DiskQueue::open(config(folder.path()).with_max_size(1_000_000)).unwrap();
    let (mut first, mut second) = (lane(&log, "first"), lane(&log, "second"));
    let mut given_up = 0;
    for at in 0..60 {
        let batch = logs((0..50).map(|n| format!("{at}-{n}-{}", "x".repeat(1_000))));
        put(&log, &mut [&mut first, &mut second], &batch);
        if at == 0 {
            let limits = Limits { items: 20, bytes: usize::MAX };
            assert_eq!(first.queue.peek(limits).map(|head| head.len()), Some(20));
            assert_eq!(second.queue.peek(ALL).map(|head| head.len()), Some(50));
        }
        given_up += give_up(folder.path(), &mut [&mut first, &mut second]);
    }
    assert_eq!(first.queue.items() + second.queue.items() + given_up, 2 * 60 * 50);
    assert!(first.queue.items() > 300 && second.queue.items() > 300, "{first:?}");
    first.queue.commit(Batch::empty(Signal::Logs));
    first.settle();
    let left = first.deliver_all();
    assert!(left.last().unwrap().starts_with("59-49-"));
    drop((first, second));
    assert!(log.close(PATIENCE));
    let log = open(folder.path());
    let mut second = lane(&log, "second");
    let left = second.deliver_all();
    assert!(
        left[0].starts_with("0-0-") && left[50].starts_with('4') && left.len() > 300,
        "the head is still there"
    );
}

#[test]
fn a_lane_that_does_nothing_is_woken_when_there_is_too_much_also_after_another_gave_something_up() {
    let folder = tempfile::tempdir().unwrap();
    let log = DiskQueue::open(config(folder.path()).with_max_size(1_000_000)).unwrap();
    let (mut first, mut second) = (lane(&log, "first"), lane(&log, "second"));
    let batch = |at: u32| logs((0..500).map(move |n| format!("{at}-{n}-{}", "x".repeat(1_000))));
    // Only the first wants the first segment: once it is given up, the second is as far behind.
    put(&log, &mut [&mut first], &batch(0));
    let (position, none) = (log.append(&numbered(0..1)), Batch::empty(Signal::Logs));
    second.take(position, none);
    for at in 1..6 {
        put(&log, &mut [&mut first, &mut second], &batch(at));
    }
    let mut given_up = 0;
    for lane in [&mut first, &mut second] {
        loop {
            lane.woken.recv_timeout(PATIENCE).expect("a lane is woken when it is to give something up");
            if lane.queue.is_over() {
                break;
            }
        }
        given_up += lane.queue.drop_oldest().unwrap().count;
    }
    assert_eq!(given_up, 1_000);
}

#[test]
fn a_lane_that_holds_nothing_does_not_fill_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let log = DiskQueue::open(config(folder.path()).with_max_size(1_000_000)).unwrap();
    let (mut busy, idle) = (lane(&log, "busy"), lane(&log, "idle"));
    for at in 0..40 {
        put(&log, &mut [&mut busy], &logs((0..50).map(|n| format!("{at}-{n}-{}", "x".repeat(1_000)))));
        busy.deliver(ALL);
    }
    assert!(log.sync(PATIENCE));
    let used = number(folder.path(), USED);
    assert!(used < 1_300_000, "{used} bytes");
    assert_eq!(idle.queue.items(), 0);
}

#[test]
fn records_are_as_old_as_they_are_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (time, hand) = clock();
    let log = DiskQueue::open_at(config(folder.path()), time.clone()).unwrap();
    let mut first = lane_at(&log, "lane", &time);
    put(&log, &mut [&mut first], &numbered(0..3));
    hand.advance(Duration::from_mins(40));
    put(&log, &mut [&mut first], &numbered(3..5));
    drop(first);
    assert!(log.close(PATIENCE));

    let (start, hour) = (time.at(Duration::from_mins(50)), Duration::from_hours(1));
    let (time, hand) = Clock::manual(start);
    let log = DiskQueue::open_at(config(folder.path()), time.clone()).unwrap();
    let mut lane = lane_at(&log, "lane", &time);
    assert_eq!((lane.queue.items(), lane.queue.oldest()), (5, Some(Duration::ZERO)));
    assert_eq!(lane.queue.expires(hour), Some(Duration::from_mins(10)));
    assert!(lane.queue.expire(time.monotonic(), hour).is_none());
    hand.advance(Duration::from_mins(10));
    assert_eq!(lane.queue.expire(time.monotonic(), hour).map(|removed| removed.count), Some(3));
    assert_eq!(lane.queue.expires(hour), Some(Duration::from_mins(50)));
    assert_eq!(lane.deliver_all(), ["3", "4"]);
    assert!(log.close(PATIENCE));
}

#[test]
fn what_waits_for_a_destination_that_is_gone_is_kept_a_while_and_makes_way_when_there_is_no_room() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let mut gone = lane(&log, "gone");
    put(&log, &mut [&mut gone], &numbered(0..7));
    drop(gone);
    assert!(log.close(PATIENCE));

    let log = open(folder.path());
    let mut here = lane(&log, "here");
    put(&log, &mut [&mut here], &numbered(7..9));
    assert_eq!(here.deliver_all().len(), 2);
    drop(here);
    assert!(log.close(PATIENCE));
    assert_eq!(number(folder.path(), "SELECT sum(items) FROM log"), 9);

    let log = DiskQueue::open(QueueConfig::new(folder.path()).with_max_size(1_000_000)).unwrap();
    let mut here = lane(&log, "here");
    for at in 0..40 {
        put(&log, &mut [&mut here], &logs((0..50).map(|n| format!("{at}-{n}-{}", "x".repeat(1_000)))));
        here.deliver(ALL);
    }
    assert!(log.close(PATIENCE));
    assert!(log.forgotten() >= 7, "{}", log.forgotten());
}

#[tokio::test]
async fn a_lane_is_drained_to_an_exporter_and_refused_where_nobody_knows_it() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let mut first = lane(&log, "lane");
    for at in 0..10 {
        put(&log, &mut [&mut first], &numbered(at * 100..at * 100 + 100));
    }
    assert_eq!(first.deliver(Limits { items: 150, bytes: usize::MAX }).len(), 150);
    drop(first);
    assert!(log.close(PATIENCE));

    let log = open(folder.path());
    let sink = obs_testkit::Scripted::new([]);
    let error = log.drain("other", Signal::Logs, &*sink).await.unwrap_err();
    assert!(error.message().contains("\"other\""), "{error}");
    let report = log.drain("lane", Signal::Logs, &*sink).await.unwrap();
    assert_eq!((report.delivered, report.left, report.trouble), (850, 0, None));
    let arrived: Vec<_> = Batch::group(sink.records()).iter().flat_map(texts).collect();
    assert_eq!(arrived, (150..1_000).map(|at| at.to_string()).collect::<Vec<_>>());
    assert!(log.close(PATIENCE));
    assert_eq!(number(folder.path(), "SELECT count(*) FROM log"), 0);
}
