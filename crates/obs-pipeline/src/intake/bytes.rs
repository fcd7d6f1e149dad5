//! The bound on the bytes that records may hold before they reach a lane.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that many threads reserve from, in portions.
#[derive(Debug)]
pub(crate) struct ByteBudget {
    used: AtomicUsize,
    /// The part of it that waits before lanes without room.
    held: AtomicUsize,
    limit: usize,
    portion: usize,
}

impl ByteBudget {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            used: AtomicUsize::new(0),
            held: AtomicUsize::new(0),
            limit,
            portion: (64 << 10).min(limit / 64),
        }
    }

    /// Reserves at least `needed`, a portion if there is room; zero if there is none even for what is needed.
    pub(super) fn reserve(&self, needed: usize) -> usize {
        [self.portion.max(needed), needed]
            .into_iter()
            .find(|bytes| {
                self.used
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                        used.checked_add(*bytes).filter(|used| *used <= self.limit)
                    })
                    .is_ok()
            })
            .unwrap_or(0)
    }

    /// Takes bytes for what waits before a lane without room; `false` where half of all bytes waits so, since the other
    /// half is for records that have lanes with room.
    pub(crate) fn hold(&self, bytes: usize) -> bool {
        let more = |held: usize| held.checked_add(bytes).filter(|held| *held <= self.limit / 2);
        let held = self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok();
        if held {
            self.used.fetch_add(bytes, Ordering::Relaxed);
        }
        held
    }

    /// Gives bytes back that were held.
    pub(crate) fn let_go(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
        self.release(bytes);
    }

    /// Gives bytes back.
    pub(crate) fn release(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Whether more than half is used, so that the collector should hurry.
    pub(super) fn is_tight(&self) -> bool {
        self.used.load(Ordering::Relaxed) > self.limit / 2
    }

    /// The bytes that are held now.
    #[cfg(test)]
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }
}
