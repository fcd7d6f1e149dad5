//! Mistakes that writers of OTLP metrics make, and what ours writes instead.
//!
//! Three more are about what happens before: increments have to be summed, once per interval, over a bounded number of series.
//! Those belong to aggregation, and so do their tests.

use obs_core::{Histogram, Metric, MetricValue, Temporality, Timestamp};
use obs_otlp::encode::{Encoding, MetricRequests};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{HistogramDataPoint, Sum};
use prost::Message;
use serde_json::{Value, json};

/// Beyond what a float can tell apart, as every time since 1970 is.
const TIME: u64 = 1_768_478_400_123_456_789;

fn metric(value: MetricValue) -> Metric {
    Metric::new(Timestamp::from_nanos(TIME), "requests", value)
}

fn aggregated(value: MetricValue, temporality: Temporality) -> Metric {
    let mut metric = metric(value);
    metric.temporality = Some(temporality);
    metric.start = Some(Timestamp::from_nanos(TIME - 60_000_000_000));
    metric
}

fn body(encoding: Encoding, metrics: &[Metric]) -> Vec<u8> {
    let mut requests = MetricRequests::new(encoding, 512, 4 << 20);
    for (at, metric) in metrics.iter().enumerate() {
        requests.push(at, metric).unwrap();
    }
    requests.finish().remove(0).body
}

fn decoded(metric: Metric) -> Data {
    let body = body(Encoding::Protobuf, &[metric]);
    let mut request = ExportMetricsServiceRequest::decode(body.as_slice()).unwrap();
    request.resource_metrics.remove(0).scope_metrics.remove(0).metrics.remove(0).data.unwrap()
}

