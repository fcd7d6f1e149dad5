//! Gives an `export` up that takes too long.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{Either, select};
use obs_core::{
    Batch, DeadLetters, Descriptor, Error, ErrorKind, Exporter, Health, Receipt, Rejection, Retry,
};

use crate::Clock;

/// A decorator that gives an `export` or `flush` up after a time: a backstop behind the deadlines of single requests.
///
/// The records of an `export` that was given up are undelivered, though some may have arrived; ids make that harmless.
#[derive(Debug)]
pub struct Timeout<E> {
    inner: E,
    limit: Duration,
    clock: Clock,
}

impl<E: Exporter> Timeout<E> {
    /// Gives calls into `inner` up after `limit` on this clock.
    pub fn new(inner: E, limit: Duration, clock: Clock) -> Self {
        Self { inner, limit, clock }
    }

    /// Runs from the call, not from when it is first waited for.
    fn timer(&self) -> impl Future<Output = ()> {
        let at = self.clock.monotonic().saturating_add(self.limit);
        self.clock.sleep_until(at)
    }

    fn late(&self, what: &str) -> Error {
        let message = format!("{what} took longer than {:?}", self.limit);
        Error::without_records(ErrorKind::Timeout, message).with_retry(Retry::Backoff)
    }
}

#[async_trait]
impl<E: Exporter> Exporter for Timeout<E> {
    fn descriptor(&self) -> &Descriptor {
        self.inner.descriptor()
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        let timer = std::pin::pin!(self.timer());
        match select(self.inner.export(batch), timer).await {
            Either::Left((result, _)) => result,
            Either::Right(((), _)) => Err(self.late("the export").with_undelivered(batch.clone())),
        }
    }

    async fn check(&self) -> Health {
        let timer = std::pin::pin!(self.timer());
        match select(self.inner.check(), timer).await {
            Either::Left((health, _)) => health,
            Either::Right(((), _)) => Health::Unhealthy(self.late("the check").message().into()),
        }
    }

    async fn flush(&self) -> Result<(), Error> {
        let timer = std::pin::pin!(self.timer());
        match select(self.inner.flush(), timer).await {
            Either::Left((result, _)) => result,
            Either::Right(((), _)) => Err(self.late("the flush")),
        }
    }

    async fn shutdown(&self) -> Result<(), Error> {
        self.inner.shutdown().await
    }
}

/// Dead letters that are given up when they take too long, so that they cannot hold a destination up for good.
#[derive(Debug)]
pub(crate) struct TimedLetters {
    pub(crate) inner: Arc<dyn DeadLetters>,
    pub(crate) limit: Duration,
    pub(crate) clock: Clock,
}

#[async_trait]
impl DeadLetters for TimedLetters {
    async fn put(&self, destination: &str, rejection: &Rejection) -> Result<(), Error> {
        let at = self.clock.monotonic().saturating_add(self.limit);
        let timer = std::pin::pin!(self.clock.sleep_until(at));
        match select(self.inner.put(destination, rejection), timer).await {
            Either::Left((result, _)) => result,
            Either::Right(((), _)) => {
                let message = format!("the dead letters took longer than {:?}", self.limit);
                Err(Error::without_records(ErrorKind::Timeout, message))
            }
        }
    }
}
