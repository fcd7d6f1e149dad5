//! Gives others what a destination that is out cannot take.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::{join, join_all};
use obs_core::{
    Batch, Descriptor, Diverted, Error, ErrorKind, Exporter, ExporterExt, Health, Receipt, Retry,
};

/// A decorator that gives what its destination cannot take, because it is out, to others in turn.
///
/// It acts on [`Retry::Hold`] alone, and where the credentials are refused only when asked to: a wrong key is repaired by
/// people, and the records belong there. Whatever passes by itself, or never will, is no matter for others.
///
/// What an alternative settles is told as [`Receipt::diverted`] under its name, rejections included; what it leaves goes
/// to the next one. What none takes stays undelivered, with the error of the destination itself.
/// Alternatives that do not take the signal are passed over.
///
/// It is, takes and checks what its destination is, takes and checks. `flush` and `shutdown` reach all of them.
#[derive(Debug)]
pub struct Fallback<E> {
    inner: E,
    alternatives: Vec<(Box<str>, Arc<dyn Exporter>)>,
    on_auth: bool,
}

impl<E: Exporter> Fallback<E> {
    /// Before `inner`, with these named alternatives in this order, also for refused credentials with `on_auth`.
    pub fn new(inner: E, alternatives: Vec<(Box<str>, Arc<dyn Exporter>)>, on_auth: bool) -> Self {
        Self { inner, alternatives, on_auth }
    }

    fn diverts(&self, error: &Error) -> bool {
        let out = matches!(error.retry(), Retry::Hold(_));
        out && (self.on_auth || error.kind() != ErrorKind::Auth) && !error.undelivered().is_empty()
    }
}

/// Adds what settled elsewhere, if anything did.
fn divert(total: &mut Receipt, to: &str, receipt: Receipt) {
    if receipt.settled() > 0 {
        total.diverted.push(Diverted { to: to.into(), receipt });
    }
}

#[async_trait]
impl<E: Exporter> Exporter for Fallback<E> {
    fn descriptor(&self) -> &Descriptor {
        self.inner.descriptor()
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        let error = match self.inner.export(batch).await {
            Err(error) if self.diverts(&error) => error,
            result => return result,
        };
        let (mut total, error) = error.take_settled();
        let (mut left, mut failures) = (error.undelivered().clone(), Vec::new());
        for (name, alternative) in &self.alternatives {
            if !alternative.takes(batch.signal()) {
                continue;
            }
            match alternative.export(&left).await {
                Ok(receipt) => {
                    divert(&mut total, name, receipt);
                    return Ok(total);
                }
                Err(failure) => {
                    let (settled, failure) = failure.take_settled();
                    divert(&mut total, name, settled);
                    left = failure.undelivered().clone();
                    failures.push(format!("{name}: {failure}"));
                }
            }
            if left.is_empty() {
                return Ok(total);
            }
        }
        let error = if failures.is_empty() {
            error
        } else {
            let message = format!("{error}; its fallbacks failed as well ({})", failures.join("; "));
            error.with_message(message)
        };
        Err(error.with_undelivered(left).with_settled(total))
    }

    async fn check(&self) -> Health {
        self.inner.check().await
    }

    async fn flush(&self) -> Result<(), Error> {
        let others = join_all(self.alternatives.iter().map(|(_, alternative)| alternative.flush()));
        let (own, others) = join(self.inner.flush(), others).await;
        others.into_iter().fold(own, Result::and)
    }

    async fn shutdown(&self) -> Result<(), Error> {
        let others = join_all(self.alternatives.iter().map(|(_, alternative)| alternative.shutdown()));
        let (own, others) = join(self.inner.shutdown(), others).await;
        others.into_iter().fold(own, Result::and)
    }
}
