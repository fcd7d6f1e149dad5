//! Scores into files.

use obs_core::{Batch, Mapped, Records, Score};

use crate::FileExporter;
use crate::wire::Request;

pub(crate) fn map(_: &FileExporter, records: &Records<Score>) -> Mapped<Request> {
    Mapped::whole(Request(Batch::Scores(records.clone())), records.len())
}
