//! Metrics into requests.

use obs_core::{Batch, Mapped, Metric, Records};

use crate::wire::{Place, Request};
use crate::{NewRelicExporter, custom, native};

/// Requests of all points: by OTLP, or by the Metric API.
pub(crate) fn map(exporter: &NewRelicExporter, metrics: &Records<Metric>) -> Mapped<Request> {
    let (place, mapped) = if exporter.uses_metric_api() {
        (Place::MetricApi, native::map(exporter, metrics))
    } else {
        (Place::Metrics, exporter.otlp(&Batch::Metrics(metrics.clone())))
    };
    exporter.with_events(place, mapped, |positions| custom::points(exporter, metrics, positions))
}
