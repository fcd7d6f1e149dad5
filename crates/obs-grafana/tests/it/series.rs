//! What series have to be, one law a test.

use std::collections::BTreeMap;
use std::sync::Arc;

use obs_core::{Batch, Exemplar, Histogram, Metric, MetricValue, Resource, SpanRef, Temporality};
use obs_grafana::{GrafanaConfig, GrafanaExporter, MetricsVia};
use obs_testkit::fixtures::{at, span_id, trace_id};
use proptest::prelude::*;
use prost::Message;

use crate::prom::WriteRequest;
use crate::support::Bench;

fn point(name: &'static str, micros: u64, value: MetricValue) -> Metric {
    let mut metric = Metric::new(at(micros), name, value);
    metric.temporality = Some(Temporality::Cumulative);
    metric
}

fn batch(metrics: impl IntoIterator<Item = Metric>) -> Batch {
    Batch::Metrics(metrics.into_iter().collect())
}

#[tokio::test]
async fn what_is_no_cumulative_series_is_refused_with_the_next_step() {
    let bench = Bench::direct().await;
    let sum = MetricValue::Sum { value: 1.0, monotonic: true };
    let delta = Metric { temporality: Some(Temporality::Delta), ..point("delta", 1, sum.clone()) };
    let silent = Metric { temporality: None, ..point("silent", 1, sum.clone()) };
    let exponential = MetricValue::ExpHistogram(Box::default());
    let refused = [
        (point("add", 1, MetricValue::Add(1.0)), "through a pipeline"),
        (point("sample", 1, MetricValue::Sample(1.0)), "through a pipeline"),
        (delta, "cumulative"),
        (silent, "temporality"),
        (point("exponential", 1, exponential), "histograms = \"base2_exponential_bucket_histogram\""),
        (point("日本", 1, sum.clone()), "names"),
    ];
    let records = refused.iter().map(|(metric, _)| metric.clone()).chain([point("good", 1, sum)]);
    let receipt = bench.export(&batch(records)).await.unwrap();
    assert_eq!((receipt.delivered, receipt.rejected_count()), (1, refused.len()));
    for (rejection, (_, why)) in receipt.rejected.iter().zip(refused) {
        assert!(rejection.reason.contains(why), "{}", rejection.reason);
    }
}

#[tokio::test]
async fn the_setting_that_a_refusal_names_is_one_that_is_read_and_helps() {
    let bench = Bench::direct().await;
    let exponential = batch([point("e", 1, MetricValue::ExpHistogram(Box::default()))]);
    let receipt = bench.export(&exponential).await.unwrap();
    let reason = &receipt.rejected[0].reason;
    let named = reason.split("histograms = ").nth(1).unwrap().split(' ').next().unwrap();
    let read: GrafanaConfig = serde_json::from_str(&format!("{{\"histograms\": {named}}}")).unwrap();
    let bench = Bench::direct_with(|config| config.with_histograms(read.histograms)).await;
    assert_eq!(bench.export(&exponential).await.unwrap().delivered, 1);
}

#[tokio::test]
async fn histograms_that_contradict_themselves_are_refused() {
    let bench = Bench::direct().await;
    let histogram = |count, bounds: &[f64], counts: &[u64]| {
        let (bounds, counts) = (bounds.into(), counts.to_vec());
        MetricValue::Histogram(Box::new(Histogram { count, bounds, counts, ..Histogram::default() }))
    };
    let wrong = [
        histogram(1, &[1.0], &[1]),
        histogram(2, &[1.0], &[1, 0]),
        histogram(2, &[2.0, 1.0], &[1, 1, 0]),
        histogram(2, &[f64::NAN], &[1, 1]),
        histogram(6, &[f64::NEG_INFINITY, 1.0], &[5, 1, 0]),
        histogram(u64::MAX, &[1.0], &[u64::MAX, 5]),
    ];
    let records = wrong.into_iter().map(|value| point("wrong", 1, value));
    let receipt = bench.export(&batch(records)).await.unwrap();
    assert_eq!((receipt.delivered, receipt.rejected_count()), (0, 6));
    // A last bound without end, and none at all, are both one bucket with everything.
    let right = [histogram(3, &[1.0, f64::INFINITY], &[1, 1, 1]), histogram(3, &[], &[])];
    for (value, bounds) in right.into_iter().zip([vec!["1", "+Inf"], vec!["+Inf"]]) {
        let written = bench.written(&batch([point("right", 1, value)])).await;
        let buckets = written[0].timeseries.iter().filter(|series| series.name() == "right_bucket");
        assert_eq!(buckets.map(|series| series.labels()["le"]).collect::<Vec<_>>(), bounds);
    }
}

