//! What the tests share.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use obs_core::{Batch, Level, Limits, Log, Signal, Timestamp};
use obs_pipeline::{Clock, Log as _, ManualClock, Offer, Queue};
use obs_queue::{DiskQueue, QueueConfig};

/// How long a test waits for a disk before it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const ALL: Limits = Limits { items: usize::MAX, bytes: usize::MAX };

pub(crate) fn clock() -> (Clock, ManualClock) {
    Clock::manual(Timestamp::from_nanos(1_800_000_000_000_000_000))
}

/// Log records with these texts.
pub(crate) fn logs(texts: impl IntoIterator<Item = String>) -> Batch {
    let log = |text| Log::new(Timestamp::from_nanos(1), Level::Info, text);
    Batch::Logs(texts.into_iter().map(log).collect())
}

pub(crate) fn numbered(range: std::ops::Range<u32>) -> Batch {
    logs(range.map(|number| number.to_string()))
}

pub(crate) fn texts(batch: &Batch) -> Vec<String> {
    let Batch::Logs(records) = batch else { panic!("not logs: {batch:?}") };
    records.iter().map(|log| log.message.to_string()).collect()
}

pub(crate) fn open(folder: &Path) -> DiskQueue {
    DiskQueue::open(config(folder)).unwrap()
}

pub(crate) fn config(folder: &Path) -> QueueConfig {
    QueueConfig::new(folder).with_retry_interval(Duration::from_millis(100))
}

/// A lane of logs whose wakes can be waited for.
pub(crate) struct Lane {
    pub(crate) queue: Box<dyn Queue>,
    pub(crate) woken: Receiver<()>,
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.queue.fmt(f)
    }
}

pub(crate) fn lane(log: &DiskQueue, name: &str) -> Lane {
    lane_at(log, name, &clock().0)
}

pub(crate) fn lane_at(log: &DiskQueue, name: &str, clock: &Clock) -> Lane {
    let (wake, woken) = channel();
    let wake = Arc::new(move || {
        wake.send(()).ok();
    });
    Lane { queue: log.lane(name, Signal::Logs, clock, wake), woken }
}

impl Lane {
    /// Takes a segment as a pipeline would.
    pub(crate) fn take(&mut self, position: u64, batch: Batch) {
        let bytes = batch.byte_size();
        self.queue.offer(Offer {
            batch,
            position: Some(position),
            selection: None,
            bytes,
            now: Duration::ZERO,
        });
    }

    /// Reads what must be read, keeping all of it.
    pub(crate) fn load(&mut self, limits: Limits) {
        while let Some(load) = self.queue.load(limits) {
            for row in load() {
                let batch = row.batch.unwrap();
                let done = batch.len() - row.count;
                let batch = batch.slice(done..batch.len());
                let bytes = batch.byte_size();
                self.queue.loaded(row.position, batch, bytes);
            }
        }
    }

    /// Delivers the next head, and waits until the next may leave.
    pub(crate) fn deliver(&mut self, limits: Limits) -> Vec<String> {
        self.load(limits);
        let Some(head) = self.queue.peek(limits) else { return Vec::new() };
        self.queue.commit(Batch::empty(Signal::Logs));
        self.settle();
        texts(&head)
    }

    pub(crate) fn settle(&self) {
        while !self.queue.is_ready() {
            self.woken.recv_timeout(PATIENCE).expect("disk knows how far the lane is");
        }
    }

    pub(crate) fn deliver_all(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            let some = self.deliver(Limits { items: 7, bytes: usize::MAX });
            if some.is_empty() {
                return all;
            }
            all.extend(some);
        }
    }
}

/// What a tool would read from the file.
pub(crate) fn number(folder: &Path, sql: &str) -> i64 {
    let file = rusqlite::Connection::open(folder.join("queue.db")).unwrap();
    file.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).unwrap().unwrap_or_default()
}
