//! A lane on disk is the queue in memory, which can forget.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use obs_core::{Batch, Limits, Signal};
use obs_pipeline::{Clock, Log as _, MemoryQueue, Offer, Queue as _};
use obs_queue::{DiskQueue, Durability};
use proptest::prelude::*;

use crate::support::{Lane, PATIENCE, config, lane, numbered, open, texts};

#[derive(Debug, Clone)]
enum Step {
    Offer(u32),
    /// A segment of which nothing is meant for the lane.
    Pass,
    Peek(usize, usize),
    /// How many of the head are left.
    Commit(usize),
    Drop,
    Expire(u64),
    Spill,
}

/// A record that was read back may take another number of bytes, so where lanes forget, only items limit them.
fn step(forget: bool) -> impl Strategy<Value = Step> {
    let bytes = if forget { Just(usize::MAX).boxed() } else { (100usize..3_000).boxed() };
    let last = if forget { Just(Step::Spill).boxed() } else { Just(Step::Pass).boxed() };
    prop_oneof![
        4 => (1u32..12).prop_map(Step::Offer),
        1 => Just(Step::Pass),
        4 => (1usize..15, bytes).prop_map(|(items, bytes)| Step::Peek(items, bytes)),
        4 => prop_oneof![3 => Just(0usize), 1 => 0usize..5].prop_map(Step::Commit),
        1 => Just(Step::Drop),
        1 => (0u64..8).prop_map(Step::Expire),
        3 => last,
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    any::<bool>().prop_flat_map(|forget| prop::collection::vec(step(forget), 1..40))
}

/// The lane, the queue it must be like, and what became of the records.
struct Pair {
    log: DiskQueue,
    lane: Lane,
    model: MemoryQueue,
    next: u32,
    now: u64,
    /// The head on its way, as it was cut, and whether it is on its way.
    head: Vec<String>,
    sending: bool,
    delivered: BTreeSet<String>,
}

impl Pair {
    fn offer(&mut self, count: u32) {
        let batch = numbered(self.next..self.next + count);
        self.next += count;
        self.now += 1;
        let position = self.log.append(&batch);
        let (bytes, now) = (batch.byte_size(), Duration::from_secs(self.now));
        self.model.offer(Offer { batch: batch.clone(), position: None, selection: None, bytes, now });
        self.lane.queue.offer(Offer { batch, position: Some(position), selection: None, bytes, now });
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Offer(count) => self.offer(count),
            Step::Pass => {
                let position = self.log.append(&numbered(0..3));
                let (batch, now) = (Batch::empty(Signal::Logs), Duration::from_secs(self.now));
                self.lane.queue.offer(Offer {
                    batch,
                    position: Some(position),
                    selection: None,
                    bytes: 0,
                    now,
                });
            }
            Step::Peek(items, bytes) => {
                let limits = Limits { items, bytes };
                self.lane.load(limits);
                let (own, model) = (self.lane.queue.peek(limits), self.model.peek(limits));
                prop_assert_eq!(own.as_ref().map(texts), model.as_ref().map(texts));
                if self.head.is_empty() {
                    self.head = model.as_ref().map(texts).unwrap_or_default();
                }
                self.sending = model.is_some();
            }
            Step::Commit(left) if self.sending => {
                let head = self.model.peek(Limits { items: 1, bytes: 0 }).unwrap();
                let from = head.len().saturating_sub(left);
                self.delivered.extend(texts(&head.slice(0..from)));
                let left = head.slice(from..head.len());
                if left.is_empty() {
                    self.head.clear();
                }
                self.lane.queue.commit(left.clone());
                self.model.commit(left);
                self.lane.settle();
                self.sending = false;
            }
            Step::Drop => {
                let (own, model) = (self.lane.queue.drop_oldest(), self.model.drop_oldest());
                prop_assert_eq!(own.map(|removed| removed.count), model.map(|removed| removed.count));
            }
            Step::Expire(age) if !self.sending => {
                let (now, age) = (Duration::from_secs(self.now), Duration::from_secs(age));
                let (own, model) = (self.lane.queue.expire(now, age), self.model.expire(now, age));
                if model.is_some() {
                    // The head is the oldest.
                    self.head.clear();
                }
                prop_assert_eq!(own.map(|removed| removed.count), model.map(|removed| removed.count));
                self.lane.settle();
            }
            Step::Spill => {
                prop_assert!(self.log.sync(PATIENCE));
                prop_assert_eq!(self.lane.queue.at_risk(), 0);
                let before = self.lane.queue.bytes();
                let spilled = self.lane.queue.spill();
                prop_assert_eq!(spilled, self.lane.queue.bytes() < before);
            }
            Step::Commit(_) | Step::Expire(_) => {}
        }
        let (own, model) = (&self.lane.queue, &self.model);
        prop_assert_eq!(own.items(), model.items());
        prop_assert_eq!(own.oldest(), model.oldest());
        let age = Duration::from_secs(5);
        prop_assert_eq!(own.expires(age), model.expires(age));
        prop_assert!(own.bytes() <= model.bytes());
        Ok(())
    }
}

