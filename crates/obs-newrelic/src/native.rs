//! Points of New Relic's Metric API: gauges, counts and summaries.

use std::sync::Arc;

use obs_core::{Call, Mapped, Metric, MetricValue, Records, Refused, Resource, Temporality};

use crate::NewRelicExporter;
use crate::event::{Object, Pairs, Rules, within};
use crate::points::{self, Told};
use crate::wire::{Point, PointValue};

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
    ],
    most: 150,
};

/// The most attributes that points have in common, so that there is room for their own.
const COMMON: usize = 90;

const OPEN: &[u8] = b"[";
const METRICS: &[u8] = b",\"metrics\":[";
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
    if name == 0 || name >= crate::names::NAME {
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
    if finite {
        Ok(Shape { kind, value, windowed })
    } else {
        Err("the Metric API drops what is no finite number")
    }
}

/// Points in blocks, one for each resource, and blocks in bodies.
struct Blocks {
    max: usize,
    full: Vec<Call<Vec<u8>>>,
    body: Vec<u8>,
    records: Vec<usize>,
    /// The resource of the open block, with its head and how many attributes stand there.
    open: Option<(Arc<Resource>, Vec<u8>, usize)>,
}

impl Blocks {
    fn new(max: usize) -> Self {
        Self { max, full: Vec::new(), body: Vec::new(), records: Vec::new(), open: None }
    }

    fn add(&mut self, at: usize, resource: &Arc<Resource>, metric: &Metric, shape: Shape) {
        let same = self.open.as_ref().is_some_and(|(known, ..)| Arc::ptr_eq(known, resource));
        let (head, shared) = match self.open.take() {
            Some((_, head, shared)) if same => (head, shared),
            _ => head(resource, self.max / 2),
        };
        let room = self.max - OPEN.len() - head.len() - CLOSE.len();
        let point = written(metric, shape, shared, room);
        let between = if same { 1 } else { END.len() + 1 + head.len() };
        let fits = self.body.len() + between + point.len() + CLOSE.len() <= self.max;
        if !self.body.is_empty() && !fits {
            self.end();
        }
        if self.body.is_empty() {
            self.body.extend_from_slice(OPEN);
            self.body.extend_from_slice(&head);
        } else if same {
            self.body.push(b',');
        } else {
            self.body.extend_from_slice(END);
            self.body.push(b',');
            self.body.extend_from_slice(&head);
        }
        self.body.extend_from_slice(&point);
        self.records.push(at);
        self.open = Some((Arc::clone(resource), head, shared));
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

/// What the points of a resource have in common, up to where they begin, and how many attributes that is.
fn head(resource: &Resource, max: usize) -> (Vec<u8>, usize) {
    let mut pairs = Pairs::new(&RULES).beside(RULES.most - COMMON, "");
    pairs.resource(resource);
    pairs.settle();
    let attributes = within(max, |most| Object { pairs: &pairs, most });
    let mut head = b"{\"common\":{\"attributes\":".to_vec();
    head.extend_from_slice(&attributes);
    head.push(b'}');
    head.extend_from_slice(METRICS);
    (head, pairs.len())
}

/// A point in at most so many bytes.
fn written(metric: &Metric, shape: Shape, shared: usize, max: usize) -> Vec<u8> {
    let mut pairs = Pairs::new(&RULES).beside(shared, &metric.name);
    pairs.some("unit", metric.unit.as_ref());
    pairs.some("description", metric.description.as_ref());
    for (name, value) in metric.labels.iter() {
        pairs.own("label.", name, crate::wire::Scalar::Text(value.as_str().into()));
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
        ] {
            assert!(refused.is_err(), "{refused:?}");
        }
    }
}
