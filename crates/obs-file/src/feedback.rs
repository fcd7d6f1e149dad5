//! Feedback into files.

use obs_core::{Batch, Feedback, Mapped, Records};

use crate::FileExporter;
use crate::wire::Request;

pub(crate) fn map(_: &FileExporter, records: &Records<Feedback>) -> Mapped<Request> {
    Mapped::whole(Request(Batch::Feedback(records.clone())), records.len())
}
