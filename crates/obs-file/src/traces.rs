//! Spans into files.

use obs_core::{Batch, Mapped, Records, SpanRecord};

use crate::FileExporter;
use crate::wire::Request;

pub(crate) fn map(_: &FileExporter, records: &Records<SpanRecord>) -> Mapped<Request> {
    Mapped::whole(Request(Batch::Traces(records.clone())), records.len())
}
