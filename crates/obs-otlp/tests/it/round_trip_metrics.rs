//! Metrics that go out come back as the points that OTLP has of them.

use std::sync::Arc;

use obs_core::{
    Exemplar, ExpHistogram, Histogram, Labels, Metric, MetricValue, Record, Str, Temporality, Timestamp,
};
use obs_otlp::encode::{Encoding, MetricRequests};
use obs_otlp::ingest::{self, Kind};
use obs_testkit::arbitrary;
use proptest::prelude::*;

use crate::encode_metrics::valid;
use crate::round_trip::{resource, some};

fn back(encoding: Encoding, metric: &Metric) -> Metric {
    let mut requests = MetricRequests::new(encoding, 1, 0);
    requests.push(0, metric).unwrap();
    let body = requests.finish().remove(0).body;
    let ingested = match encoding {
        Encoding::Protobuf => ingest::protobuf(Kind::Metrics, &body).unwrap(),
        Encoding::Json => ingest::json(std::str::from_utf8(&body).unwrap()).unwrap(),
    };
    assert_eq!(ingested.refused, []);
    match <[Record; 1]>::try_from(ingested.records) {
        Ok([Record::Metric(metric)]) => metric,
        other => panic!("{other:?}"),
    }
}

/// The canonical JSON, in which numbers that are none are equal to themselves.
fn canonical(metric: &Metric) -> String {
    serde_json::to_string_pretty(metric).unwrap()
}

/// The point that a metric is to OTLP.
fn point(mut metric: Metric) -> Metric {
    // To OTLP, an empty text and the time 0 are none.
    some(&mut metric.unit);
    some(&mut metric.description);
    metric.resource = Arc::new(resource((*metric.resource).clone()));
    // It has no place for a metric's cost, and none for what is known of a trace.
    metric.cost = None;
    metric.context = Arc::default();
    let labels = metric.labels.clone();
    let first =
        |(nth, (name, _)): &(usize, &(Str, Str))| labels[..*nth].iter().all(|(other, _)| other != name);
    metric.labels =
        labels.iter().enumerate().filter(first).map(|(_, label)| label.clone()).collect::<Labels>();
    let time = metric.time;
    let of = |exemplar: Exemplar, value: Option<f64>| Exemplar {
        value: exemplar.value.or(value),
        time: exemplar.time.or(Some(time)),
        ..exemplar
    };
    let own = metric.exemplar.take();
    let with_own = |others: &mut Vec<Exemplar>| {
        let all = own.clone().into_iter().chain(std::mem::take(others));
        *others =
            all.filter(|exemplar| exemplar.value.is_some()).map(|exemplar| of(exemplar, None)).collect();
    };
    let delta = Some(Temporality::Delta);
    match &mut metric.value {
        MetricValue::Gauge(value) => {
            metric.temporality = None;
            metric.exemplar = own.map(|exemplar| of(exemplar, Some(*value)));
        }
        MetricValue::Sum { value, .. } => metric.exemplar = own.map(|exemplar| of(exemplar, Some(*value))),
        // A measurement is a delta of one moment.
        MetricValue::Add(value) | MetricValue::UpDown(value) => {
            let value = *value;
            let monotonic = matches!(metric.value, MetricValue::Add(_));
            metric.exemplar = own.map(|exemplar| of(exemplar, Some(value)));
            metric.value = MetricValue::Sum { value, monotonic };
            (metric.temporality, metric.start) = (delta, metric.start.or(Some(metric.time)));
        }
        MetricValue::Sample(value) => {
            let value = *value;
            metric.value = MetricValue::Histogram(Box::new(Histogram {
                count: 1,
                sum: value,
                min: Some(value),
                max: Some(value),
                counts: vec![1],
                exemplars: own.map(|exemplar| of(exemplar, Some(value))).into_iter().collect(),
                ..Histogram::default()
            }));
            (metric.temporality, metric.start) = (delta, metric.start.or(Some(metric.time)));
        }
        MetricValue::Histogram(histogram) => {
            with_own(&mut histogram.exemplars);
            explicit(histogram);
        }
        MetricValue::ExpHistogram(histogram) => {
            with_own(&mut histogram.exemplars);
            exponential(histogram);
        }
    }
    metric.start = metric.start.filter(|start| *start != Timestamp::default());
    metric
}

/// A sum that is no finite number is none, and the bucket up to infinity is the last one.
fn explicit(histogram: &mut Histogram) {
    if !histogram.sum.is_finite() {
        histogram.sum = f64::NAN;
    }
    if let [before @ .., f64::INFINITY] = &*histogram.bounds {
        histogram.bounds = before.into();
        let beyond = histogram.counts.pop().unwrap();
        *histogram.counts.last_mut().unwrap() += beyond;
    }
}

fn exponential(histogram: &mut ExpHistogram) {
    if !histogram.sum.is_finite() {
        histogram.sum = f64::NAN;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_metric_comes_back_as_its_point(metric in arbitrary::metric()) {
        let metric = valid(metric);
        let expected = point(metric.clone());
        for encoding in [Encoding::Protobuf, Encoding::Json] {
            let came_back = back(encoding, &metric);
            prop_assert_eq!(canonical(&came_back), canonical(&expected), "{:?}", encoding);
            prop_assert_eq!(canonical(&back(encoding, &came_back)), canonical(&expected), "and stays so");
        }
    }
}
