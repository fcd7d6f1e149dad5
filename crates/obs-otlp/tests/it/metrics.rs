//! Metrics.

use obs_core::{ExpBuckets, MetricValue, Temporality};
use obs_otlp::ingest::{self, Ingested};
use serde_json::json;

use crate::request::{TRACE, attributes, metrics, read};

fn request(metric: &serde_json::Value) -> serde_json::Value {
    json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]})
}

fn points(metric: &serde_json::Value) -> Vec<obs_core::Metric> {
    metrics(&read(&request(metric))).into_iter().cloned().collect()
}

fn refused(metric: &serde_json::Value) -> Ingested {
    ingest::json(&request(metric).to_string()).unwrap()
}

#[test]
fn sums_and_gauges_have_value_interval_unit_and_labels() {
    let point = json!({
        "asInt": "3", "startTimeUnixNano": "1", "timeUnixNano": "2",
        "attributes": attributes(&[("model", json!("m")), ("n", json!(7)), ("list", json!(["a"]))]),
        "exemplars": [
            {"asDouble": 1.5, "timeUnixNano": "2", "traceId": TRACE, "spanId": "0000000000000001"},
            {"asDouble": 9.5, "timeUnixNano": "3"},
            {"asInt": 2, "timeUnixNano": "1", "traceId": TRACE},
        ],
    });
    let metric = json!({"name": "tokens", "unit": "{token}", "description": "d", "sum": {
        "aggregationTemporality": 1, "isMonotonic": true, "dataPoints": [point],
    }});
    let sum = points(&metric).pop().unwrap();
    assert_eq!(sum.value, MetricValue::Sum { value: 3.0, monotonic: true });
    assert_eq!((sum.start.unwrap().as_nanos(), sum.time.as_nanos()), (1, 2));
    assert_eq!((sum.unit.as_deref(), sum.description.as_deref()), (Some("{token}"), Some("d")));
    assert_eq!(sum.temporality, Some(Temporality::Delta));
    let labels: Vec<_> = sum.labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(labels, [("model", "m"), ("n", "7"), ("list", "[\"a\"]")]);
    let exemplar = sum.exemplar.unwrap();
    assert_eq!((exemplar.value, exemplar.span.span_id.unwrap().get()), (Some(1.5), 1));

    let gauge =
        points(&json!({"name": "g", "gauge": {"dataPoints": [{"asDouble": -2.5}, {"asDouble": "NaN"}]}}));
    assert_eq!((gauge[0].value.clone(), gauge[0].temporality), (MetricValue::Gauge(-2.5), None));
    assert!(matches!(gauge[1].value, MetricValue::Gauge(value) if value.is_nan()));
}

#[test]
fn histograms_keep_their_buckets() {
    let metric = json!({"name": "h", "histogram": {"aggregationTemporality": "AGGREGATION_TEMPORALITY_CUMULATIVE", "dataPoints": [
        {"count": "3", "sum": 6.5, "min": 1, "max": 4, "bucketCounts": ["1", 2], "explicitBounds": [2.5]},
        {"count": 2},
    ]}});
    let points = points(&metric);
    let MetricValue::Histogram(first) = &points[0].value else { panic!("{points:?}") };
    assert_eq!((first.count, first.sum, first.min, first.max), (3, 6.5, Some(1.0), Some(4.0)));
    assert_eq!((first.counts.as_slice(), &first.bounds[..]), ([1, 2].as_slice(), [2.5].as_slice()));
    assert_eq!(points[0].temporality, Some(Temporality::Cumulative));
    let MetricValue::Histogram(second) = &points[1].value else { panic!("{points:?}") };
    assert_eq!((second.counts.as_slice(), second.bounds.len()), ([2].as_slice(), 0));
    assert!(second.sum.is_nan(), "a sum that was not reported is no number");
}

#[test]
fn exponential_histograms_keep_their_scale_and_buckets() {
    let point = json!({"count": 5, "sum": 9, "scale": 3, "zeroCount": "1", "zeroThreshold": 0.5,
        "positive": {"offset": -2, "bucketCounts": ["1", "3"]}});
    let metric =
        json!({"name": "e", "exponentialHistogram": {"aggregationTemporality": 2, "dataPoints": [point]}});
    let points = points(&metric);
    let MetricValue::ExpHistogram(histogram) = &points[0].value else { panic!("{points:?}") };
    assert_eq!((histogram.scale, histogram.zero_count, histogram.zero_threshold), (3, 1, 0.5));
    assert_eq!(histogram.positive, ExpBuckets { offset: -2, counts: vec![1, 3] });
    assert_eq!(histogram.negative, ExpBuckets::default());
}

#[test]
fn a_summary_becomes_its_parts() {
    let point = json!({"count": 4, "sum": 10, "attributes": attributes(&[("a", json!("b"))]),
        "quantileValues": [{"quantile": 0.5, "value": 2}, {"quantile": 0.99, "value": 7.5}]});
    let points = points(&json!({"name": "s", "unit": "s", "summary": {"dataPoints": [point]}}));
    let seen: Vec<_> = points
        .iter()
        .map(|point| {
            (point.name.as_str(), point.value.clone(), point.labels.get("quantile").map(ToString::to_string))
        })
        .collect();
    let sum = |value, monotonic| MetricValue::Sum { value, monotonic };
    assert_eq!(
        seen,
        [
            ("s_sum", sum(10.0, false), None),
            ("s_count", sum(4.0, true), None),
            ("s", MetricValue::Gauge(2.0), Some("0.5".into())),
            ("s", MetricValue::Gauge(7.5), Some("0.99".into())),
        ]
    );
    assert!(points.iter().all(|point| point.labels.get("a").is_some()));
}

#[test]
fn a_bad_point_is_refused_alone() {
    let cases = [
        (
            json!({"name": "m", "gauge": {"dataPoints": [{"asInt": 1}, {}]}}),
            1,
            ".gauge.dataPoints[1]",
            "no value",
        ),
        (
            json!({"name": "m", "sum": {"dataPoints": [{"asInt": 1, "flags": 1}]}}),
            0,
            ".sum.dataPoints[0]",
            "has ended",
        ),
        (
            json!({"name": "m", "histogram": {"dataPoints": [{"count": 1, "bucketCounts": [1], "explicitBounds": [1]}]}}),
            0,
            ".histogram.dataPoints[0]",
            "need one more",
        ),
        (
            json!({"name": "m", "histogram": {"dataPoints": [{"bucketCounts": [1, 0, 0], "explicitBounds": [2, 1]}]}}),
            0,
            ".histogram.dataPoints[0]",
            "ascend",
        ),
        (
            json!({"name": "m", "sum": {"aggregationTemporality": 9, "dataPoints": [{"asInt": 1}]}}),
            0,
            ".sum.dataPoints[0]",
            "0 to 2",
        ),
        (json!({"name": "m"}), 0, "", "holds none of"),
        (json!({"gauge": {"dataPoints": [{"asInt": 1}]}}), 0, "", "no name"),
    ];
    for (metric, read, place, reason) in cases {
        let ingested = refused(&metric);
        assert_eq!((ingested.records.len(), ingested.refused.len()), (read, 1), "{metric}");
        let refused = &ingested.refused[0];
        assert_eq!(refused.place, format!("resourceMetrics[0].scopeMetrics[0].metrics[0]{place}"));
        assert!(refused.reason.contains(reason), "{refused}");
    }
}
