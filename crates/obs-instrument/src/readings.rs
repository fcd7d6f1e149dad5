//! The traces that are being read for what is said of them.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use obs_core::{Error, TraceId};
use obs_pipeline::{Aside, Clock, Pace};

use crate::reading::{Begun, Known, Reading, Wanted};

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
    /// Those of a trace: one, unless it is looked for in several places or at different times.
    under_way: HashMap<TraceId, Vec<(Wanted, Weak<Reading>)>>,
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
        let readings = readings.values().flatten().filter_map(|(_, reading)| reading.upgrade());
        readings.for_each(|reading| reading.finish(Known::default()));
        self.aside.clear();
    }

    /// Notes one that begins, and that so many bytes wait with it, unless the same trace is being read.
    pub(crate) fn begin(&self, wanted: &Wanted, reading: &Arc<Reading>, bytes: usize) -> Begun {
        let mut state = self.state();
        if state.given_up {
            return Begun::Over;
        }
        let known = state.under_way.get(&wanted.trace_id).into_iter().flatten();
        let same = known.filter(|(other, _)| other == wanted).find_map(|(_, reading)| reading.upgrade());
        if let Some(other) = same {
            return Begun::Joined(other);
        }
        if !self.admit(bytes) {
            return Begun::Full;
        }
        let of_trace = state.under_way.entry(wanted.trace_id).or_default();
        of_trace.push((wanted.clone(), Arc::downgrade(reading)));
        Begun::Now
    }

    /// Forgets one that is done.
    pub(crate) fn end(&self, wanted: &Wanted, reading: &Arc<Reading>) {
        let mut state = self.state();
        let Some(of_trace) = state.under_way.get_mut(&wanted.trace_id) else { return };
        let at = of_trace.iter().position(|(_, other)| other.as_ptr() == Arc::as_ptr(reading));
        let ended = at.map(|at| of_trace.swap_remove(at));
        if of_trace.is_empty() {
            state.under_way.remove(&wanted.trace_id);
        }
        drop(state);
        // Its reader may be the last of its kind, whose end is not to be waited for here.
        drop(ended);
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
