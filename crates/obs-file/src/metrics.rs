//! Measurements into files.

use obs_core::{Batch, Mapped, Metric, Records};

use crate::FileExporter;
use crate::wire::Request;

pub(crate) fn map(_: &FileExporter, records: &Records<Metric>) -> Mapped<Request> {
    Mapped::whole(Request(Batch::Metrics(records.clone())), records.len())
}
