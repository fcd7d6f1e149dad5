//! Log records into files.

use obs_core::{Batch, Log, Mapped, Records};

use crate::FileExporter;
use crate::wire::Request;

pub(crate) fn map(_: &FileExporter, records: &Records<Log>) -> Mapped<Request> {
    Mapped::whole(Request(Batch::Logs(records.clone())), records.len())
}
