//! Spans into requests.

use obs_core::{Mapped, Records, Span, SpanRecord};

use crate::NewrelicExporter;
use crate::wire::{Request, SpanBody};

/// One request for the whole batch.
pub(crate) fn map(_: &NewrelicExporter, records: &Records<SpanRecord>) -> Mapped<Request> {
    if records.is_empty() {
        return Mapped::default();
    }
    let spans = records.iter().map(|record| body(record.span())).collect();
    Mapped::whole(Request { spans }, records.len())
}

fn body(span: &Span) -> SpanBody {
    SpanBody { trace: span.trace_id.to_string(), id: span.span_id.to_string(), name: span.name.to_string() }
}
