//! The traces that are being read for what is said of them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use obs_core::Error;
use obs_pipeline::{Aside, Clock, Pace};

use crate::reading::{Known, Reading};

/// How many bytes of judgements wait for their traces at most, in an instance; further ones go out at once, without what
/// would be read.
const CAPACITY: usize = 16 << 20;

/// The readings of an instance that are under way, on a thread of their own.
pub(crate) struct Readings {
    aside: Aside,
    /// How many bytes wait.
    waiting: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u64,
    under_way: BTreeMap<u64, Weak<Reading>>,
    /// Whether the instance was shut down: nothing is waited for then.
    given_up: bool,
}

impl Readings {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { aside: Aside::new(clock), waiting: AtomicUsize::new(0), state: Mutex::default() }
    }

    /// Makes room for so many bytes that wait, if there is any.
    pub(crate) fn admit(&self, bytes: usize) -> bool {
        let before = self.waiting.fetch_add(bytes, Ordering::Relaxed);
        let fits = before.saturating_add(bytes) <= CAPACITY;
        if !fits {
            self.release(bytes);
        }
        fits
    }

    /// So many bytes wait no more.
    pub(crate) fn release(&self, bytes: usize) {
        self.waiting.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Whether none is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.aside.is_idle()
    }

    /// Waits until all are done, and has them make haste when half of the time is over; `false` if some are not done.
    pub(crate) fn settle(&self, deadline: Duration) -> bool {
        self.aside.settle(deadline)
    }

    /// Ends all of them, and those that would begin later: what waits for them goes out with what is known.
    pub(crate) fn give_up(&self) {
        let mut state = self.state();
        state.given_up = true;
        let readings = std::mem::take(&mut state.under_way);
        drop(state);
        readings.values().filter_map(Weak::upgrade).for_each(|reading| reading.finish(Known::default()));
        self.aside.clear();
    }

    /// Notes one that begins, and gives its number; none if it is not to begin any more.
    pub(crate) fn begin(&self, reading: &Arc<Reading>) -> Option<u64> {
        let mut state = self.state();
        if state.given_up {
            return None;
        }
        let number = state.next;
        state.next += 1;
        state.under_way.insert(number, Arc::downgrade(reading));
        Some(number)
    }

    /// Forgets one that is done.
    pub(crate) fn end(&self, number: u64) {
        self.state().under_way.remove(&number);
    }

    /// Does the work of one.
    ///
    /// # Errors
    /// `Io` where the system refuses the thread.
    pub(crate) fn spawn<F>(&self, work: impl FnOnce(Pace) -> F) -> Result<(), Error>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.aside.spawn(work)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Readings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readings").field("aside", &self.aside).finish_non_exhaustive()
    }
}
