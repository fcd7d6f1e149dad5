//! What people said, a line each.

use obs_core::{Feedback, Mapped, Records};

use crate::ConsoleExporter;
use crate::exporter::Request;
use crate::render::lines::{self, target};

/// One request for the whole batch.
pub(crate) fn map(exporter: &ConsoleExporter, records: &Records<Feedback>) -> Mapped<Request> {
    lines::printed(&exporter.options, records, |line, feedback| {
        lines::time(line, feedback.time);
        lines::feedback(line, feedback);
        target(line, &feedback.target);
    })
}
