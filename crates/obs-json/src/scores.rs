//! Scores into lines.

use obs_core::{Batch, Mapped, Records, Score};

use crate::JsonExporter;
use crate::wire::{Request, request};

pub(crate) fn map(exporter: &JsonExporter, records: &Records<Score>) -> Mapped<Request> {
    request(exporter, Batch::Scores(records.clone()))
}
