//! OTLP requests into records.
//!
//! [`json`] and [`protobuf`] read the body of one export request; [`traces`], [`logs`] and [`metrics`] take a decoded one.
//! [`Scoped`] takes records one by one.
//! What cannot be read is refused with its place and does not sink the rest.
//! [`link`] then puts together what belongs together, once all of it has been read.

mod amounts;
mod buckets;
mod collect;
mod draft;
mod error_info;
mod json;
mod judgement;
mod link;
mod list;
mod logs;
mod messages;
mod metrics;
mod own;
mod pairs;
mod restated;
mod scoped;
mod scores;
mod span_type;
mod spans;
mod told;
mod typed;
mod usage;
mod value;

use std::fmt;

use obs_core::{Record, Signal};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use crate::levels::{LOGS, METRICS, SPANS};
use collect::Collect;
pub use link::link;
pub use scoped::Scoped;

/// The largest body that is read, in bytes: 64 MiB, what OTLP's specification advises clients to keep below.
pub const MAX_BODY_BYTES: usize = 64 << 20;

/// The most attributes that one record may have: far above OpenTelemetry's default limit of 128.
pub const MAX_ATTRIBUTES: usize = 10_000;

/// The deepest nesting of an attribute's value: what a JSON body can express at most.
pub const MAX_DEPTH: usize = 32;

/// What a request held.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ingested {
    /// The records, in the order of the request.
    pub records: Vec<Record>,
    /// What could not be read, in the order of the request.
    pub refused: Vec<Refused>,
}

impl Ingested {
    /// Adds what another request held, behind what is here.
    pub fn append(&mut self, mut other: Self) {
        self.records.append(&mut other.records);
        self.refused.append(&mut other.refused);
    }

    /// How many records of a signal there are.
    pub fn count(&self, signal: Signal) -> usize {
        self.records.iter().filter(|record| record.signal() == signal).count()
    }
}

/// A part of a request that could not be read; the rest was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Where in the request: `resourceSpans[0].scopeSpans[0].spans[3]`.
    pub place: String,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

/// What a protobuf body holds: its path says so on HTTP, the service on gRPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An `ExportTraceServiceRequest`.
    Traces,
    /// An `ExportLogsServiceRequest`.
    Logs,
    /// An `ExportMetricsServiceRequest`.
    Metrics,
}

/// Why a whole body could not be read.
#[derive(Debug)]
pub enum IngestError {
    /// It is larger than [`MAX_BODY_BYTES`].
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
    },
    /// It is not JSON, or nested deeper than 127.
    Json(serde_json::Error),
    /// It is JSON, but no export request.
    NotOtlp,
    /// It is not the protobuf message it was said to be.
    Protobuf(prost::DecodeError),
}

impl fmt::Display for IngestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes } => write!(
                f,
                "the request has {bytes} bytes, at most {MAX_BODY_BYTES} are read: split it into several"
            ),
            Self::Json(cause) => write!(f, "not JSON: {cause}"),
            Self::NotOtlp => f.write_str(
                "not an OTLP export request: expected an object with resourceSpans, resourceLogs or resourceMetrics",
            ),
            Self::Protobuf(cause) => write!(f, "not an OTLP export request in protobuf: {cause}"),
        }
    }
}

impl std::error::Error for IngestError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Json(cause) => Some(cause),
            Self::Protobuf(cause) => Some(cause),
            Self::TooLarge { .. } | Self::NotOtlp => None,
        }
    }
}

/// Reads one export request in OTLP's JSON, of any of the three signals or several of them.
///
/// It takes what real exporters write: 64-bit integers as numbers or strings, enums as numbers or names, ids in hex or base64, field names in camel case or the protobuf's own, missing and unknown fields.
pub fn json(body: &str) -> Result<Ingested, IngestError> {
    within_limit(body.len())?;
    let body: serde_json::Value = serde_json::from_str(body).map_err(IngestError::Json)?;
    json::request(&body).ok_or(IngestError::NotOtlp)
}

/// Reads one export request in protobuf.
pub fn protobuf(kind: Kind, body: &[u8]) -> Result<Ingested, IngestError> {
    within_limit(body.len())?;
    match kind {
        Kind::Traces => ExportTraceServiceRequest::decode(body).map(|request| traces(&request)),
        Kind::Logs => ExportLogsServiceRequest::decode(body).map(|request| logs(&request)),
        Kind::Metrics => ExportMetricsServiceRequest::decode(body).map(|request| metrics(&request)),
    }
    .map_err(IngestError::Protobuf)
}

fn within_limit(bytes: usize) -> Result<(), IngestError> {
    if bytes > MAX_BODY_BYTES { Err(IngestError::TooLarge { bytes }) } else { Ok(()) }
}

/// Spans, and scores from their `gen_ai.evaluation.result` events.
pub fn traces(request: &ExportTraceServiceRequest) -> Ingested {
    let mut out = Collect::new(&SPANS);
    for (at, group) in request.resource_spans.iter().enumerate() {
        out.group(at, group.resource.as_ref(), &group.schema_url);
        for (at, scoped) in group.scope_spans.iter().enumerate() {
            out.scope(at, scoped.scope.as_ref(), &scoped.schema_url);
            for (at, span) in scoped.spans.iter().enumerate() {
                out.record(at, |source, records| spans::convert(span, source, records));
            }
        }
    }
    out.finish()
}

/// Logs, and scores and feedback from those that are `gen_ai.evaluation.result` events.
pub fn logs(request: &ExportLogsServiceRequest) -> Ingested {
    let mut out = Collect::new(&LOGS);
    for (at, group) in request.resource_logs.iter().enumerate() {
        out.group(at, group.resource.as_ref(), &group.schema_url);
        for (at, scoped) in group.scope_logs.iter().enumerate() {
            out.scope(at, scoped.scope.as_ref(), &scoped.schema_url);
            for (at, log) in scoped.log_records.iter().enumerate() {
                out.record(at, |source, records| logs::convert(log, source, records));
            }
        }
    }
    out.finish()
}

/// Metric points: each data point is a record.
///
/// A summary becomes a gauge per quantile, labelled `quantile`, and the sums `<name>_sum` and `<name>_count`.
pub fn metrics(request: &ExportMetricsServiceRequest) -> Ingested {
    let mut out = Collect::new(&METRICS);
    for (at, group) in request.resource_metrics.iter().enumerate() {
        out.group(at, group.resource.as_ref(), &group.schema_url);
        for (at, scoped) in group.scope_metrics.iter().enumerate() {
            out.scope(at, scoped.scope.as_ref(), &scoped.schema_url);
            for (at, metric) in scoped.metrics.iter().enumerate() {
                out.parts(at, |source, records, refused| metrics::convert(metric, source, records, refused));
            }
        }
    }
    out.finish()
}
