//! Which errors of which signals arose where, over many random runs.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::FutureExt;
use obs_core::{
    Batch, DeadLetters, Descriptor, Error, ErrorKind, Exporter, Health, Receipt, Rejection, Signal,
};
use obs_testkit::Scripted;

/// The layer in which an error arises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Layer {
    Queue,
    Fallback,
    DeadLetters,
    Split,
    Leaf,
}

/// How often each error of each signal arose in each layer; cloning shares it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Coverage(Arc<Mutex<BTreeMap<Cell, u64>>>);

/// Where an error arose, its kind, and the signal.
type Cell = (Layer, &'static str, Signal);

/// The kinds that an exporter can report.
const OF_EXPORTERS: [ErrorKind; 13] = [
    ErrorKind::Config,
    ErrorKind::Encode,
    ErrorKind::Auth,
    ErrorKind::RateLimited,
    ErrorKind::Unavailable,
    ErrorKind::Timeout,
    ErrorKind::Rejected,
    ErrorKind::TooLarge,
    ErrorKind::Unsupported,
    ErrorKind::UnresolvableTarget,
    ErrorKind::Panic,
    ErrorKind::Closed,
    ErrorKind::Io,
];

/// What can occur, by layer.
const CELLS: [(Layer, &[ErrorKind]); 5] = [
    (Layer::Leaf, &OF_EXPORTERS),
    (Layer::Fallback, &OF_EXPORTERS),
    (Layer::Split, &[ErrorKind::SplitBudget]),
    (Layer::Queue, &[ErrorKind::Expired, ErrorKind::Overflow]),
    (Layer::DeadLetters, &[ErrorKind::Io]),
];

/// What cannot, and why.
const OTHERS: [(&str, &str); 4] = [
    ("split_budget at a leaf or a fallback", "only splitting ends a search for poison"),
    ("expired and overflow anywhere but at the queue", "only the queue gives records up"),
    ("any other kind at the queue", "what leaves it is settled by the layers below"),
    ("any other kind at the dead letters", "the place says io; a panic of it is one, too"),
];

impl Coverage {
    pub(crate) fn hit(&self, layer: Layer, kind: ErrorKind, signal: Signal) {
        *self.0.lock().unwrap().entry((layer, kind.as_str(), signal)).or_default() += 1;
    }

    fn get(&self, layer: Layer, kind: ErrorKind, signal: Signal) -> u64 {
        self.0.lock().unwrap().get(&(layer, kind.as_str(), signal)).copied().unwrap_or_default()
    }

    /// Prints the table, and returns the cells that were hit less often than this.
    pub(crate) fn report(&self, least: u64) -> Vec<String> {
        let mut missing = Vec::new();
        for (layer, kinds) in CELLS {
            for kind in kinds {
                let counts = Signal::ALL.map(|signal| (signal, self.get(layer, *kind, signal)));
                let line: Vec<_> = counts.iter().map(|(signal, count)| format!("{signal} {count}")).collect();
                println!("{layer:?} {kind}: {}", line.join(", "));
                let few = counts.iter().filter(|(_, count)| *count < least);
                missing.extend(few.map(|(signal, count)| format!("{layer:?} {kind} {signal}: {count}")));
            }
        }
        for (cell, why) in OTHERS {
            println!("cannot occur: {cell}, since {why}");
        }
        missing
    }
}

/// A scripted exporter whose errors are counted.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) inner: Arc<Scripted>,
    pub(crate) layer: Layer,
    pub(crate) coverage: Coverage,
}

/// Counts a call that was given up as one that took too long.
struct GivenUp<'a>(&'a Watched, Signal, bool);

impl Drop for GivenUp<'_> {
    fn drop(&mut self) {
        if !self.2 {
            self.0.coverage.hit(self.0.layer, ErrorKind::Timeout, self.1);
        }
    }
}

impl Watched {
    fn count(&self, receipt: &Receipt, signal: Signal) {
        for rejection in receipt.rejected.iter().filter(|rejection| rejection.count > 0) {
            self.coverage.hit(self.layer, rejection.kind, signal);
        }
    }
}

#[async_trait]
impl Exporter for Watched {
    fn descriptor(&self) -> &Descriptor {
        self.inner.descriptor()
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        let mut guard = GivenUp(self, batch.signal(), false);
        let result = AssertUnwindSafe(async { self.inner.export(batch).await }).catch_unwind().await;
        guard.2 = true;
        match &result {
            Ok(Ok(receipt)) => self.count(receipt, batch.signal()),
            Ok(Err(error)) => {
                self.count(error.settled(), batch.signal());
                self.coverage.hit(self.layer, error.kind(), batch.signal());
            }
            Err(_) => self.coverage.hit(self.layer, ErrorKind::Panic, batch.signal()),
        }
        result.unwrap_or_else(|panic| resume_unwind(panic))
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

/// Dead letters that count what comes, keep how many records, and fail now and then.
#[derive(Debug, Clone)]
pub(crate) struct WatchedLetters {
    kept: Arc<Mutex<BTreeMap<(String, Signal), u64>>>,
    calls: Arc<Mutex<usize>>,
    /// Every so manieth call fails; none if zero.
    fails_every: usize,
    coverage: Coverage,
}

impl WatchedLetters {
    pub(crate) fn new(fails_every: usize, coverage: &Coverage) -> Self {
        Self { kept: Arc::default(), calls: Arc::default(), fails_every, coverage: coverage.clone() }
    }

    /// How many records of a destination were kept.
    pub(crate) fn kept(&self, destination: &str, signal: Signal) -> u64 {
        self.kept.lock().unwrap().get(&(destination.to_owned(), signal)).copied().unwrap_or_default()
    }
}

#[async_trait]
impl DeadLetters for WatchedLetters {
    async fn put(&self, destination: &str, rejection: &Rejection) -> Result<(), Error> {
        let Some(records) = &rejection.records else { return Ok(()) };
        match rejection.kind {
            ErrorKind::SplitBudget => self.coverage.hit(Layer::Split, rejection.kind, records.signal()),
            ErrorKind::Expired | ErrorKind::Overflow => {
                self.coverage.hit(Layer::Queue, rejection.kind, records.signal());
            }
            _ => {}
        }
        let mut calls = self.calls.lock().unwrap();
        *calls += 1;
        if self.fails_every > 0 && calls.is_multiple_of(self.fails_every) {
            self.coverage.hit(Layer::DeadLetters, ErrorKind::Io, records.signal());
            return Err(Error::without_records(ErrorKind::Io, "the disk is full"));
        }
        let key = (destination.to_owned(), records.signal());
        *self.kept.lock().unwrap().entry(key).or_default() += records.len() as u64;
        Ok(())
    }
}
