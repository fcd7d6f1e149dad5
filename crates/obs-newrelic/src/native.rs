//! Points of New Relic's Metric API: gauges, counts and summaries.

use std::sync::Arc;

use obs_core::{Call, Mapped, Metric, MetricValue, Records, Refused, Resource, Str, Temporality};

use crate::NewRelicExporter;
use crate::names;
use crate::pairs::{Object, Pairs, Rules, within};
use crate::points::{self, Told};
use crate::wire::{Point, PointValue, Scalar};

/// A point has at most 150 attributes, and none that is called as a key of the API's own.
const RULES: Rules = Rules {
    reserved: &[
        "interval.ms",
        "timestamp",
        "value",
        "common",
        "metrics",
        "min",
        "max",
        "count",
        "sum",
        "newrelic.source",
        "metricName",
        "endTimestamp",
        "accountId",
        "appId",
        "eventType",
        "entity.guid",
        "entity.name",
        "entity.type",
        "more",
        "resource.more",
    ],
    most: 150,
    more: "more",
};

/// Points have at most 90 attributes in common, so that there is room for their own.
const COMMON: Rules = Rules { most: 90, more: "resource.more", ..RULES };

const OPEN: &[u8] = b"[";
/// What ends a block, and what ends the body behind it.
const END: &[u8] = b"]}";
const CLOSE: &[u8] = b"]}]";

/// Bodies of all points; one that the API has no form for is refused and sinks no other.
pub(crate) fn map(exporter: &NewRelicExporter, metrics: &Records<Metric>) -> Mapped<Vec<u8>> {
    let mut blocks = Blocks::new(exporter.max_request_size());
    let mut refused = Vec::new();
    for (at, metric) in metrics.iter().enumerate() {
        match shape(metric) {
            Ok(shape) => blocks.add(at, &exporter.complete(&metric.resource), metric, shape),
            Err(cause) => refused.push(Refused::encode(at, cause)),
        }
    }
    Mapped { calls: blocks.finish(), refused }
}

/// The form of a point.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Shape {
    kind: &'static str,
    value: PointValue,
    /// Whether it speaks of a window, and not of a moment.
    windowed: bool,
}

const FROM_THE_BEGINNING: &str = "it counts from the beginning, which the Metric API has no form for; leave delta series to the pipeline, or set \
     metrics_api = \"otlp\"";

/// What a metric is there, or why it is nothing.
fn shape(metric: &Metric) -> Result<Shape, &'static str> {
    let name = metric.name.chars().count();
    if name == 0 || name >= names::NAME {
        return Err("names of metrics have 1 to 254 characters; choose another");
    }
    let cumulative = metric.temporality == Some(Temporality::Cumulative);
    let (kind, windowed) = match &metric.value {
        MetricValue::Gauge(_) => ("gauge", false),
        MetricValue::Sum { monotonic: false, .. } if metric.temporality != Some(Temporality::Delta) => {
            ("gauge", false)
        }
        MetricValue::UpDown(_) | MetricValue::Sum { monotonic: false, .. } => {
            return Err("a change up or down is no gauge; send the sum since the beginning");
        }
        MetricValue::Sum { .. } if cumulative => return Err(FROM_THE_BEGINNING),
        MetricValue::Histogram(_) | MetricValue::ExpHistogram(_) if cumulative => {
            return Err(FROM_THE_BEGINNING);
        }
        MetricValue::Add(_) | MetricValue::Sum { .. } => ("count", true),
        MetricValue::Sample(_) | MetricValue::Histogram(_) | MetricValue::ExpHistogram(_) => {
            ("summary", true)
        }
    };
    let value = match points::told(&metric.value) {
        Told::Number(value) if kind == "summary" => {
            PointValue::Summary { count: 1, sum: value, min: value, max: value }
        }
        Told::Number(value) => PointValue::Number(value),
        Told::Distribution { count, sum, min: Some(min), max: Some(max) } => {
            PointValue::Summary { count, sum, min, max }
        }
        Told::Distribution { count: 0, .. } => {
            return Err("it has no samples, so that there is nothing to tell");
        }
        Told::Distribution { .. } => {
            return Err(
                "a summary has the least and the greatest sample, which it lacks; set metrics_api = \"otlp\"",
            );
        }
    };
    let finite = match value {
        PointValue::Number(value) => value.is_finite(),
        PointValue::Summary { sum, min, max, .. } => [sum, min, max].iter().all(|value| value.is_finite()),
    };
    if matches!(value, PointValue::Number(value) if kind == "count" && value < 0.0) {
        return Err("a count is never below zero, or the Metric API drops it; use an up-down counter");
    }
    if finite {
        Ok(Shape { kind, value, windowed })
    } else {
        Err("the Metric API drops what is no finite number")
    }
}

/// What the points of a block have in common.
struct Head {
    resource: Arc<Resource>,
    /// The name of the points where the resource has an attribute that is called so, else nothing: New Relic takes no metric
    /// that is called as one of its attributes.
    taken: Option<Str>,
    /// The block up to where its points begin.
    json: Vec<u8>,
    /// How many attributes stand there.
    attributes: usize,
}

impl Head {
    fn new(resource: &Arc<Resource>, taken: Option<&Str>, max: usize) -> Self {
        let mut pairs = Pairs::new(&COMMON).beside(0, taken.map_or("", Str::as_str));
        pairs.resource(resource);
        pairs.settle();
        let mut json = b"{\"common\":{\"attributes\":".to_vec();
        json.extend_from_slice(&within(max, |most| Object { pairs: &pairs, most }));
        json.extend_from_slice(b"},\"metrics\":[");
        Self { resource: Arc::clone(resource), taken: taken.cloned(), json, attributes: pairs.len() }
    }

