//! Logs into lines.

use obs_core::{Batch, Log, Mapped, Records};

use crate::JsonExporter;
use crate::wire::{Request, request};

pub(crate) fn map(exporter: &JsonExporter, records: &Records<Log>) -> Mapped<Request> {
    request(exporter, Batch::Logs(records.clone()))
}
