//! Evaluation results, a line each.

use obs_core::{Mapped, Records, Score};

use crate::ConsoleExporter;
use crate::exporter::Request;
use crate::render::lines::{self, target};

/// One request for the whole batch.
pub(crate) fn map(exporter: &ConsoleExporter, records: &Records<Score>) -> Mapped<Request> {
    lines::printed(&exporter.options, records, |line, score| {
        lines::time(line, score.time);
        lines::score(line, score);
        target(line, &score.target);
    })
}
