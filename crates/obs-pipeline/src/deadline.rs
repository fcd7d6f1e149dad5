//! How long a caller of ours is prepared to wait.

use std::sync::{Condvar, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The moment by which a blocking call must return.
///
/// It is real time even where a test pauses the pipeline's clock: the promise is made to the host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// The moment so far from now; never, if that is beyond what the system can tell.
    #[expect(clippy::disallowed_methods, reason = "the promise to the host is in real time")]
    pub(crate) fn after(wait: Duration) -> Self {
        Self(Instant::now().checked_add(wait))
    }

    /// What is left until then.
    #[expect(clippy::disallowed_methods, reason = "the promise to the host is in real time")]
    pub(crate) fn left(self) -> Duration {
        self.0.map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now()))
    }

    /// Waits until `done` or the deadline; returns whether it is done.
    pub(crate) fn wait<T>(
        self,
        mut state: MutexGuard<'_, T>,
        changed: &Condvar,
        mut done: impl FnMut(&mut T) -> bool,
    ) -> bool {
        loop {
            if done(&mut state) {
                return true;
            }
            let left = self.left();
            if left.is_zero() {
                return false;
            }
            let left = left.min(Duration::from_hours(1));
            (state, _) = changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
