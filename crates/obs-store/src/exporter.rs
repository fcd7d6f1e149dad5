//! The exporter: what it takes, and handing it to the thread that writes.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use obs_core::{
    Batch, Descriptor, Error, ErrorKind, Exporter, Failure, Health, Limits, Mappers, Receipt, Timestamp,
    deliver,
};

use crate::write::Write;
use crate::writer::{Clock, Job, Writer};
use crate::{Pruned, StoreConfig, StoreReader, feedback, logs, metrics, scores, traces};

/// Which mapper serves which signal.
const MAPPERS: Mappers<StoreExporter, Write> = Mappers::NONE
    .traces(traces::map)
    .metrics(metrics::map)
    .logs(logs::map)
    .scores(scores::map)
    .feedback(feedback::map);

/// Writes all five signals to a SQLite database on this machine.
///
/// A thread of its own writes; records are in the database once `export` has returned.
/// Several exporters, also of several processes, may write to the same file.
pub struct StoreExporter {
    config: StoreConfig,
    writer: Writer,
    closed: AtomicBool,
}

impl StoreExporter {
    /// What every store takes.
    ///
    /// Its limits are a transaction's worth: more would delay what comes behind, less costs commits.
    pub const DESCRIPTOR: Descriptor = Descriptor::of("store", &MAPPERS)
        .with_all_limits(Limits { items: 2_048, bytes: 8 << 20 })
        .with_local();

    /// Opens the store, and makes it where it does not exist.
    ///
    /// # Errors
    /// `Config` where the configuration is wrong, where something else is at the path or a newer obs wrote it, `Io`
    /// where the file cannot be made or written to; the message names the path and the next step.
    pub fn new(config: StoreConfig) -> Result<Self, Error> {
        Self::with_clock(config, wall_clock)
    }

    /// As [`StoreExporter::new`], with the clock that tells how old records are.
    ///
    /// # Errors
    /// As [`StoreExporter::new`].
    pub fn with_clock(
        config: StoreConfig,
        clock: impl Fn() -> Timestamp + Send + 'static,
    ) -> Result<Self, Error> {
        config.validate()?;
        let clock: Clock = Box::new(clock);
        let writer = Writer::start(&config, clock)?;
        Ok(Self { config, writer, closed: AtomicBool::new(false) })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.config.path
    }

    /// The reading side of the same store.
    pub fn reader(&self) -> StoreReader {
        StoreReader::at(self.config.path.clone())
    }

    /// Removes what `max_age` and `max_size` do not keep, now and all of it, and says what it was.
    ///
    /// The store does this by itself, bit by bit; waiting for it is for tools and tests.
    ///
    /// # Errors
    /// `Closed` after `shutdown`, `Io` where the file cannot be written to.
    pub async fn prune(&self) -> Result<Pruned, Error> {
        self.ask(Job::Prune).await.map_err(|failure| Error::without_records(failure.kind, failure.message))
    }

    async fn ask<T>(
        &self,
        job: impl FnOnce(tokio::sync::oneshot::Sender<Result<T, Failure>>) -> Job,
    ) -> Result<T, Failure> {
        let outcome = if self.is_closed() { None } else { self.writer.ask(job).await };
        outcome.unwrap_or_else(|| Err(closed()))
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

impl fmt::Debug for StoreExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let closed = self.is_closed();
        f.debug_struct("StoreExporter")
            .field("config", &self.config)
            .field("closed", &closed)
            .finish_non_exhaustive()
    }
}

fn closed() -> Failure {
    let message = "the exporter store was shut down".into();
    Failure { kind: ErrorKind::Closed, retry: obs_core::Retry::Never, status: None, message }
}

#[expect(clippy::disallowed_methods, reason = "the one place of this crate that reads the wall clock")]
fn wall_clock() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Timestamp::default().saturating_add(since)
}

#[async_trait]
impl Exporter for StoreExporter {
    fn descriptor(&self) -> &Descriptor {
        const DESCRIPTOR: &Descriptor = &StoreExporter::DESCRIPTOR;
        DESCRIPTOR
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        if self.is_closed() {
            return Err(Error::closed("store", batch));
        }
        let Some(mapped) = MAPPERS.map(self, batch) else { return Err(Error::unsupported("store", batch)) };
        deliver(batch, mapped, |write| self.ask(|answer| Job::Write(write, answer))).await
    }

    async fn check(&self) -> Health {
        match self.ask(Job::Check).await {
            Ok(None) => Health::Healthy,
            Ok(Some(why)) => Health::Degraded(format!("max_age and max_size are not kept: {why}").into()),
            Err(failure) => Health::Unhealthy(failure.message),
        }
    }

    async fn flush(&self) -> Result<(), Error> {
        if self.is_closed() {
            return Ok(());
        }
        match self.ask(Job::Flush).await {
            Err(failure) if failure.kind != ErrorKind::Closed => {
                Err(Error::without_records(failure.kind, failure.message).with_retry(failure.retry))
            }
            _ => Ok(()),
        }
    }

    async fn shutdown(&self) -> Result<(), Error> {
        if self.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        match self.writer.ask(Job::Close).await {
            Some(Err(failure)) => Err(Error::without_records(failure.kind, failure.message)),
            _ => Ok(()),
        }
    }
}
