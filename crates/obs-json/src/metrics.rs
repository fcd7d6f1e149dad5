//! Metrics into lines.

use obs_core::{Batch, Mapped, Metric, Records};

use crate::JsonExporter;
use crate::wire::{Request, request};

pub(crate) fn map(exporter: &JsonExporter, records: &Records<Metric>) -> Mapped<Request> {
    request(exporter, Batch::Metrics(records.clone()))
}
