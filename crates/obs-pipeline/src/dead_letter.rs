//! Keeps what a destination rejects.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::FutureExt;
use obs_core::{
    Batch, DeadLetters, Descriptor, Diverted, Error, ErrorKind, Exporter, Health, Receipt, Rejection, Retry,
};

use crate::guard;

/// A decorator that puts what its destination rejects with the dead letters.
///
/// - A rejection with records is put there, and its records count as [`Receipt::dead_lettered`] then. What a fallback
///   rejected is put under the fallback's name.
/// - A rejection without records is put there as a note, but still counts as rejected, since no record was kept.
/// - What the dead letters do not take stays rejected, with their trouble added to its reason, and is told once more on
///   `obs::delivery`.
/// - An error that says [`Retry::Never`] is a rejection of all that is left, and so no error. Two pass as they are, since
///   they concern the exporter and not the records: [`ErrorKind::Closed`] and [`ErrorKind::Unsupported`].
/// - Any other error passes, for transient trouble dead-letters nothing; what had settled with it is treated as above.
///
/// An `export` that is dropped meanwhile may leave records with the dead letters that are delivered later.
#[derive(Debug)]
pub struct DeadLetter<E> {
    inner: E,
    destination: Box<str>,
    dead_letters: Arc<dyn DeadLetters>,
}

impl<E: Exporter> DeadLetter<E> {
    /// Keeps what `inner`, the destination of this name, rejects.
    pub fn new(inner: E, destination: impl Into<Box<str>>, dead_letters: Arc<dyn DeadLetters>) -> Self {
        Self { inner, destination: destination.into(), dead_letters }
    }

    /// Puts every rejection of a receipt, and of those inside it, with the dead letters.
    async fn keep(&self, mut receipt: Receipt) -> Receipt {
        let mut open = vec![(&*self.destination, &mut receipt)];
        while let Some((destination, receipt)) = open.pop() {
            let Receipt { diverted, dead_lettered, rejected, .. } = receipt;
            for rejection in std::mem::take(rejected) {
                match self.put(destination, rejection).await {
                    Ok(kept) => *dead_lettered += kept,
                    Err(rejection) => rejected.push(rejection),
                }
            }
            open.extend(diverted.iter_mut().map(|Diverted { to, receipt }| (&**to, receipt)));
        }
        receipt
    }

    /// Says how many records the dead letters hold, or gives back what still counts as rejected.
    async fn put(&self, destination: &str, mut rejection: Rejection) -> Result<usize, Rejection> {
        let Rejection { count, kind, .. } = rejection;
        if count == 0 {
            return Ok(0);
        }
        let put = async { self.dead_letters.put(destination, &rejection).await };
        let trouble = match AssertUnwindSafe(put).catch_unwind().await {
            Ok(Ok(())) if rejection.records.is_some() => return Ok(count),
            Ok(Ok(())) => return Err(rejection),
            Ok(Err(error)) => error.to_string(),
            Err(panic) => format!("they panicked: {}", guard::message(&*panic)),
        };
        tracing::warn!(target: "obs::delivery", destination, %kind, count, "the dead letters did not take what was rejected: {trouble}");
        rejection.reason = format!("{}; not with the dead letters: {trouble}", rejection.reason).into();
        Err(rejection)
    }
}

/// Whether the error gives records up.
fn gives_up(error: &Error) -> bool {
    error.retry() == Retry::Never && !matches!(error.kind(), ErrorKind::Closed | ErrorKind::Unsupported)
}

#[async_trait]
impl<E: Exporter> Exporter for DeadLetter<E> {
    fn descriptor(&self) -> &Descriptor {
        self.inner.descriptor()
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        let error = match self.inner.export(batch).await {
            Ok(receipt) => return Ok(self.keep(receipt).await),
            Err(error) if gives_up(&error) => {
                let attempts = error.attempts();
                return Ok(self.keep(error.into_rejection(attempts)).await);
            }
            Err(error) => error,
        };
        let (settled, error) = error.take_settled();
        Err(error.with_settled(self.keep(settled).await))
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