fn json(metric: Metric) -> Value {
    let request: Value = serde_json::from_slice(&body(Encoding::Json, &[metric])).unwrap();
    request["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0].clone()
}

fn sum(metric: Metric) -> Sum {
    match decoded(metric) {
        Data::Sum(sum) => sum,
        other => panic!("{other:?}"),
    }
}

fn histogram(metric: Metric) -> (HistogramDataPoint, i32) {
    match decoded(metric) {
        Data::Histogram(mut histogram) => {
            (histogram.data_points.remove(0), histogram.aggregation_temporality)
        }
        other => panic!("{other:?}"),
    }
}

fn samples(value: Histogram) -> MetricValue {
    MetricValue::Histogram(Box::new(value))
}

/// The key `counter`, which OTLP does not have, is a metric without data.
#[test]
fn mistake_1_a_counter_is_a_sum() {
    let counter = json(metric(MetricValue::Add(3.0)));
    assert_eq!((counter.get("counter"), &counter["sum"]["isMonotonic"]), (None, &json!(true)));
    let increment = sum(metric(MetricValue::Add(3.0)));
    assert!(increment.is_monotonic);
    assert_eq!(increment.data_points.len(), 1);
    assert!(matches!(decoded(metric(MetricValue::Gauge(3.0))), Data::Gauge(_)));
    assert!(matches!(decoded(metric(MetricValue::Sample(3.0))), Data::Histogram(_)));
}

#[test]
fn mistake_2_sums_and_histograms_say_their_temporality() {
    let total = |temporality| aggregated(MetricValue::Sum { value: 3.0, monotonic: true }, temporality);
    assert_eq!(sum(total(Temporality::Delta)).aggregation_temporality, 1);
    assert_eq!(sum(total(Temporality::Cumulative)).aggregation_temporality, 2);
    assert_eq!(json(total(Temporality::Cumulative))["sum"]["aggregationTemporality"], json!(2));
    assert_eq!(sum(metric(MetricValue::Add(3.0))).aggregation_temporality, 1, "an increment is a delta");
    assert_eq!(histogram(metric(MetricValue::Sample(3.0))).1, 1);
    let unsaid = Metric { temporality: None, ..total(Temporality::Delta) };
    let refused = MetricRequests::new(Encoding::Protobuf, 1, 1).push(0, &unsaid).unwrap_err();
    assert!(refused.to_string().contains("set it to delta or cumulative"), "{refused}");
}

#[test]
fn mistake_3_sums_say_whether_they_only_grow() {
    assert!(sum(metric(MetricValue::Add(1.0))).is_monotonic);
    assert!(!sum(metric(MetricValue::UpDown(-1.0))).is_monotonic);
    for monotonic in [true, false] {
        let total = aggregated(MetricValue::Sum { value: 1.0, monotonic }, Temporality::Delta);
        assert_eq!(sum(total.clone()).is_monotonic, monotonic);
        assert_eq!(json(total)["sum"]["isMonotonic"], json!(monotonic));
    }
}

#[test]
fn mistake_4_histograms_have_a_count_and_buckets_that_come_to_it() {
    let (one, _) = histogram(metric(MetricValue::Sample(12.5)));
    assert_eq!(
        (one.count, one.sum, one.bucket_counts.len(), one.explicit_bounds.len()),
        (1, Some(12.5), 0, 0)
    );
    assert_eq!((one.min, one.max), (Some(12.5), Some(12.5)));
    let value = Histogram {
        count: 3,
        sum: 6.5,
        bounds: [1.0, 5.0].into(),
        counts: vec![0, 2, 1],
        ..Histogram::default()
    };
    let (many, _) = histogram(aggregated(samples(value.clone()), Temporality::Delta));
    assert_eq!(many.bucket_counts.len(), many.explicit_bounds.len() + 1);
    assert_eq!(many.bucket_counts.iter().sum::<u64>(), many.count);
    assert_eq!((many.min, many.max), (None, None), "what is not known is not said");
    for bad in [
        Histogram { counts: vec![0, 3], ..value.clone() },
        Histogram { counts: vec![0, 2, 2], ..value.clone() },
        Histogram { bounds: [5.0, 1.0].into(), ..value },
    ] {
        let bad = aggregated(samples(bad), Temporality::Delta);
        assert!(MetricRequests::new(Encoding::Protobuf, 1, 1).push(0, &bad).is_err(), "{bad:?}");
    }
}

#[test]
fn mistake_5_points_say_when_they_began() {
    let began = TIME - 60_000_000_000;
    let total = aggregated(MetricValue::Sum { value: 1.0, monotonic: true }, Temporality::Cumulative);
    let point = sum(total.clone()).data_points.remove(0);
    assert_eq!((point.start_time_unix_nano, point.time_unix_nano), (began, TIME));
    assert_eq!(json(total)["sum"]["dataPoints"][0]["startTimeUnixNano"], json!(began.to_string()));
    let value = Histogram { counts: vec![0], ..Histogram::default() };
    let (point, _) = histogram(aggregated(samples(value), Temporality::Delta));
    assert_eq!((point.start_time_unix_nano, point.time_unix_nano), (began, TIME));
    let point = sum(metric(MetricValue::Add(1.0))).data_points.remove(0);
    assert_eq!((point.start_time_unix_nano, point.time_unix_nano), (TIME, TIME), "a moment, and no more");
}

#[test]
fn mistake_8_the_unit_is_the_metrics_own() {
    let mut latency = metric(MetricValue::Sample(0.2));
    assert_eq!(json(latency.clone()).get("unit"), None, "no unit is not the unit 1");
    latency.unit = Some("s".into());
    assert_eq!(json(latency)["unit"], json!("s"));
}

#[test]
fn mistake_9_times_are_whole_nanoseconds() {
    assert_ne!(TIME as f64 as u64, TIME, "a float cannot tell this time");
    let point = sum(metric(MetricValue::Add(1.0))).data_points.remove(0);
    assert_eq!(point.time_unix_nano, TIME);
    let point = json(metric(MetricValue::Add(1.0)))["sum"]["dataPoints"][0].clone();
    assert_eq!(point["timeUnixNano"], json!("1768478400123456789"));
}

#[test]
fn mistake_11_metrics_stand_in_their_scope_and_resource() {
    let metrics = [metric(MetricValue::Add(1.0)), metric(MetricValue::Add(2.0))];
    let request: Value = serde_json::from_slice(&body(Encoding::Json, &metrics)).unwrap();
    let expected = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "requests", "sum": {
        "dataPoints": [
            {"startTimeUnixNano": TIME.to_string(), "timeUnixNano": TIME.to_string(), "asDouble": 1.0},
            {"startTimeUnixNano": TIME.to_string(), "timeUnixNano": TIME.to_string(), "asDouble": 2.0},
        ],
        "aggregationTemporality": 1, "isMonotonic": true,
    }}]}]}]});
    assert_eq!(request, expected);
}
