//! An exporter of the SDK, and what is known of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use obs_core::{Error, ErrorKind, Failure, Health, Reply, Retry};
use opentelemetry::Context;
use opentelemetry::context::FutureExt;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use tokio::sync::MutexGuard;

/// What `OTelSdkError::InternalFailure` means, which says nothing but a text that is not to be read by programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Failures {
    /// The backend is out: [`ErrorKind::Unavailable`], to be tried again until the records are too old.
    ///
    /// The default, because an outage is the commoner cause and loses nothing this way; a batch that the backend will never take holds up its lane meanwhile.
    #[default]
    Transient,
    /// The batch is refused for its content: [`ErrorKind::Rejected`], so that the lane halves it until what is refused stands alone, and the rest is delivered.
    ///
    /// An outage rejects records then.
    Permanent,
}

/// An exporter and the resource that it was given last.
#[derive(Debug)]
pub(super) struct Set<E> {
    pub(super) exporter: E,
    resource: Option<Resource>,
}

impl<E> Set<E> {
    /// Sets the resource, unless it is the one that is set.
    pub(super) fn set(&mut self, resource: Resource, set: impl FnOnce(&mut E, &Resource)) {
        if self.resource.as_ref() != Some(&resource) {
            set(&mut self.exporter, &resource);
            self.resource = Some(resource);
        }
    }
}

/// What both adapters hold.
#[derive(Debug)]
pub(super) struct Held<E> {
    set: tokio::sync::Mutex<Set<E>>,
    failures: Failures,
    closed: AtomicBool,
    /// What the last export said, if it failed.
    trouble: Mutex<Option<Box<str>>>,
}

impl<E> Held<E> {
    pub(super) fn new(exporter: E) -> Self {
        Self {
            set: tokio::sync::Mutex::new(Set { exporter, resource: None }),
            failures: Failures::default(),
            closed: AtomicBool::new(false),
            trouble: Mutex::new(None),
        }
    }

    pub(super) fn with_failures(self, failures: Failures) -> Self {
        Self { failures, ..self }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// The exporter, for one call at a time, as the SDK promises.
    pub(super) async fn lock(&self) -> MutexGuard<'_, Set<E>> {
        self.set.lock().await
    }

    /// Makes an export, in whose context the SDK records nothing, and says what it came to.
    pub(super) async fn exported(
        &self,
        export: impl Future<Output = OTelSdkResult>,
    ) -> Result<Reply, Failure> {
        let suppressed = Context::current().with_telemetry_suppressed();
        let result = export.with_context(suppressed).await;
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        *trouble = result.as_ref().err().map(|error| error.to_string().into());
        result.map(|()| Reply::default()).map_err(|error| failure(self.failures, &error))
    }

    pub(super) fn health(&self) -> Health {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match &*trouble {
            _ if self.is_closed() => Health::Unhealthy("shut down; make a new exporter".into()),
            Some(trouble) => Health::Unhealthy(format!("the last export failed: {trouble}").into()),
            None => Health::Healthy,
        }
    }

    /// Shuts the exporter down, once.
    pub(super) async fn shut_down(&self, shutdown: impl FnOnce(&E) -> OTelSdkResult) -> Result<(), Error> {
        if self.closed.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        done(shutdown(&self.lock().await.exporter))
    }
}

/// What a flush or a shutdown came to.
pub(super) fn done(result: OTelSdkResult) -> Result<(), Error> {
    match result {
        Ok(()) | Err(OTelSdkError::AlreadyShutdown) => Ok(()),
        Err(error) => {
            let Failure { kind, message, .. } = failure(Failures::Transient, &error);
            Err(Error::without_records(kind, message))
        }
    }
}

fn failure(failures: Failures, error: &OTelSdkError) -> Failure {
    let (kind, retry) = match (error, failures) {
        (OTelSdkError::AlreadyShutdown, _) => (ErrorKind::Closed, Retry::Never),
        (OTelSdkError::Timeout(_), _) => (ErrorKind::Timeout, Retry::Backoff),
        (OTelSdkError::InternalFailure(_), Failures::Transient) => (ErrorKind::Unavailable, Retry::Backoff),
        (OTelSdkError::InternalFailure(_), Failures::Permanent) => (ErrorKind::Rejected, Retry::Never),
    };
    Failure { kind, retry, status: None, message: format!("the SDK's exporter: {error}").into() }
}

/// The most items and bytes of one export: what the SDK's own processors send at once, and what gRPC servers commonly take.
pub(super) const LIMITS: obs_core::Limits = obs_core::Limits { items: 512, bytes: 4 << 20 };
