//! Spans into requests.

use obs_core::{Batch, Mapped, Records, SpanRecord};

use crate::wire::{Place, Request};
use crate::{NewRelicExporter, custom};

/// Requests of the spans that have ended, by OTLP.
pub(crate) fn map(exporter: &NewRelicExporter, spans: &Records<SpanRecord>) -> Mapped<Request> {
    let mapped = exporter.otlp(&Batch::Traces(spans.clone()));
    exporter.with_events(Place::Traces, mapped, |positions| custom::spans(exporter, spans, positions))
}
