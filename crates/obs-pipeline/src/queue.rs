//! What waits for a destination.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::time::Duration;

use obs_core::{Batch, Limits, Signal};

/// A first-in, first-out queue of batches of one signal, with its head on the way to the backend.
///
/// Times are readings of [`crate::Clock::monotonic`].
/// The lane, which knows the budget of the whole destination, decides what has room; the queue only counts.
pub trait Queue: Debug + Send + 'static {
    /// Takes a batch at the end; `bytes` is what it keeps alive in memory, whole segments counted.
    fn offer(&mut self, batch: Batch, bytes: usize, now: Duration);

    /// The head, at most this large but at least one record; it stays until [`Queue::commit`].
    ///
    /// A second call before that returns the same records.
    fn peek(&mut self, limits: Limits) -> Option<Batch>;

    /// Settles what [`Queue::peek`] returned but for `left`, which is the head from now on.
    fn commit(&mut self, left: Batch);

    /// Gives up the oldest batch that is not on its way.
    fn drop_oldest(&mut self) -> Option<Batch>;

    /// Gives up one batch that came at `latest` or before, be it the head or not.
    ///
    /// Not to be called between [`Queue::peek`] and [`Queue::commit`].
    fn expire(&mut self, latest: Duration) -> Option<Batch>;

    /// Records that wait, those on their way included.
    fn items(&self) -> usize;

    /// Bytes that are kept alive, those on their way included.
    fn bytes(&self) -> usize;

    /// When the oldest record came.
    fn oldest(&self) -> Option<Duration>;

    /// Whether what was offered outlives the process.
    fn is_durable(&self) -> bool;
}

/// The queue in memory.
#[derive(Debug)]
pub struct MemoryQueue {
    signal: Signal,
    head: Option<Entry>,
    entries: VecDeque<Entry>,
    items: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    batch: Batch,
    bytes: usize,
    since: Duration,
}

impl MemoryQueue {
    /// An empty queue.
    pub fn new(signal: Signal) -> Self {
        Self { signal, head: None, entries: VecDeque::new(), items: 0, bytes: 0 }
    }

    fn forget(&mut self, entry: &Entry) {
        self.items -= entry.batch.len();
        self.bytes -= entry.bytes;
    }

    /// Cuts the next head off the front; segments are shared, never copied.
    fn cut(&mut self, limits: Limits) -> Option<Entry> {
        let since = self.entries.front()?.since;
        let mut head = Entry { batch: Batch::empty(self.signal), bytes: 0, since };
        let (mut items, mut room) = (limits.items.max(1), limits.bytes);
        while let Some(entry) = self.entries.front_mut() {
            let fits = if entry.bytes <= room {
                entry.batch.len().min(items)
            } else {
                how_many_fit(&entry.batch, items, room).max(usize::from(head.batch.is_empty()))
            };
            if fits == 0 {
                break;
            }
            if fits == entry.batch.len() {
                items -= fits;
                room = room.saturating_sub(entry.bytes);
                head.bytes += entry.bytes;
                let Some(entry) = self.entries.pop_front() else { break };
                join(&mut head.batch, entry.batch);
                if items == 0 {
                    break;
                }
            } else {
                join(&mut head.batch, entry.batch.slice(0..fits));
                entry.batch = entry.batch.slice(fits..entry.batch.len());
                break;
            }
        }
        Some(head)
    }
}

/// How many records from the front are within the limits.
fn how_many_fit(batch: &Batch, items: usize, mut room: usize) -> usize {
    (0..batch.len().min(items))
        .take_while(|at| {
            let bytes = batch.slice(*at..at + 1).byte_size();
            let fits = bytes <= room;
            room = room.saturating_sub(bytes);
            fits
        })
        .count()
}

/// Joins batches of one queue, which are of one signal.
fn join(batch: &mut Batch, more: Batch) {
    let joined = batch.append(more);
    debug_assert!(joined.is_ok(), "a queue holds one signal");
}

impl Queue for MemoryQueue {
    fn offer(&mut self, batch: Batch, bytes: usize, now: Duration) {
        if !batch.is_empty() {
            self.items += batch.len();
            self.bytes += bytes;
            self.entries.push_back(Entry { batch, bytes, since: now });
        }
    }

    fn peek(&mut self, limits: Limits) -> Option<Batch> {
        if self.head.is_none() {
            self.head = self.cut(limits);
        }
        self.head.as_ref().map(|head| head.batch.clone())
    }

    fn commit(&mut self, left: Batch) {
        if let Some(mut head) = self.head.take() {
            self.forget(&head);
            if !left.is_empty() {
                self.items += left.len();
                self.bytes += head.bytes;
                head.batch = left;
                self.head = Some(head);
            }
        }
    }

    fn drop_oldest(&mut self) -> Option<Batch> {
        let entry = self.entries.pop_front()?;
        self.forget(&entry);
        Some(entry.batch)
    }

    fn expire(&mut self, latest: Duration) -> Option<Batch> {
        let old = |entry: &Entry| entry.since <= latest;
        let entry = if self.head.as_ref().is_some_and(old) {
            self.head.take()
        } else {
            self.entries.pop_front_if(|entry| old(entry))
        }?;
        self.forget(&entry);
        Some(entry.batch)
    }

    fn items(&self) -> usize {
        self.items
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn oldest(&self) -> Option<Duration> {
        self.head.as_ref().or(self.entries.front()).map(|entry| entry.since)
    }

    fn is_durable(&self) -> bool {
        false
    }
}
