//! What the host's threads ask of the collector.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::deadline::Deadline;

/// Requests by number, and what became of them.
#[derive(Debug, Default)]
pub(crate) struct Control {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    wanted: u64,
    done: u64,
    closing: bool,
    closed: bool,
}

/// What is asked for at the moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    pub(super) ticket: u64,
    pub(super) close: bool,
}

impl Control {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for everything recorded so far to be offered to the lanes, for the last time with `close`.
    pub(crate) fn ask(&self, close: bool) -> u64 {
        let mut state = self.state();
        state.wanted += 1;
        state.closing |= close;
        state.wanted
    }

    /// Waits until that is done.
    pub(crate) fn answered(&self, ticket: u64, deadline: Deadline) -> bool {
        deadline.wait(self.state(), &self.changed, |state| state.done >= ticket || state.closed)
    }

    /// What is asked for now.
    pub(super) fn request(&self) -> Request {
        let state = self.state();
        Request { ticket: state.wanted, close: state.closing }
    }

    /// Whether something was asked for that is not done.
    pub(super) fn is_asked(&self) -> bool {
        let state = self.state();
        state.wanted > state.done
    }

    /// A request is done.
    pub(super) fn answer(&self, request: Request) {
        let mut state = self.state();
        state.done = state.done.max(request.ticket);
        state.closed |= request.close;
        drop(state);
        self.changed.notify_all();
    }
}
