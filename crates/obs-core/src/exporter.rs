//! The trait that every destination implements.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{Batch, Descriptor, Error, ErrorKind, Failure, Receipt, Signal};

/// A destination for records, or a decorator that holds one.
///
/// - **Conservation.** After every `export`, what the receipt settles (the error's, in case of one) and what the error
///   leaves undelivered is exactly the batch.
/// - **Cancel-safe.** Any future may be dropped at any await; the exporter stays usable, and the records of an `export`
///   that was dropped count as undelivered, whether they arrived or not.
/// - **Shared.** Calls may overlap; the exporter orders them itself where its backend needs that.
/// - **No provided methods**, so that a decorator that forgets one does not compile.
#[async_trait]
pub trait Exporter: Debug + Send + Sync + 'static {
    /// What this instance is and takes; the same at every call.
    fn descriptor(&self) -> &Descriptor;

    /// Delivers a batch of one signal.
    ///
    /// An empty batch is delivered without a request.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unsupported`] for a signal that the descriptor does not have,
    /// [`crate::ErrorKind::Closed`] after `shutdown`, else what the backend or the way to it reports.
    async fn export(&self, batch: &Batch) -> Result<Receipt, Error>;

    /// Asks the backend whether it would take data now; costs a request.
    async fn check(&self) -> Health;

    /// Returns once all that earlier `export`s took over is where it belongs.
    async fn flush(&self) -> Result<(), Error>;

    /// Flushes and gives resources back; afterwards `export` is [`crate::ErrorKind::Closed`].
    ///
    /// A second call does nothing.
    async fn shutdown(&self) -> Result<(), Error>;
}

#[async_trait]
impl<T: Exporter + ?Sized> Exporter for Arc<T> {
    fn descriptor(&self) -> &Descriptor {
        (**self).descriptor()
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        (**self).export(batch).await
    }

    async fn check(&self) -> Health {
        (**self).check().await
    }

    async fn flush(&self) -> Result<(), Error> {
        (**self).flush().await
    }

    async fn shutdown(&self) -> Result<(), Error> {
        (**self).shutdown().await
    }
}

/// Conveniences over [`Exporter`].
pub trait ExporterExt: Exporter {
    /// Whether the signal is taken.
    fn takes(&self, signal: Signal) -> bool {
        self.descriptor().support(signal).is_some()
    }
}

impl<T: Exporter + ?Sized> ExporterExt for T {}

/// How a destination is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It takes data.
    Healthy,
    /// It takes data, but not as it should; why and what to do.
    Degraded(Box<str>),
    /// It takes no data; why and what to do.
    Unhealthy(Box<str>),
}

impl Health {
    /// What a request that asked the backend came to: a rate limit is a destination that still takes data, in its time.
    pub fn of<T>(outcome: Result<T, Failure>) -> Self {
        match outcome {
            Ok(_) => Self::Healthy,
            Err(failure) if failure.kind == ErrorKind::RateLimited => Self::Degraded(failure.message),
            Err(failure) => Self::Unhealthy(failure.message),
        }
    }
}

fn _object_safe(_: &dyn Exporter) {}
