//! Turns a panic into an error.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use async_trait::async_trait;
use futures_util::FutureExt;
use obs_core::{Batch, Descriptor, Error, ErrorKind, Exporter, Health, Receipt, Retry};

use crate::guard;

/// A decorator that turns a panic of the exporter into an error of kind [`ErrorKind::Panic`], which concerns the
/// content: a splitting decorator above finds the record that caused it.
#[derive(Debug)]
pub struct Unwind<E> {
    inner: E,
}

impl<E: Exporter> Unwind<E> {
    /// Catches the panics of `inner`.
    pub fn new(inner: E) -> Self {
        Self { inner }
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Error {
    Error::without_records(ErrorKind::Panic, format!("the exporter panicked: {}", guard::message(panic)))
}

#[async_trait]
impl<E: Exporter> Exporter for Unwind<E> {
    fn descriptor(&self) -> &Descriptor {
        self.inner.descriptor()
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        let result = AssertUnwindSafe(async { self.inner.export(batch).await }).catch_unwind().await;
        result.unwrap_or_else(|panic| {
            Err(panicked(&*panic).with_undelivered(batch.clone()).with_retry(Retry::Never))
        })
    }

    async fn check(&self) -> Health {
        let result = AssertUnwindSafe(async { self.inner.check().await }).catch_unwind().await;
        result.unwrap_or_else(|panic| Health::Unhealthy(panicked(&*panic).message().into()))
    }

    async fn flush(&self) -> Result<(), Error> {
        let result = AssertUnwindSafe(async { self.inner.flush().await }).catch_unwind().await;
        result.unwrap_or_else(|panic| Err(panicked(&*panic)))
    }

    async fn shutdown(&self) -> Result<(), Error> {
        let result = AssertUnwindSafe(async { self.inner.shutdown().await }).catch_unwind().await;
        result.unwrap_or_else(|panic| Err(panicked(&*panic)))
    }
}
