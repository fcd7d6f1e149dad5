//! Measurements into metrics.

use std::collections::HashMap;

use obs_core::{Mapped, Metric, MetricValue, Records, Refused, write_json};
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::MastraExporter;
use crate::correlation::Correlation;
use crate::fields::Fields;
use crate::metadata::{Loose, Metadata, Shared};
use crate::pack::{Packer, Request, Route, push};
use crate::usage::CostContext;
use crate::wire::{MetricBody, Time, Unique};

/// One item for a measurement, with an id made of what it says.
pub(crate) fn map(exporter: &MastraExporter, records: &Records<Metric>) -> Mapped<Request> {
    let mut packer = Packer::new(exporter.max_request_size());
    for ((at, metric), id) in records.iter().enumerate().zip(ids(records)) {
        match value(&metric.value) {
            value if value.is_finite() => {
                packer.add(Route::Metrics, at, metric, |metric, out| push(out, &body(metric, id, value)));
            }
            value => packer.refuse(Refused::encode(at, format!("{value} is no number in JSON"))),
        }
    }
    packer.finish()
}

/// The number of a record: of a histogram its sum, the only one of its numbers that adds up over points.
fn value(value: &MetricValue) -> f64 {
    match value {
        MetricValue::Add(value)
        | MetricValue::UpDown(value)
        | MetricValue::Gauge(value)
        | MetricValue::Sample(value)
        | MetricValue::Sum { value, .. } => *value,
        MetricValue::Histogram(histogram) => histogram.sum,
        MetricValue::ExpHistogram(histogram) => histogram.sum,
    }
}

/// The kind of a metric, which Mastra has no field for.
const fn kind(value: &MetricValue) -> &'static str {
    match value {
        MetricValue::Add(_) | MetricValue::Sum { monotonic: true, .. } => "counter",
        MetricValue::UpDown(_) | MetricValue::Sum { monotonic: false, .. } => "up_down_counter",
        MetricValue::Gauge(_) => "gauge",
        MetricValue::Sample(_) | MetricValue::Histogram(_) => "histogram",
        MetricValue::ExpHistogram(_) => "exponential_histogram",
    }
}

/// The namespace of ids that are made of what a measurement says.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f62_735f_6d61_5f6d_8b51_0f3e_77c2_914d);

/// An id for each, the same at every try; measurements that say the same are told apart by their order in the segment that
/// they were sealed in, so that a batch that is cut, halved or sent in part has the ids that it had before.
fn ids(records: &Records<Metric>) -> Vec<Uuid> {
    let mut ids = Vec::with_capacity(records.len());
    for (segment, range) in records.segments() {
        let mut seen: HashMap<Uuid, u32> = HashMap::with_capacity(range.end);
        for (at, metric) in segment[..range.end].iter().enumerate() {
            let id = id(metric);
            let twins = seen.entry(id).or_default();
            if range.contains(&at) {
                ids.push(if *twins == 0 { id } else { Uuid::new_v5(&id, &twins.to_be_bytes()) });
            }
            *twins += 1;
        }
    }
    ids
}

fn id(metric: &Metric) -> Uuid {
    let mut said = Vec::with_capacity(128);
    let own = (metric.time, metric.start, &metric.name, &metric.labels);
    // Increments are alike by nature: whose they are tells those of two replicas or tenants apart.
    let whose = (&metric.resource, &metric.context);
    if write_json(&mut said, &(own, &metric.value, &metric.exemplar, metric.temporality, whose)).is_err() {
        // What has no JSON, which no field of a metric can be, is told apart by its time.
        said = metric.time.as_nanos().to_be_bytes().into();
    }
    Uuid::new_v5(&NAMESPACE, &said)
}

fn body(metric: &Metric, id: Uuid, value: f64) -> MetricBody<'_, Metadata<'_, OfMetric<'_>>> {
    let span = metric.exemplar.as_ref().map(|exemplar| exemplar.span);
    let ids = (span.map(|span| span.trace_id), span.and_then(|span| span.span_id));
    let label = |name| metric.labels.get(name).map(obs_core::Str::as_str);
    let cost = |cost| CostContext { provider: label("provider"), model: label("model"), cost };
    MetricBody {
        metric_id: id,
        timestamp: Time(metric.time),
        trace_id: ids.0,
        span_id: ids.1,
        name: &metric.name,
        value,
        labels: Unique(&metric.labels),
        correlation_context: Correlation::of(&metric.context, &metric.resource, ids),
        cost_context: metric.cost.as_deref().map(cost),
        metadata: Metadata {
            own: OfMetric(metric),
            shared: Shared { context: &metric.context, resource: &metric.resource },
            loose: Loose::of_trace(&metric.context),
        },
    }
}

/// What Mastra has no field for in a metric.
#[derive(Debug)]
struct OfMetric<'a>(&'a Metric);

impl Serialize for OfMetric<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(metric) = self;
        let mut out = Fields::new(serializer.serialize_map(None)?);
        out.put("metricType", kind(&metric.value))?;
        out.some("unit", metric.unit.as_ref())?;
        out.some("description", metric.description.as_ref())?;
        out.some("startTime", metric.start.map(Time))?;
        out.some("temporality", metric.temporality)?;
        out.list("labels", &Unique(&metric.labels).rest())?;
        match &metric.value {
            MetricValue::Histogram(histogram) => out.put("histogram", histogram)?,
            MetricValue::ExpHistogram(histogram) => out.put("histogram", histogram)?,
            _ => {}
        }
        let exemplar = metric.exemplar.as_ref();
        out.some("exemplar", exemplar.filter(|sample| sample.value.is_some() || sample.time.is_some()))?;
        out.end()
    }
}

#[cfg(test)]
mod tests {
    use obs_core::Timestamp;

    use super::*;

    #[test]
    fn ids_are_the_same_at_every_try_and_twins_are_told_apart() {
        let metric = |nanos, value| Metric::new(Timestamp::from_nanos(nanos), "m", MetricValue::Add(value));
        let records: Records<Metric> =
            vec![metric(1, 1.0), metric(1, 1.0), metric(2, 1.0), metric(1, 2.0), metric(1, 1.0)].into();
        let ids = ids(&records);
        let mut unique = ids.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), 5);
        assert_eq!(super::ids(&records), ids);
        assert_eq!(super::ids(&records.slice(1..4)), ids[1..4]);
        assert_eq!(super::ids(&records.select(&[4])), ids[4..]);
    }
}
