//! Lines as a user wants them.

use std::fmt::{self, Display};
use std::sync::Arc;

use obs_core::{Batch, Feedback, Log, Metric, Score, Signal, SpanRecord};
use serde_json::Value;

/// A record, as a serializer is given it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RecordRef<'a> {
    /// A span.
    Span(&'a SpanRecord),
    /// A measurement.
    Metric(&'a Metric),
    /// A log record.
    Log(&'a Log),
    /// An evaluation result.
    Score(&'a Score),
    /// What somebody said.
    Feedback(&'a Feedback),
}

impl RecordRef<'_> {
    /// Its signal.
    pub const fn signal(&self) -> Signal {
        match self {
            Self::Span(_) => Signal::Traces,
            Self::Metric(_) => Signal::Metrics,
            Self::Log(_) => Signal::Logs,
            Self::Score(_) => Signal::Scores,
            Self::Feedback(_) => Signal::Feedback,
        }
    }
}

/// Calls `each` with the records of a batch and their positions.
pub(crate) fn for_each(batch: &Batch, mut each: impl FnMut(usize, RecordRef<'_>)) {
    macro_rules! walk {
        ($records:ident as $variant:ident) => {
            $records.iter().enumerate().for_each(|(at, record)| each(at, RecordRef::$variant(record)))
        };
    }
    match batch {
        Batch::Traces(records) => walk!(records as Span),
        Batch::Metrics(records) => walk!(records as Metric),
        Batch::Logs(records) => walk!(records as Log),
        Batch::Scores(records) => walk!(records as Score),
        Batch::Feedback(records) => walk!(records as Feedback),
    }
}

type Function = dyn Fn(RecordRef<'_>) -> Result<Value, Box<str>> + Send + Sync;

/// A function that says what stands in the line of a record.
///
/// ```
/// use obs_file::{FileConfig, RecordRef, Serializer};
/// use serde_json::json;
///
/// let serializer = Serializer::new(|record| match record {
///     RecordRef::Log(log) => Ok(json!({ "at": log.time.as_millis(), "says": log.message.as_str() })),
///     other => Err(format!("no line for {}", other.signal())),
/// });
/// let config = FileConfig::new("telemetry").with_serializer(serializer);
/// # drop(config);
/// ```
#[derive(Clone)]
pub struct Serializer(Arc<Function>);

impl Serializer {
    /// Writes what `function` returns as one line; a record for which it returns an error, or panics, is rejected with
    /// that reason, and the others go on.
    pub fn new<E: Display>(
        function: impl Fn(RecordRef<'_>) -> Result<Value, E> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(move |record| function(record).map_err(|cause| cause.to_string().into())))
    }

    /// The value for a record.
    pub(crate) fn call(&self, record: RecordRef<'_>) -> Result<Value, Box<str>> {
        let called = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (self.0)(record)));
        called.unwrap_or_else(|_| Err("the serializer panicked".into()))
    }
}

impl fmt::Debug for Serializer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Serializer")
    }
}

/// Two are the same if they are clones of one.
impl PartialEq for Serializer {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
