//! Where requests are sent, and nowhere else.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use obs_core::{
    Batch, Descriptor, Error, ErrorKind, Exporter, Failure, Health, Mappers, Receipt, Reply, Retry, deliver,
};

use crate::wire::Request;
use crate::{WebhookConfig, traces};

/// What every Webhook exporter is and takes; it follows from the table of mappers.
pub const DESCRIPTOR: Descriptor = Descriptor::of("webhook", &WebhookExporter::MAPPERS).with_local();

/// Sends traces to Webhook.
#[derive(Debug)]
pub struct WebhookExporter {
    descriptor: Descriptor,
    /// None once it was shut down.
    out: Mutex<Option<File>>,
}

impl WebhookExporter {
    /// Which mapper serves which signal.
    const MAPPERS: Mappers<Self, Request> = Mappers::NONE.traces(traces::map);

    /// Opens the file, and makes it if it is not there.
    ///
    /// # Errors
    /// A configuration error when the file cannot be opened.
    pub fn new(config: WebhookConfig) -> Result<Self, Error> {
        let WebhookConfig { path } = config;
        let out = OpenOptions::new().create(true).append(true).open(&path);
        let out = out.map_err(|error| {
            Error::config("path", format!("{}: {error}; give a file that can be written", path.display()))
        })?;
        Ok(Self { descriptor: DESCRIPTOR, out: Mutex::new(Some(out)) })
    }

    fn out(&self) -> MutexGuard<'_, Option<File>> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes one request, and says what its records came to.
    fn send(&self, request: &Request) -> Result<Reply, Failure> {
        let mut line =
            serde_json::to_vec(request).map_err(|error| failure(ErrorKind::Encode, Retry::Never, &error))?;
        line.push(b'\n');
        let mut out = self.out();
        let Some(out) = out.as_mut() else {
            return Err(failure(ErrorKind::Closed, Retry::Never, &"shut down meanwhile"));
        };
        out.write_all(&line).map_err(|error| failure(ErrorKind::Io, Retry::Backoff, &error))?;
        Ok(Reply::default())
    }
}

fn failure(kind: ErrorKind, retry: Retry, cause: &dyn std::fmt::Display) -> Failure {
    Failure { kind, retry, status: None, message: format!("Webhook: {cause}").into() }
}

#[async_trait]
impl Exporter for WebhookExporter {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        if self.out().is_none() {
            return Err(Error::closed(self.descriptor.kind(), batch));
        }
        let Some(mapped) = Self::MAPPERS.map(self, batch) else {
            return Err(Error::unsupported(self.descriptor.kind(), batch));
        };
        deliver(batch, mapped, |request| async move { self.send(&request) }).await
    }

    async fn check(&self) -> Health {
        match self.out().as_ref().map(File::metadata) {
            Some(Ok(_)) => Health::Healthy,
            Some(Err(error)) => Health::Unhealthy(format!("{error}; give another file").into()),
            None => Health::Unhealthy("shut down; make a new exporter".into()),
        }
    }

    async fn flush(&self) -> Result<(), Error> {
        flush(self.out().as_mut())
    }

    async fn shutdown(&self) -> Result<(), Error> {
        flush(self.out().take().as_mut())
    }
}

fn flush(out: Option<&mut File>) -> Result<(), Error> {
    let flushed = out.map_or(Ok(()), File::flush);
    flushed.map_err(|error| Error::without_records(ErrorKind::Io, error.to_string()))
}
