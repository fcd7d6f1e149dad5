//! The encoder of metrics against `opentelemetry-proto` with prost and with serde.

use std::sync::Arc;

use obs_core::{
    Batch, ExpBuckets, ExpHistogram, Histogram, Metric, MetricValue, Signal, Temporality, Timestamp,
};
use obs_otlp::encode::{Chunk, Encoding, InvalidMetric, MetricRequests};
use obs_testkit::{arbitrary, fixtures};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::bodies::{CUTS, check_json, check_protobuf, max_bytes};
use crate::metric_oracle;

fn encode(encoding: Encoding, metrics: &[Metric], (max_items, max_bytes): (usize, usize)) -> Vec<Chunk> {
    let mut requests = MetricRequests::new(encoding, max_items, max_bytes).expecting(max_items % 9);
    for (at, metric) in metrics.iter().enumerate() {
        requests.push(at, metric).unwrap();
    }
    requests.finish()
}

fn check(metrics: &[Metric], cut: (usize, usize)) {
    let expected = |records: &[usize]| -> ExportMetricsServiceRequest {
        metric_oracle::request(&records.iter().map(|at| &metrics[*at]).collect::<Vec<_>>())
    };
    check_protobuf(metrics.len(), cut, &encode(Encoding::Protobuf, metrics, cut), expected);
    check_json(metrics.len(), cut, &encode(Encoding::Json, metrics, cut), expected);
}

fn push(metric: &Metric) -> Result<(), InvalidMetric> {
    MetricRequests::new(Encoding::Protobuf, 1, 0).push(0, metric)
}

#[test]
fn every_fixture_is_encoded_as_prost_and_serde_do() {
    let metrics: Vec<Metric> = [fixtures::batch(Signal::Metrics), fixtures::nasty(Signal::Metrics)]
        .into_iter()
        .flat_map(|batch| match batch {
            Batch::Metrics(records) => records.iter().cloned().collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        })
        .collect();
    let (taken, refused): (Vec<Metric>, Vec<Metric>) =
        metrics.into_iter().partition(|metric| push(metric).is_ok());
    // Changes and samples that are no finite number, increments that are none or negative, an empty name, and a bucket that
    // is not counted.
    assert_eq!(refused.len(), 3 + 3 + 5 + 1 + 1);
    for cut in CUTS {
        check(&taken, cut);
    }
}

/// A metric that the encoder takes, as near to the given one as can be.
pub(crate) fn valid(mut metric: Metric) -> Metric {
    let finite = |value: f64| if value.is_finite() { value } else { 0.5 };
    if metric.name.is_empty() {
        metric.name = "unnamed".into();
    }
    metric.temporality.get_or_insert(Temporality::Delta);
    match &mut metric.value {
        MetricValue::Add(value) => *value = finite(*value).abs(),
        MetricValue::UpDown(value) | MetricValue::Sample(value) => *value = finite(*value),
        MetricValue::ExpHistogram(histogram) => {
            histogram.zero_threshold = finite(histogram.zero_threshold).abs();
            for buckets in [&mut histogram.positive, &mut histogram.negative] {
                buckets.offset = buckets.offset.min(i32::MAX - 10);
            }
        }
        MetricValue::Gauge(_) | MetricValue::Sum { .. } | MetricValue::Histogram(_) => {}
    }
    metric
}

