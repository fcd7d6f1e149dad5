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
    /// Whether a processor held records back although somebody waited for them.
    held_back: bool,
}

/// What is asked for at the moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    pub(super) ticket: u64,
    pub(super) close: bool,
    /// Whether somebody waits for it.
    pub(super) flush: bool,
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
        Request { ticket: state.wanted, close: state.closing, flush: state.wanted > state.done }
    }

    /// Whether something was asked for that is not done.
    pub(super) fn is_asked(&self) -> bool {
        let state = self.state();
        state.wanted > state.done
    }

    /// Whether the last request was done to the full: no processor held records back.
    pub(crate) fn is_settled(&self) -> bool {
        !self.state().held_back
    }

    /// A request is done; `held_back` says that processors still hold records.
    pub(super) fn answer(&self, request: Request, held_back: bool) {
        let mut state = self.state();
        if request.flush {
            state.held_back = held_back;
        }
        state.done = state.done.max(request.ticket);
        state.closed |= request.close;
        drop(state);
        self.changed.notify_all();
    }
}
