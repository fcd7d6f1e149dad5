//! Logs into requests.

use obs_core::{Log, Mapped, Records};

use crate::DatadogExporter;
use crate::wire::{Place, Request};

/// Requests of all logs.
pub(crate) fn map(_: &DatadogExporter, logs: &Records<Log>) -> Mapped<Request> {
    Mapped::whole(Request { place: Place::Logs, body: b"[]".to_vec() }, logs.len())
}
