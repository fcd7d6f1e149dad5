//! The bound on the bytes that records may hold before they reach a lane.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that many threads reserve from, in portions.
#[derive(Debug)]
pub(crate) struct ByteBudget {
    used: AtomicUsize,
    limit: usize,
    portion: usize,
}

impl ByteBudget {
    pub(super) fn new(limit: usize) -> Self {
        Self { used: AtomicUsize::new(0), limit, portion: (64 << 10).min(limit / 64) }
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

    /// Counts bytes that are held whether there is room or not.
    pub(crate) fn hold(&self, bytes: usize) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
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
