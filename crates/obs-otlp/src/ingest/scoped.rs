//! Records of one scope that come one by one.

use std::sync::{Mutex, MutexGuard, PoisonError};

use obs_core::Record;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;

use super::collect::{Collect, Source};
use super::{logs, spans};
use crate::levels::SPANS;

/// A resource and an instrumentation scope, read once, for records that come one by one: in a process's own SDK, not in requests.
///
/// The records are those that [`traces`](super::traces) and [`logs`](super::logs) make of a request, and they share one resource.
/// It may be used from several threads, which wait for each other only as long as sharing takes, not while a record is read.
///
/// ```
/// use obs_core::Record;
/// use obs_otlp::ingest::Scoped;
/// use opentelemetry_proto::tonic::trace::v1::Span;
///
/// let scoped = Scoped::new(&Default::default(), "", &Default::default(), "").unwrap();
/// let (trace_id, span_id) = (vec![7; 16], vec![9; 8]);
/// let span = Span { trace_id, span_id, name: "answer".into(), start_time_unix_nano: 1, ..Span::default() };
/// let records = scoped.span(&span).unwrap();
/// let [Record::Span(record)] = &records[..] else { unreachable!() };
/// assert_eq!(record.span().name, "answer");
/// ```
#[derive(Debug)]
pub struct Scoped {
    source: Mutex<Source>,
}

impl Scoped {
    /// Reads the resource and the scope, each with the address of its schema, which may be empty.
    ///
    /// # Errors
    /// Why one of them cannot be read, in words.
    pub fn new(
        resource: &Resource,
        resource_schema_url: &str,
        scope: &InstrumentationScope,
        schema_url: &str,
    ) -> Result<Self, String> {
        let mut read = Collect::new(&SPANS);
        read.group(0, Some(resource), resource_schema_url);
        read.scope(0, Some(scope), schema_url);
        let source = read.into_source().map_err(|refused| refused.reason)?;
        Ok(Self { source: Mutex::new(source) })
    }

    /// A span, and scores from its `gen_ai.evaluation.result` events.
    ///
    /// # Errors
    /// Why it cannot be read, in words.
    pub fn span(&self, span: &Span) -> Result<Vec<Record>, String> {
        self.read(|source, records| spans::convert(span, source, records))
    }

    /// A log, or the score that it is.
    ///
    /// # Errors
    /// Why it cannot be read, in words.
    pub fn log(&self, log: &LogRecord) -> Result<Vec<Record>, String> {
        self.read(|source, records| logs::convert(log, source, records))
    }

    fn read(
        &self,
        read: impl FnOnce(&mut Source, &mut Vec<Record>) -> Result<(), String>,
    ) -> Result<Vec<Record>, String> {
        let mut source = self.source().clone();
        let mut records = Vec::with_capacity(1);
        read(&mut source, &mut records)?;
        // The context of this record is likely to be the next one's.
        *self.source() = source;
        Ok(records)
    }

    fn source(&self) -> MutexGuard<'_, Source> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
