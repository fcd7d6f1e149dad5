//! Metrics into requests.

use obs_core::{Batch, Mapped, Metric, Records};

use crate::wire::{Place, Request};
use crate::{GrafanaExporter, Histograms, remote_write};

/// Requests of all series: by remote write, or by OTLP.
pub(crate) fn map(exporter: &GrafanaExporter, metrics: &Records<Metric>) -> Mapped<Request> {
    if !exporter.writes_remotely() {
        return exporter.otlp(Place::Metrics, &Batch::Metrics(metrics.clone()));
    }
    let native = exporter.config().histograms == Histograms::Exponential;
    remote_write::map(metrics, |own| exporter.complete(own), native, &mut exporter.owners())
}