/// What is in a copy of the files as they are now: as if the process died here.
fn after_a_crash(folder: &Path) -> Vec<String> {
    let copy = tempfile::tempdir().unwrap();
    for name in ["queue.db", "queue.db-wal"] {
        std::fs::copy(folder.join(name), copy.path().join(name)).unwrap();
    }
    let log = open(copy.path());
    let left = lane(&log, "lane").deliver_all();
    assert!(log.close(PATIENCE));
    left
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn law_1_accounting_a_lane_on_disk_is_the_one_in_memory_and_a_crash_loses_nothing(
        steps in steps(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let log = DiskQueue::open(config(folder.path()).with_mode(Durability::Os)).unwrap();
        let lane = lane(&log, "lane");
        let model = MemoryQueue::new(Signal::Logs);
        let (head, delivered) = (Vec::new(), BTreeSet::new());
        let mut pair = Pair { log, lane, model, next: 0, now: 0, head, sending: false, delivered };
        for step in &steps {
            pair.step(step)?;
        }
        prop_assert!(pair.log.sync(PATIENCE));
        let back: Vec<_> = after_a_crash(folder.path());
        let back: BTreeSet<_> = back.into_iter().collect();
        let all = Limits { items: usize::MAX, bytes: usize::MAX };
        let mut waiting = BTreeSet::new();
        while let Some(head) = pair.model.peek(all) {
            waiting.extend(texts(&head));
            pair.model.commit(Batch::empty(Signal::Logs));
        }
        prop_assert!(waiting.is_subset(&back), "lost {:?}", waiting.difference(&back));
        let head: BTreeSet<_> = pair.head.into_iter().collect();
        let again: BTreeSet<_> = back.intersection(&pair.delivered).cloned().collect();
        prop_assert!(again.is_subset(&head), "{again:?} twice, of the head {head:?}");
        prop_assert!(pair.log.close(PATIENCE));
    }
}

#[test]
fn what_every_lane_has_delivered_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let mut lane = lane(&log, "lane");
    for at in 0..50 {
        let batch = numbered(at..at + 1);
        let position = log.append(&batch);
        lane.take(position, batch);
        assert_eq!(lane.queue.peek(crate::support::ALL).unwrap().len(), 1);
        lane.queue.commit(Batch::empty(Signal::Logs));
    }
    assert!(log.sync(PATIENCE));
    let rows = crate::support::number(folder.path(), "SELECT count(*) FROM log");
    assert!(rows < 50, "{rows} rows are on disk");
    assert!(log.close(PATIENCE));
    assert_eq!(crate::support::number(folder.path(), "SELECT count(*) FROM log"), 0);
}

fn lane_of_five(log: &DiskQueue) -> Lane {
    let mut lane = lane(log, "lane");
    let batch = numbered(0..5);
    let position = log.append(&batch);
    lane.take(position, batch);
    lane
}

#[test]
fn a_lane_that_ends_leaves_what_only_it_held_to_disk() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    drop(lane_of_five(&log));
    assert!(log.close(PATIENCE));
    assert_eq!(after_a_crash_of_closed(folder.path()), 5);
}

fn after_a_crash_of_closed(folder: &Path) -> usize {
    let log = open(folder);
    let items = lane(&log, "lane").queue.items();
    assert!(log.close(PATIENCE));
    items
}

#[test]
fn a_cursor_that_nobody_waits_for_is_written_soon_although_nothing_else_happens() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let mut lane = lane_of_five(&log);
    assert!(log.sync(PATIENCE));
    let real = Clock::system();
    let rows = || crate::support::number(folder.path(), "SELECT count(*) FROM log");
    assert_eq!(rows(), 1);
    // The writer has nothing to do and sleeps; what expires moves the cursor, and no batch waits for that.
    assert_eq!(
        lane.queue.expire(Duration::from_secs(2), Duration::from_secs(1)).map(|old| old.count),
        Some(5)
    );
    while rows() > 0 {
        assert!(real.monotonic() < PATIENCE, "disk does not know that nothing is wanted");
        std::thread::park_timeout(Duration::from_millis(5));
    }
    assert!(log.close(PATIENCE));
}
