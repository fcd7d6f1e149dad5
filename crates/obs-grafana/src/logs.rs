//! Logs into requests.

use obs_core::{Batch, Log, Mapped, Records};

use crate::GrafanaExporter;
use crate::streams::Push;
use crate::wire::{Place, Request};

/// Requests of all logs: to Loki's push API, or by OTLP.
pub(crate) fn map(exporter: &GrafanaExporter, logs: &Records<Log>) -> Mapped<Request> {
    if !exporter.pushes_to_loki() {
        return exporter.otlp(Place::Logs, &Batch::Logs(logs.clone()));
    }
    let mut push = Push::new(exporter.config());
    for (at, log) in logs.iter().enumerate() {
        push.add(at, log, &exporter.complete(&log.resource));
    }
    push.end()
}
