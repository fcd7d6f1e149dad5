//! Wakes the collector.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;
use std::time::Duration;

/// How producers wake the collector: at most one system call each time it fell asleep.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    asleep: AtomicBool,
    collector: OnceLock<Thread>,
}

impl Bell {
    /// This thread is the one to wake.
    pub(crate) fn answer(&self) {
        let _ = self.collector.set(std::thread::current());
    }

    /// Wakes the collector, also out of a doze.
    pub(crate) fn ring(&self) {
        self.asleep.store(false, Ordering::Release);
        if let Some(collector) = self.collector.get() {
            collector.unpark();
        }
    }

    /// Wakes the collector if it said that it sleeps.
    #[inline]
    pub(super) fn ring_if_asleep(&self) {
        if self.asleep.load(Ordering::Relaxed) && self.asleep.swap(false, Ordering::AcqRel) {
            self.ring();
        }
    }

    /// Waits for a ring, whatever is recorded meanwhile.
    #[expect(clippy::unused_self, reason = "the bell is what ends the doze")]
    pub(crate) fn doze(&self, at_most: Duration) {
        std::thread::park_timeout(at_most);
    }

    /// Sleeps until the first record or a ring; `idle` is asked once producers know of the sleep.
    pub(crate) fn sleep(&self, at_most: Duration, idle: impl FnOnce() -> bool) {
        self.asleep.store(true, Ordering::Release);
        if idle() {
            std::thread::park_timeout(at_most);
        }
        self.asleep.store(false, Ordering::Release);
    }
}
