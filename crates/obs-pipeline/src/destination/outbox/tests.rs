//! What waits, and when it leaves.

use std::time::Duration;

use obs_core::{Batch, ErrorKind, Level, Limits, Log, Receipt, Retry, Signal, Timestamp};

use super::{Due, Outbox, Rules, Store};
use crate::collector::Sealed;
use crate::destination::entrance::Meant;
use crate::destination::pace::Pace;
use crate::outcome::Outcome;
use crate::{Intake, LaneConfig, MemoryQueue, Offer, Overflow, RetryConfig, dropped};

const S: fn(u64) -> Duration = Duration::from_secs;

fn outbox(overflow: Overflow) -> Outbox {
    outbox_every(S(1), overflow)
}

fn outbox_every(interval: Duration, overflow: Overflow) -> Outbox {
    let rules = Rules {
        signal: Signal::Logs,
        supported: true,
        limits: Limits { items: 10, bytes: 1 << 20 },
        pace: Pace::new(&LaneConfig::DEFAULT, interval),
        max_age: S(3_600),
        overflow,
        block_timeout: S(5),
        retry: RetryConfig::DEFAULT,
        buries: false,
    };
    Outbox::new(rules, Store::Queue(Box::new(MemoryQueue::new(Signal::Logs))))
}

fn logs(count: usize) -> Batch {
    Batch::Logs((0..count).map(|_| Log::new(Timestamp::default(), Level::Info, "m")).collect())
}

/// Counts a segment of so many logs as offered, all of them meant for the lane.
fn offered(outbox: &mut Outbox, count: usize) -> Batch {
    let sealed = Sealed::of(logs(count));
    let meant = Meant::all_of(&sealed, &obs_testkit::Scripted::DESCRIPTOR);
    outbox.offered(&sealed, &meant, false);
    meant.batch
}

fn offer(outbox: &mut Outbox, count: usize, now: u64) {
    let batch = offered(outbox, count);
    outbox.admit(Offer { batch, position: None, selection: None, bytes: count, now: S(now) });
}

fn deliver(outbox: &mut Outbox, now: u64) -> usize {
    let Some(batch) = outbox.send(Timestamp::default()) else { return 0 };
    outbox.settle(Receipt::delivered(batch.len()), logs(0), S(now));
    assert_eq!(outbox.rest(None, S(now), 1.0), None);
    batch.len()
}

fn fail(outbox: &mut Outbox, retry: Retry, now: u64) -> Option<Duration> {
    let batch = outbox.send(Timestamp::default())?;
    let error = obs_core::Error::new(ErrorKind::Unavailable, retry, "down", batch.clone());
    let Outcome { receipt, left, trouble } = Outcome::of(&batch, Err(error));
    outbox.settle(receipt, left, S(now));
    outbox.rest(trouble.as_ref(), S(now), 1.0)
}

#[test]
fn a_batch_leaves_when_it_is_full_or_old_or_flushed() {
    let mut outbox = outbox(Overflow::DropOldest);
    assert_eq!(outbox.due(S(0), false), Due::Never);
    offer(&mut outbox, 3, 5);
    assert_eq!(outbox.due(S(5), false), Due::At(S(6)));
    assert_eq!(outbox.due(S(6), false), Due::Now);
    assert_eq!(outbox.due(S(5), true), Due::Now, "near the end, batches leave however small");
    outbox.flush();
    assert_eq!(outbox.due(S(5), false), Due::Now);
    assert_eq!(deliver(&mut outbox, 5), 3);
    offer(&mut outbox, 12, 5);
    assert_eq!(outbox.due(S(5), false), Due::Now);
    assert_eq!(deliver(&mut outbox, 5), 10, "as many as the limits say");
    assert_eq!(outbox.due(S(5), false), Due::At(S(6)));
}

#[test]
fn a_flush_waits_for_what_was_there_and_for_nothing_else() {
    let mut outbox = outbox(Overflow::DropOldest);
    assert!(outbox.is_flushed());
    offer(&mut outbox, 10, 0);
    outbox.flush();
    offer(&mut outbox, 5, 0);
    assert!(!outbox.is_flushed());
    deliver(&mut outbox, 0);
    assert!(outbox.is_flushed() && !outbox.is_empty());
}

#[test]
fn a_later_flush_does_not_move_the_marks_of_the_one_under_way() {
    let mut outbox = outbox(Overflow::DropOldest);
    offer(&mut outbox, 10, 0);
    outbox.flush();
    offer(&mut outbox, 5, 0);
    outbox.flush_next();
    deliver(&mut outbox, 0);
    assert!(outbox.is_flushed(), "the first flush asked for the first ten");
    outbox.next_flush();
    assert!(!outbox.is_flushed(), "the second for all of them");
    deliver(&mut outbox, 0);
    assert!(outbox.is_flushed() && outbox.is_empty());
}

