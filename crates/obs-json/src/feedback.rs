//! Feedback into lines.

use obs_core::{Batch, Feedback, Mapped, Records};

use crate::JsonExporter;
use crate::wire::{Request, request};

pub(crate) fn map(exporter: &JsonExporter, records: &Records<Feedback>) -> Mapped<Request> {
    request(exporter, Batch::Feedback(records.clone()))
}