    fn is_of(&self, resource: &Arc<Resource>, taken: Option<&Str>) -> bool {
        Arc::ptr_eq(&self.resource, resource) && self.taken.as_ref() == taken
    }
}

/// Points in blocks, one for each resource, and blocks in bodies.
struct Blocks {
    max: usize,
    full: Vec<Call<Vec<u8>>>,
    body: Vec<u8>,
    records: Vec<usize>,
    /// The block that the last point stands in.
    open: Option<Head>,
}

impl Blocks {
    fn new(max: usize) -> Self {
        Self { max, full: Vec::new(), body: Vec::new(), records: Vec::new(), open: None }
    }

    fn add(&mut self, at: usize, resource: &Arc<Resource>, metric: &Metric, shape: Shape) {
        let clashes = |name: &Str| names::attribute(name) == metric.name.as_str();
        let taken = resource.attributes.iter().any(|(name, _)| clashes(name)).then_some(&metric.name);
        let known = self.open.take().filter(|head| head.is_of(resource, taken));
        let same = known.is_some();
        let head = known.unwrap_or_else(|| Head::new(resource, taken, self.max / 2));
        let room = self.max - OPEN.len() - head.json.len() - CLOSE.len();
        let point = written(metric, shape, head.attributes, room);
        let between = if same { 1 } else { END.len() + 1 + head.json.len() };
        if !self.body.is_empty() && self.body.len() + between + point.len() + CLOSE.len() > self.max {
            self.end();
        }
        if self.body.is_empty() {
            self.body.extend_from_slice(OPEN);
            self.body.extend_from_slice(&head.json);
        } else if same {
            self.body.push(b',');
        } else {
            self.body.extend_from_slice(END);
            self.body.push(b',');
            self.body.extend_from_slice(&head.json);
        }
        self.body.extend_from_slice(&point);
        self.records.push(at);
        self.open = Some(head);
    }

    fn end(&mut self) {
        let mut request = std::mem::take(&mut self.body);
        request.extend_from_slice(CLOSE);
        self.full.push(Call { request, records: std::mem::take(&mut self.records) });
    }

    fn finish(mut self) -> Vec<Call<Vec<u8>>> {
        if !self.body.is_empty() {
            self.end();
        }
        self.full
    }
}

/// A point in at most so many bytes.
fn written(metric: &Metric, shape: Shape, shared: usize, max: usize) -> Vec<u8> {
    let mut pairs = Pairs::new(&RULES).beside(shared, &metric.name);
    pairs.some("unit", metric.unit.as_ref());
    pairs.some("description", metric.description.as_ref());
    for (name, value) in metric.labels.iter() {
        pairs.own("label.", name, Scalar::Text(value.as_str().into()));
    }
    pairs.settle();
    let (start, length) = points::window(metric);
    let (timestamp, interval) =
        if shape.windowed { (start, Some(length)) } else { (metric.time.as_millis(), None) };
    within(max, |most| Point {
        name: &metric.name,
        kind: shape.kind,
        value: shape.value,
        timestamp,
        interval,
        attributes: Object { pairs: &pairs, most },
    })
}

#[cfg(test)]
mod tests {
    use obs_core::{Histogram, Timestamp};

    use super::*;

    fn of(
        value: MetricValue,
        temporality: Option<Temporality>,
    ) -> Result<(&'static str, PointValue), &'static str> {
        let mut metric = Metric::new(Timestamp::from_nanos(1), "m", value);
        metric.temporality = temporality;
        shape(&metric).map(|shape| (shape.kind, shape.value))
    }

    #[test]
    fn every_kind_has_its_form_or_a_reason() {
        let (delta, cumulative) = (Some(Temporality::Delta), Some(Temporality::Cumulative));
        let sum = |monotonic| MetricValue::Sum { value: 2.0, monotonic };
        let histogram = |min| {
            MetricValue::Histogram(Box::new(Histogram {
                count: 2,
                sum: 3.0,
                min,
                max: Some(2.0),
                ..Histogram::default()
            }))
        };
        assert_eq!(of(MetricValue::Gauge(1.0), None), Ok(("gauge", PointValue::Number(1.0))));
        assert_eq!(of(MetricValue::Add(1.0), None), Ok(("count", PointValue::Number(1.0))));
        assert_eq!(of(sum(true), delta), Ok(("count", PointValue::Number(2.0))));
        assert_eq!(of(sum(false), cumulative), Ok(("gauge", PointValue::Number(2.0))));
        let summary = PointValue::Summary { count: 2, sum: 3.0, min: 1.0, max: 2.0 };
        assert_eq!(of(histogram(Some(1.0)), delta), Ok(("summary", summary)));
        let one = PointValue::Summary { count: 1, sum: 4.0, min: 4.0, max: 4.0 };
        assert_eq!(of(MetricValue::Sample(4.0), None), Ok(("summary", one)));
        for refused in [
            of(sum(true), cumulative),
            of(sum(false), delta),
            of(MetricValue::UpDown(1.0), None),
            of(histogram(Some(1.0)), cumulative),
            of(histogram(None), delta),
            of(MetricValue::Histogram(Box::default()), delta),
            of(MetricValue::Gauge(f64::NAN), None),
            of(MetricValue::Add(-1.0), None),
            of(MetricValue::Sum { value: -2.0, monotonic: true }, delta),
        ] {
            assert!(refused.is_err(), "{refused:?}");
        }
    }
}