#[test]
fn an_interval_without_end_waits_for_a_flush() {
    let mut outbox = outbox_every(Duration::MAX, Overflow::Block);
    offer(&mut outbox, 3, 5);
    assert_eq!(outbox.due(S(6), false), Due::At(Duration::MAX));
    outbox.flush();
    assert_eq!(outbox.due(S(6), false), Due::Now);
}

#[test]
fn what_the_backend_asks_for_is_a_floor() {
    for retry in [Retry::After(Duration::ZERO), Retry::Backoff] {
        let mut outbox = outbox(Overflow::DropOldest);
        offer(&mut outbox, 10, 0);
        assert_eq!(fail(&mut outbox, retry, 0), None);
        assert!(matches!(outbox.due(S(0), false), Due::At(at) if at > Duration::ZERO), "{retry:?}");
    }
    let mut outbox = outbox(Overflow::DropOldest);
    offer(&mut outbox, 10, 0);
    assert!(fail(&mut outbox, Retry::Hold(Duration::ZERO), 0) > Some(Duration::ZERO));
}

#[test]
fn a_flush_is_not_done_while_its_head_is_on_its_way_and_younger_ones_are_dropped() {
    let mut outbox = outbox(Overflow::DropOldest);
    offer(&mut outbox, 10, 0);
    outbox.flush();
    assert!(outbox.send(Timestamp::default()).is_some());
    offer(&mut outbox, 10, 0);
    assert!(outbox.make_room(&mut 0), "the younger batch goes");
    assert!(!outbox.make_room(&mut 0), "what is on its way stays");
    assert!(!outbox.is_flushed());
    assert_eq!((outbox.terms().dropped.total(), outbox.terms().queued), (10, 10));
}

#[test]
fn what_failed_stays_at_the_head_and_rests() {
    let mut outbox = outbox(Overflow::DropOldest);
    offer(&mut outbox, 3, 0);
    assert_eq!(fail(&mut outbox, Retry::Backoff, 10), None);
    assert_eq!(outbox.due(S(10), false), Due::At(Duration::from_millis(10_500)));
    assert_eq!(fail(&mut outbox, Retry::Backoff, 11), None);
    assert_eq!(outbox.due(S(11), false), Due::At(S(12)), "the second wait is twice as long");
    assert_eq!(fail(&mut outbox, Retry::After(S(100)), 12), None);
    outbox.hurry();
    assert_eq!(outbox.due(S(12), true), Due::At(S(112)), "what a backend asks for stands");
    assert_eq!(fail(&mut outbox, Retry::Hold(S(60)), 112), Some(S(60)));
    assert_eq!(outbox.terms().queued, 3);
    assert_eq!(deliver(&mut outbox, 200), 3);
}

#[test]
fn what_waited_too_long_is_given_up_at_its_time() {
    let intake = Intake::noop();
    let mut outbox = outbox(Overflow::DropOldest);
    offer(&mut outbox, 3, 0);
    fail(&mut outbox, Retry::After(S(9_999)), 1);
    assert_eq!(outbox.expires(), Due::At(S(3_600)));
    outbox.expire(S(3_599), intake.bytes(), &mut 0);
    assert_eq!(outbox.terms().queued, 3);
    outbox.expire(S(3_600), intake.bytes(), &mut 0);
    assert_eq!((outbox.terms().queued, outbox.terms().dropped.get(dropped::EXPIRED)), (0, 3));
    assert_eq!((outbox.expires(), outbox.due(S(3_600), false)), (Due::Never, Due::Never));
}

#[test]
fn giving_everything_up_keeps_the_ledger_exact() {
    let intake = Intake::noop();
    let mut outbox = outbox(Overflow::Block);
    offer(&mut outbox, 3, 0);
    assert!(outbox.send(Timestamp::default()).is_some());
    let batch = offered(&mut outbox, 4);
    outbox.refuse(
        Offer { batch, position: None, selection: None, bytes: 0, now: S(0) },
        intake.bytes(),
        &mut 0,
    );
    assert_eq!((outbox.terms().queued, outbox.held()), (7, 7));
    outbox.abandon(intake.bytes());
    let terms = outbox.terms();
    assert_eq!((terms.queued, terms.dropped.get(dropped::SHUTDOWN), outbox.held()), (0, 7, 0));
    assert!(terms.is_balanced() && outbox.is_empty() && outbox.is_flushed());
}
