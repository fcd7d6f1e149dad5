//! What the proxy's thread and its owner both see.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Fault;

/// What went through a [`FaultProxy`](super::FaultProxy) so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Connections that were accepted; one that was refused is not seen.
    pub connections: usize,
    /// Those of them that are open now.
    pub open: usize,
    /// Bytes that were read from clients; over TLS, those inside.
    pub received: u64,
    /// Bytes that were written to clients; over TLS, those inside.
    pub sent: u64,
}

#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    script: VecDeque<Fault>,
    then: Fault,
    traffic: Traffic,
}

impl Shared {
    pub(super) fn new(script: impl IntoIterator<Item = Fault>) -> Arc<Self> {
        let script = script.into_iter().collect();
        let state = State { script, then: Fault::None, traffic: Traffic::default() };
        Arc::new(Self { state: Mutex::new(state), changed: Condvar::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, fault: Fault) {
        self.state().script.push_back(fault);
    }

    pub(super) fn set_then(&self, fault: Fault) {
        self.state().then = fault;
    }

    pub(super) fn set_only(&self, fault: Fault) {
        let mut state = self.state();
        state.script.clear();
        state.then = fault;
    }

    /// Whether the next connection is to be refused.
    pub(super) fn refuses(&self) -> bool {
        let state = self.state();
        *state.script.front().unwrap_or(&state.then) == Fault::RefuseConnections
    }

    /// What the connection just accepted meets. Refusing is a matter of the listener and stays in the script.
    pub(super) fn next(&self) -> Fault {
        let mut state = self.state();
        match state.script.front() {
            Some(Fault::RefuseConnections) => Fault::RefuseConnections,
            Some(_) => state.script.pop_front().unwrap_or(Fault::None),
            None => state.then,
        }
    }

    pub(super) fn traffic(&self) -> Traffic {
        self.state().traffic
    }

    /// Waits until the counts are as wanted, at most so long.
    pub(super) fn wait_until(&self, within: Duration, wanted: impl Fn(Traffic) -> bool) -> bool {
        let unlike = |state: &mut State| !wanted(state.traffic);
        let waited = self.changed.wait_timeout_while(self.state(), within, unlike);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    fn count(&self, change: impl FnOnce(&mut Traffic)) {
        change(&mut self.state().traffic);
        self.changed.notify_all();
    }

    pub(super) fn received(&self, bytes: usize) {
        self.count(|traffic| traffic.received += bytes as u64);
    }

    pub(super) fn sent(&self, bytes: usize) {
        self.count(|traffic| traffic.sent += bytes as u64);
    }

    /// Counts a connection, as open until what is returned is dropped.
    pub(super) fn opened(self: &Arc<Self>) -> Open {
        self.count(|traffic| {
            traffic.connections += 1;
            traffic.open += 1;
        });
        Open(Arc::clone(self))
    }
}

/// A connection that is counted as open.
#[derive(Debug)]
pub(super) struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.count(|traffic| traffic.open -= 1);
    }
}