#[tokio::test]
async fn points_of_one_series_are_one_series_in_the_order_of_time_and_a_superseded_one_is_told() {
    let bench = Bench::direct().await;
    let points = [(30_000, 3.0), (10_000, 1.0), (20_000, 2.0), (10_000, 9.0)];
    let gauges = points.map(|(micros, value)| point("load", micros, MetricValue::Gauge(value)));
    let receipt = bench.export(&batch(gauges)).await.unwrap();
    assert_eq!((receipt.delivered, receipt.rejected_count()), (3, 1));
    assert!(receipt.rejected[0].reason.contains("same millisecond"));
    let request = crate::prom::decoded(&bench.server.take_requests()[0].body);
    request.assert_valid();
    let series = request.timeseries.iter().find(|series| series.name() == "load").unwrap();
    assert_eq!(series.samples.iter().map(|sample| sample.value).collect::<Vec<_>>(), [9.0, 2.0, 3.0]);
}

#[tokio::test]
async fn a_target_is_told_at_its_latest_time_whatever_resource_says_it() {
    let bench = Bench::direct().await;
    let resource = || {
        let mut resource = Resource::service("chat");
        resource.attributes.push("host.name", "h");
        Arc::new(resource)
    };
    let metrics = [10_000, 30_000, 20_000].map(|micros| Metric {
        resource: resource(),
        labels: [("at", micros.to_string())].into(),
        ..point("load", micros, MetricValue::Gauge(1.0))
    });
    let written = bench.written(&batch(metrics)).await;
    let target = written[0].timeseries.iter().find(|series| series.name() == "target_info").unwrap();
    let latest = i64::try_from(at(30_000).as_millis()).unwrap();
    assert_eq!(target.samples.iter().map(|sample| sample.timestamp).collect::<Vec<_>>(), [latest]);
}

#[tokio::test]
async fn exemplars_stand_at_the_bucket_that_they_fell_into() {
    let bench = Bench::direct().await;
    let exemplar = |value| Exemplar {
        span: SpanRef { trace_id: trace_id(1), span_id: Some(span_id(3)) },
        value: Some(value),
        time: Some(at(5)),
    };
    let histogram = Histogram {
        count: 3,
        bounds: [1.0, 2.0].into(),
        counts: vec![1, 1, 1],
        exemplars: [1.0, 1.5, 7.0].map(exemplar).to_vec(),
        ..Histogram::default()
    };
    let written = bench.written(&batch([point("h", 9, MetricValue::Histogram(Box::new(histogram)))])).await;
    let found: BTreeMap<_, _> = written[0]
        .timeseries
        .iter()
        .filter(|series| series.name() == "h_bucket")
        .map(|series| (series.labels()["le"], series.exemplars[0].value))
        .collect();
    assert_eq!(found, [("+Inf", 7.0), ("1", 1.0), ("2", 1.5)].into());
    let ids: Vec<_> = written[0].timeseries[0].exemplars[0].labels.iter().map(|label| &*label.name).collect();
    assert_eq!(ids, ["span_id", "trace_id"]);
}

#[tokio::test]
async fn nothing_looks_like_the_end_of_a_series() {
    const STALE: u64 = 0x7ff0_0000_0000_0002;
    let bench = Bench::direct().await;
    let gauge = point("odd", 1, MetricValue::Gauge(f64::from_bits(STALE)));
    let written = bench.written(&batch([gauge])).await;
    let value = written[0].timeseries[0].samples[0].value;
    assert!(value.is_nan() && value.to_bits() != STALE);
}

#[tokio::test]
async fn a_label_of_ones_own_does_not_hide_the_targets() {
    let bench = Bench::direct().await;
    let mut metric = point("load", 1, MetricValue::Gauge(1.0));
    metric.labels = [("job", "mine"), ("instance", "here"), ("le", "free")].into();
    metric.resource = Arc::new(Resource::service("chat"));
    let written = bench.written(&batch([metric])).await;
    let labels = written[0].timeseries.iter().find(|series| series.name() == "load").unwrap().labels();
    assert_eq!((labels["job"], labels["exported_job"]), ("chat", "mine"));
    assert_eq!(
        (labels["instance"], labels["exported_instance"], labels["le"]),
        ("instance-1", "here", "free")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn buckets_are_monotone_and_end_with_all_samples(counts in prop::collection::vec(0u64..1_000, 1..20)) {
        let bounds: Vec<f64> = (1..counts.len()).map(|nth| nth as f64).collect();
        let count = counts.iter().sum();
        let histogram = Histogram { count, bounds: bounds.into(), counts, ..Histogram::default() };
        let config = GrafanaConfig::self_hosted()
            .with_metrics(MetricsVia::RemoteWrite)
            .with_mimir_endpoint("http://127.0.0.1:1/api/v1/write");
        let exporter = GrafanaExporter::new(config).unwrap();
        let bodies = exporter.encode(&batch([point("h", 1, MetricValue::Histogram(Box::new(histogram)))]));
        let written = WriteRequest::decode(&*bodies[0]).unwrap();
        let value = |name: &str| {
            let of = written.timeseries.iter().filter(move |series| series.name() == name);
            of.map(|series| series.samples[0].value).collect::<Vec<_>>()
        };
        prop_assert!(value("h_bucket").is_sorted());
        prop_assert_eq!(value("h_bucket").last().copied(), Some(count as f64));
        prop_assert_eq!(value("h_count"), vec![count as f64]);
    }
}
