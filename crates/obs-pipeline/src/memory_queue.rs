//! The queue in memory.

use std::collections::VecDeque;
use std::time::Duration;

use obs_core::{Batch, Limits, Signal};

use crate::queue::{Offer, Queue, Removed};

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

impl Entry {
    fn removed(self) -> Removed {
        Removed { count: self.batch.len(), batch: Some(self.batch) }
    }
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
                entry.batch.fitting(Limits { items, bytes: room }).max(usize::from(head.batch.is_empty()))
            };
            if fits == 0 {
                break;
            }
            if fits == entry.batch.len() {
                items -= fits;
                room = room.saturating_sub(entry.bytes);
                head.bytes += entry.bytes;
                let Some(entry) = self.entries.pop_front() else { break };
                head.batch.join(entry.batch);
                if items == 0 {
                    break;
                }
            } else {
                head.batch.join(entry.batch.slice(0..fits));
                entry.batch = entry.batch.slice(fits..entry.batch.len());
                break;
            }
        }
        Some(head)
    }
}

impl Queue for MemoryQueue {
    fn offer(&mut self, offer: Offer) {
        let Offer { batch, bytes, now, .. } = offer;
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

    fn drop_oldest(&mut self) -> Option<Removed> {
        let entry = self.entries.pop_front()?;
        self.forget(&entry);
        Some(entry.removed())
    }

    fn expire(&mut self, now: Duration, max_age: Duration) -> Option<Removed> {
        let old = |entry: &Entry| entry.since.saturating_add(max_age) <= now;
        let entry = if self.head.as_ref().is_some_and(old) {
            self.head.take()
        } else {
            self.entries.pop_front_if(|entry| old(entry))
        }?;
        self.forget(&entry);
        Some(entry.removed())
    }

    fn expires(&self, max_age: Duration) -> Option<Duration> {
        Some(self.oldest()?.saturating_add(max_age))
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
}