/// Metrics of few resources and, mostly, few names, so that points meet.
fn metrics() -> impl Strategy<Value = Vec<Metric>> {
    let resources = vec(arbitrary::resource(), 1..3);
    let metrics =
        vec((arbitrary::metric(), any::<proptest::sample::Index>(), any::<bool>(), 0usize..4), 0..8);
    (resources, metrics).prop_map(|(resources, metrics)| {
        let one = |(mut metric, index, own, name): (Metric, proptest::sample::Index, bool, usize)| {
            metric.resource = resources[index.index(resources.len())].clone();
            if own {
                metric.resource = Arc::new((*metric.resource).clone());
            }
            if let Some(name) = ["a", "b", "b"].get(name) {
                (metric.name, metric.unit, metric.description) = ((*name).into(), None, None);
            }
            valid(metric)
        };
        metrics.into_iter().map(one).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_metric_is_encoded_as_prost_and_serde_do(metrics in metrics(), items in 0usize..5, bytes in max_bytes()) {
        check(&metrics, (items, bytes));
    }

    #[test]
    fn law_1_accounting_a_metric_is_refused_or_goes_out(metrics in vec(arbitrary::metric(), 0..8), items in 0usize..5) {
        let mut requests = MetricRequests::new(Encoding::Json, items, 2_000);
        let (mut taken, mut refused) = (Vec::new(), Vec::new());
        for (at, metric) in metrics.iter().enumerate() {
            let to = if requests.push(at, metric).is_ok() { &mut taken } else { &mut refused };
            to.push(at);
        }
        let carried: Vec<usize> = requests.finish().into_iter().flat_map(|chunk| chunk.records).collect();
        prop_assert_eq!(&carried, &taken);
        prop_assert_eq!(taken.len() + refused.len(), metrics.len());
    }
}

fn point(value: MetricValue) -> Metric {
    let mut metric = Metric::new(Timestamp::from_nanos(2), "m", value);
    metric.temporality = Some(Temporality::Delta);
    metric
}

#[test]
fn what_readers_would_refuse_is_refused_with_the_reason() {
    let histogram = |count, bounds: &[f64], counts: &[u64]| {
        let (bounds, counts) = (bounds.into(), counts.into());
        MetricValue::Histogram(Box::new(Histogram { count, bounds, counts, ..Histogram::default() }))
    };
    let exponential = |histogram| MetricValue::ExpHistogram(Box::new(histogram));
    let high = ExpBuckets { offset: i32::MAX, counts: vec![0, 0] };
    let unsaid = |value| Metric { temporality: None, ..point(value) };
    let cases = [
        (Metric { name: "".into(), ..point(MetricValue::Gauge(1.0)) }, "has no name"),
        (unsaid(MetricValue::Sum { value: 1.0, monotonic: true }), "set it to delta or cumulative"),
        (unsaid(histogram(0, &[], &[0])), "says no temporality"),
        (unsaid(exponential(ExpHistogram::default())), "says no temporality"),
        (point(MetricValue::Add(-1.0)), "incremented by -1, which must be finite and not negative"),
        (point(MetricValue::Add(f64::NAN)), "incremented by NaN"),
        (point(MetricValue::UpDown(f64::INFINITY)), "inf was measured"),
        (point(MetricValue::Sample(f64::NAN)), "NaN was measured"),
        (point(histogram(1, &[1.0], &[1])), "has 1 counts for 1 bounds, it needs one more"),
        (point(histogram(0, &[1.0], &[])), "has 0 counts for 1 bounds"),
        (point(histogram(0, &[], &[0, 0])), "has 2 counts for 0 bounds"),
        (point(histogram(1, &[2.0, 1.0], &[1, 0, 0])), "must be finite and ascend"),
        (point(histogram(1, &[1.0, 1.0], &[1, 0, 0])), "must be finite and ascend"),
        (point(histogram(1, &[f64::NAN], &[1, 0])), "must be finite and ascend"),
        (point(histogram(1, &[f64::NEG_INFINITY], &[1, 0])), "must be finite and ascend"),
        (point(histogram(2, &[1.0], &[1, 0])), "has 2 samples, but its buckets have 1"),
        (point(exponential(ExpHistogram { count: 1, ..ExpHistogram::default() })), "but its buckets have 0"),
        (
            point(exponential(ExpHistogram { zero_threshold: -1.0, ..ExpHistogram::default() })),
            "up to -1, which must be finite and not negative",
        ),
        (point(exponential(ExpHistogram { positive: high, ..ExpHistogram::default() })), "lower its scale"),
    ];
    for (metric, reason) in cases {
        let refused = push(&metric).unwrap_err().to_string();
        assert!(refused.contains(reason), "{refused}");
    }
    assert_eq!(push(&point(histogram(7, &[], &[]))), Ok(()), "count and sum alone are a histogram");
}

#[test]
fn no_metrics_are_no_requests() {
    assert_eq!(MetricRequests::new(Encoding::Protobuf, 1, 1).finish(), []);
    let mut requests = MetricRequests::new(Encoding::Protobuf, 1, 1);
    requests.push(0, &point(MetricValue::Add(-1.0))).unwrap_err();
    assert_eq!(requests.finish(), []);
}
