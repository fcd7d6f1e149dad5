//! Metrics into requests.

use obs_core::{Mapped, Metric, Records};

use crate::DatadogExporter;
use crate::wire::{Place, Request};

/// Requests of all metrics.
pub(crate) fn map(_: &DatadogExporter, metrics: &Records<Metric>) -> Mapped<Request> {
    Mapped::whole(Request { place: Place::Series, body: b"[]".to_vec() }, metrics.len())
}
