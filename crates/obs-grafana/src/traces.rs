//! Spans into requests.

use obs_core::{Batch, Mapped, Records, SpanRecord};

use crate::GrafanaExporter;
use crate::wire::{Place, Request};

/// Requests of the spans that have ended, by OTLP.
pub(crate) fn map(exporter: &GrafanaExporter, spans: &Records<SpanRecord>) -> Mapped<Request> {
    exporter.otlp(Place::Traces, &Batch::Traces(spans.clone()))
}
