//! Spans into lines.

use obs_core::{Batch, Mapped, Records, SpanRecord};

use crate::JsonExporter;
use crate::wire::{Request, request};

pub(crate) fn map(exporter: &JsonExporter, records: &Records<SpanRecord>) -> Mapped<Request> {
    request(exporter, Batch::Traces(records.clone()))
}
