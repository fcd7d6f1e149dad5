//! Logs into requests.

use obs_core::{Batch, Log, Mapped, Records};

use crate::wire::{Place, Request};
use crate::{NewRelicExporter, custom};

/// Requests of all logs, by OTLP.
pub(crate) fn map(exporter: &NewRelicExporter, logs: &Records<Log>) -> Mapped<Request> {
    let mapped = exporter.otlp(&Batch::Logs(logs.clone()));
    exporter.with_events(Place::Logs, mapped, |positions| custom::logs(exporter, logs, positions))
}
