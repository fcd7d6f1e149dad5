//! Leaves a destination alone that is out.

mod machine;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use obs_core::{Batch, Descriptor, Error, ErrorKind, Exporter, Health, Receipt, Retry};
use serde::Serialize;

use self::machine::{Machine, State, Ticket, Verdict};
use crate::{BreakerConfig, Clock, Haste};

/// A decorator that leaves a destination alone for a while after a number of failures in a row.
///
/// It counts attempts, so it stands below [`crate::Retry`].
///
/// - A **failure** is an error of kind [`ErrorKind::Unavailable`], [`ErrorKind::Timeout`] or [`ErrorKind::Io`] with which
///   nothing was delivered.
/// - A **hold** opens it at once and for as long as it says: an error with [`Retry::Hold`] means that the destination as a
///   whole is out, whatever became of its records elsewhere.
/// - A **sign of life** ends the row, and counts as a call that passed while the breaker is half open: a delivery, also a
///   partial one, or any other answer to a request, which is a rejection, a content too large or a rate limit.
/// - **Nothing** says whatever comes about on this side: a record that cannot be encoded, a panic, a signal that is not
///   taken, a wrong configuration, a closed exporter, a cancelled call.
///
/// While it is open, records come back at once with [`Retry::Hold`] for the time left, as [`ErrorKind::Auth`] where
/// refused credentials opened it, else as [`ErrorKind::Unavailable`].
/// While it is half open, calls pass one after the other, and those that come meanwhile are held for a second at most.
/// A `check` and an empty batch always pass and count as nothing.
#[derive(Debug)]
pub struct Breaker<E> {
    inner: E,
    shared: Arc<Shared>,
    haste: Haste,
}

/// Where a [`Breaker`] stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// Calls pass.
    Closed,
    /// No call passes before the breaker's [`Clock::monotonic`] reads this.
    Open {
        /// The time on that clock; in seconds where it is written out.
        #[serde(serialize_with = "crate::stats::seconds")]
        until: Duration,
    },
    /// Single calls find out.
    HalfOpen,
}

/// Tells where a [`Breaker`] stands; cloning shares it.
#[derive(Debug, Clone)]
pub struct BreakerHandle(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    clock: Clock,
    state: Mutex<Watched>,
}

#[derive(Debug)]
struct Watched {
    machine: Machine,
    /// What the last failure said, and what kind of error it is to those who are not let through.
    last: Box<str>,
    kind: ErrorKind,
}

impl<E: Exporter> Breaker<E> {
    /// Stands before `inner`; counts below one in the configuration are one.
    pub fn new(inner: E, config: BreakerConfig, clock: Clock) -> Self {
        let (threshold, calls) = (config.failure_threshold.max(1), config.half_open_max_calls.max(1));
        let config = BreakerConfig { failure_threshold: threshold, half_open_max_calls: calls, ..config };
        let state = Mutex::new(Watched {
            machine: Machine::new(config),
            last: Box::default(),
            kind: ErrorKind::Unavailable,
        });
        Self { inner, shared: Arc::new(Shared { clock, state }), haste: Haste::new() }
    }

    /// Lets every call through once there is no time left to wait.
    #[must_use]
    pub fn with_haste(mut self, haste: Haste) -> Self {
        self.haste = haste;
        self
    }

    /// A handle for health and metrics.
    pub fn handle(&self) -> BreakerHandle {
        BreakerHandle(Arc::clone(&self.shared))
    }
}

impl BreakerHandle {
    /// Where it stands now. Once the time of an open breaker is over it is half open, also before the next call.
    pub fn state(&self) -> BreakerState {
        let now = self.0.clock.monotonic();
        match self.0.state().machine.state() {
            State::Closed => BreakerState::Closed,
            State::Open { until } if now < until => BreakerState::Open { until },
            State::Open { .. } | State::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, Watched> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admit(&self, batch: &Batch, haste: &Haste) -> Result<Call<'_>, Error> {
        let mut state = self.state();
        let admitted = if haste.is_begun() {
            // The end is near: whoever has records tries once more, for the destination may be back.
            Ok(state.machine.ticket())
        } else {
            state.machine.admit(self.clock.monotonic())
        };
        let wait = match admitted {
            Ok(ticket) => return Ok(Call { shared: self, ticket, verdict: Verdict::Unknown, said: None }),
            Err(wait) => wait,
        };
        let rest = Duration::from_secs(wait.as_secs_f64().ceil() as u64);
        let message = match (state.machine.state(), state.machine.failures()) {
            (State::HalfOpen { .. }, _) => {
                "another call finds out whether the destination is back".to_owned()
            }
            (_, 1) => format!("left alone for {rest:?} after a failure: {}", state.last),
            (_, failures) => {
                format!(
                    "left alone for {rest:?} after {failures} failures in a row, the last one: {}",
                    state.last
                )
            }
        };
        Err(Error::new(state.kind, Retry::Hold(wait), message, batch.clone()))
    }
}

/// A call on its way; dropped without a result, it was cancelled and says nothing.
struct Call<'a> {
    shared: &'a Shared,
    ticket: Ticket,
    verdict: Verdict,
    said: Option<(ErrorKind, Box<str>)>,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        let now = self.shared.clock.monotonic();
        let mut state = self.shared.state();
        if state.machine.settle(self.ticket, self.verdict, now)
            && let Some(said) = self.said.take()
        {
            (state.kind, state.last) = said;
        }
    }
}

/// Whether only a backend can say this.
const fn is_answer(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Rejected | ErrorKind::TooLarge | ErrorKind::RateLimited)
}

fn shows_life(receipt: &Receipt) -> bool {
    receipt.delivered + receipt.queued > 0
        || receipt.rejected.iter().any(|rejection| is_answer(rejection.kind))
}

fn verdict(result: &Result<Receipt, Error>) -> Verdict {
    let error = match result {
        Ok(receipt) if shows_life(receipt) => return Verdict::Alive,
        Ok(_) => return Verdict::Unknown,
        Err(error) => error,
    };
    if let Retry::Hold(wait) = error.retry() {
        return Verdict::Held(wait);
    }
    if shows_life(error.settled()) || is_answer(error.kind()) {
        return Verdict::Alive;
    }
    match error.kind() {
        ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Io => Verdict::Out,
        _ => Verdict::Unknown,
    }
}

#[async_trait]
impl<E: Exporter> Exporter for Breaker<E> {
    fn descriptor(&self) -> &Descriptor {
        self.inner.descriptor()
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        if batch.is_empty() {
            return self.inner.export(batch).await;
        }
        let mut call = self.shared.admit(batch, &self.haste)?;
        let result = self.inner.export(batch).await;
        call.verdict = verdict(&result);
        call.said = match (call.verdict, &result) {
            (Verdict::Out, Err(error)) => Some((ErrorKind::Unavailable, error.message().into())),
            (Verdict::Held(_), Err(error)) => {
                // A fallback may not take what waits for credentials, so that much of the kind is kept.
                let refused = error.kind() == ErrorKind::Auth;
                let kind = if refused { ErrorKind::Auth } else { ErrorKind::Unavailable };
                Some((kind, error.message().into()))
            }
            _ => None,
        };
        result
    }

    async fn check(&self) -> Health {
        self.inner.check().await
    }

    async fn flush(&self) -> Result<(), Error> {
        self.inner.flush().await
    }

    async fn shutdown(&self) -> Result<(), Error> {
        self.inner.shutdown().await
    }
}
