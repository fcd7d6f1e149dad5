//! Log records, a line each.

use obs_core::{Log, Mapped, Records};

use crate::ConsoleExporter;
use crate::exporter::Request;
use crate::render::lines::{self, place};

/// One request for the whole batch.
pub(crate) fn map(exporter: &ConsoleExporter, records: &Records<Log>) -> Mapped<Request> {
    lines::printed(&exporter.options, records, |line, log| {
        lines::time(line, log.time);
        lines::log(line, log, None);
        place(line, log.span);
    })
}
