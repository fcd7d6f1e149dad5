//! Measurements and series, a line each.

use obs_core::{Mapped, Metric, Records};

use crate::ConsoleExporter;
use crate::exporter::Request;
use crate::render::lines;

/// One request for the whole batch.
pub(crate) fn map(exporter: &ConsoleExporter, records: &Records<Metric>) -> Mapped<Request> {
    lines::printed(&exporter.options, records, |line, metric| {
        lines::time(line, metric.time);
        lines::metric(line, metric);
    })
}
