//! Spans, to be printed with their trace.

use obs_core::{Mapped, Records, SpanRecord};

use crate::ConsoleExporter;
use crate::exporter::Request;

/// One request for the whole batch, which shares the batch's records.
pub(crate) fn map(_: &ConsoleExporter, records: &Records<SpanRecord>) -> Mapped<Request> {
    if records.is_empty() {
        return Mapped::default();
    }
    Mapped::whole(Request::Spans(records.clone()), records.len())
}
