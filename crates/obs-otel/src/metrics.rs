//! Metrics into requests.

use obs_core::{Mapped, Metric, Records, Refused, encode_within};
use obs_otlp::encode::MetricRequests;

use crate::OtelExporter;
use crate::chunks::calls;
use crate::resource::OfBatch;
use crate::wire::{Request, Service};

/// Requests of points; a metric that OTLP has no form for is refused and sinks no other.
pub(crate) fn map(exporter: &OtelExporter, records: &Records<Metric>) -> Mapped<Request> {
    let limits = exporter.limits(Service::Metrics);
    let mut requests =
        MetricRequests::new(limits.encoding, limits.items, limits.bytes).expecting(records.len());
    let mut resources = OfBatch::new(exporter.resources());
    let mut refused = Vec::new();
    for (at, metric) in records.iter().enumerate() {
        if let Err(cause) = requests.push_under(at, resources.complete(&metric.resource), metric) {
            refused.push(Refused::encode(at, cause.to_string()));
        }
    }
    calls(Service::Metrics, limits.bytes, requests.finish(), refused, |at| {
        let metric = records.get(at).ok_or_else(|| Refused::encode(at, "the record is gone"))?;
        encode_within(at, metric, limits.bytes, |metric| {
            let mut alone = MetricRequests::new(limits.encoding, 1, usize::MAX);
            alone
                .push_under(0, &exporter.resources().complete_once(&metric.resource), metric)
                .map_err(|cause| cause.to_string())?;
            Ok(alone.finish().pop().map(|chunk| chunk.body).unwrap_or_default())
        })
    })
}
