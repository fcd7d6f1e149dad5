//! Tries again what did not pass.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{Either, select};
use obs_core::{Batch, Descriptor, Error, ErrorKind, Exporter, Health, Receipt, Retry as Advice};

use crate::jitter::Jitter;
use crate::{Clock, Haste, RetryConfig};

/// A decorator that tries the undelivered part of a batch again, with full jitter, until its time or number is spent.
///
/// - [`obs_core::Retry::After`] is a floor: the wait is the longer of it and the own delay.
/// - [`obs_core::Retry::Hold`] and [`obs_core::Retry::Never`] pass outward at once.
/// - A wait that would end beyond `max_elapsed` is not begun. The destination is held for `max_delay` then, or for what
///   the backend asked for where that is longer; a rate limit goes out as [`obs_core::Retry::After`] instead, since it may
///   concern one signal and must not hold the others.
/// - Once [`Haste`] has begun, there is one more attempt without a wait; what a backend asked for goes out as it is.
///
/// What settled adds up over the attempts and is never sent again; where all of it has, there is nothing to try again,
/// and transient trouble is no error.
/// Rejections and errors tell how often their records were tried.
#[derive(Debug)]
pub struct Retry<E> {
    inner: E,
    config: RetryConfig,
    clock: Clock,
    haste: Haste,
    jitter: Mutex<Jitter>,
}

impl<E: Exporter> Retry<E> {
    /// Tries calls into `inner` again, with waits on this clock.
    pub fn new(inner: E, config: RetryConfig, clock: Clock) -> Self {
        Self { inner, config, clock, haste: Haste::new(), jitter: Mutex::new(Jitter::new()) }
    }

    /// Ends waits when this begins.
    #[must_use]
    pub fn with_haste(mut self, haste: Haste) -> Self {
        self.haste = haste;
        self
    }
}

/// What the attempts at one batch have come to.
#[derive(Debug, Clone, Copy)]
struct Series {
    started: Duration,
    attempts: u32,
    /// Whether the last attempt was begun in haste.
    hasty: bool,
}

/// What follows a failed attempt.
#[derive(Debug)]
enum Next {
    /// Another one at `until`, not before `floor`.
    Wait { until: Duration, floor: Duration },
    /// The error goes out with this advice.
    Out(Advice),
}

impl<E> Retry<E> {
    fn next(&self, error: &Error, series: Series) -> Next {
        let floor = match error.retry() {
            advice @ (Advice::Never | Advice::Hold(_)) => return Next::Out(advice),
            advice @ Advice::After(_) if series.hasty => return Next::Out(advice),
            Advice::After(floor) => floor,
            Advice::Backoff => Duration::ZERO,
        };
        let chance = self.jitter.lock().unwrap_or_else(PoisonError::into_inner).chance();
        let wait = self.config.delay(series.attempts - 1, chance).max(floor);
        let now = self.clock.monotonic();
        let until = now.saturating_add(wait);
        let late = until > series.started.saturating_add(self.config.max_elapsed);
        let often = self.config.max_retries.is_some_and(|most| series.attempts > most);
        if !(series.hasty || late || often) {
            Next::Wait { until, floor: now.saturating_add(floor) }
        } else if error.kind() == ErrorKind::RateLimited {
            Next::Out(Advice::After(wait))
        } else {
            Next::Out(Advice::Hold(self.config.max_delay.max(floor)))
        }
    }

    /// Waits; what is left of the floor comes back where haste began before it.
    async fn wait(&self, until: Duration, floor: Duration) -> Option<Duration> {
        let sleep = std::pin::pin!(self.clock.sleep_until(until));
        let haste = std::pin::pin!(self.haste.begun());
        match select(sleep, haste).await {
            Either::Left(_) => None,
            Either::Right(_) => {
                Some(floor.saturating_sub(self.clock.monotonic())).filter(|left| !left.is_zero())
            }
        }
    }
}

/// A receipt of the last of so many attempts.
fn counted(mut receipt: Receipt, attempts: u32) -> Receipt {
    for rejection in &mut receipt.rejected {
        rejection.attempts = rejection.attempts.max(1).saturating_add(attempts - 1);
    }
    receipt
}

#[async_trait]
impl<E: Exporter> Exporter for Retry<E> {
    fn descriptor(&self) -> &Descriptor {
        self.inner.descriptor()
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        let (mut total, mut left) = (Receipt::default(), batch.clone());
        let mut series = Series { started: self.clock.monotonic(), attempts: 0, hasty: false };
        loop {
            series.attempts = series.attempts.saturating_add(1);
            series.hasty = self.haste.is_begun();
            let error = match self.inner.export(&left).await {
                Ok(receipt) => {
                    total.absorb(counted(receipt, series.attempts));
                    return Ok(total);
                }
                Err(error) => error,
            };
            let (settled, error) = error.take_settled();
            total.absorb(counted(settled, series.attempts));
            let tried = error.attempts().saturating_add(series.attempts - 1);
            let error = error.with_attempts(tried);
            if error.undelivered().is_empty() && matches!(error.retry(), Advice::Backoff | Advice::After(_)) {
                return Ok(total);
            }
            let advice = match self.next(&error, series) {
                Next::Out(advice) => advice,
                Next::Wait { until, floor } => {
                    let Some(asked) = self.wait(until, floor).await else {
                        left = error.undelivered().clone();
                        continue;
                    };
                    Advice::After(asked)
                }
            };
            return Err(error.with_retry(advice).with_settled(total));
        }
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
