//! What becomes one series in Prometheus and was none before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use obs_core::{Batch, Histogram, Metric, MetricValue, Resource, Temporality};
use obs_grafana::{GrafanaConfig, GrafanaExporter, MetricsVia};
use obs_testkit::fixtures::at;
use proptest::prelude::*;
use prost::Message;

use crate::prom::WriteRequest;
use crate::support::Bench;

/// A count of calls on a host, which no label of a series tells.
fn calls(host: &str, second: u64, value: f64) -> Metric {
    let mut resource = Resource::service("chat");
    resource.attributes.push("host.name", host.to_owned());
    let resource = Arc::new(resource);
    Metric { resource, ..cumulative("calls", second, MetricValue::Sum { value, monotonic: true }) }
}

fn cumulative(name: &'static str, second: u64, value: MetricValue) -> Metric {
    let mut metric = Metric::new(at(second * 1_000_000), name, value);
    metric.temporality = Some(Temporality::Cumulative);
    metric
}

/// What arrives of one series, and why the rest does not.
async fn sent(bench: &Bench, name: &str, metrics: Vec<Metric>) -> (Vec<f64>, Vec<String>) {
    let receipt = bench.export(&Batch::Metrics(metrics.into())).await.unwrap();
    let requests = bench.server.take_requests();
    let requests: Vec<_> = requests.iter().map(|request| crate::prom::decoded(&request.body)).collect();
    requests.iter().for_each(WriteRequest::assert_valid);
    let of = requests.iter().flat_map(|request| &request.timeseries).filter(|series| series.name() == name);
    let values = of.flat_map(|series| series.samples.iter().map(|sample| sample.value)).collect();
    (values, receipt.rejected.iter().map(|one| one.reason.to_string()).collect())
}

#[tokio::test]
async fn a_series_is_its_first_sources_however_views_are_ordered_and_cut() {
    let bench = Bench::direct().await;
    let (values, refused) = sent(&bench, "calls_total", vec![calls("a", 1, 10.0), calls("b", 1, 20.0)]).await;
    assert_eq!((values, refused.len()), (vec![10.0], 1));
    assert!(refused[0].contains("calls_total") && refused[0].contains("service.instance.id"), "{refused:?}");
    // The next view has another order and is cut between the two.
    let (values, refused) = sent(&bench, "calls_total", vec![calls("b", 2, 21.0)]).await;
    assert_eq!((values, refused.len()), (vec![], 1));
    assert_eq!(sent(&bench, "calls_total", vec![calls("a", 2, 11.0)]).await, (vec![11.0], vec![]));
}

#[tokio::test]
async fn a_series_that_ended_is_free_for_another_source() {
    let bench = Bench::direct().await;
    sent(&bench, "calls_total", vec![calls("a", 0, 10.0)]).await;
    assert_eq!(sent(&bench, "calls_total", vec![calls("b", 299, 20.0)]).await.0, Vec::<f64>::new());
    assert_eq!(sent(&bench, "calls_total", vec![calls("b", 300, 20.0)]).await, (vec![20.0], vec![]));
    assert_eq!(sent(&bench, "calls_total", vec![calls("a", 301, 11.0)]).await.1.len(), 1);
}

#[tokio::test]
async fn the_reason_says_what_differs_and_what_to_do() {
    let sum = || MetricValue::Sum { value: 1.0, monotonic: true };
    let in_runs = Metric { unit: Some("{run}".into()), ..cumulative("calls", 1, sum()) };
    let labelled =
        |name: &'static str| Metric { labels: [(name, "x")].into(), ..cumulative("calls", 1, sum()) };
    let gauge = Metric { temporality: None, ..cumulative("calls_total", 1, MetricValue::Gauge(1.0)) };
    for (first, second, why) in [
        (cumulative("a.b", 1, sum()), cumulative("a_b", 1, sum()), "the metric \"a.b\""),
        (cumulative("calls", 1, sum()), in_runs, "in another unit"),
        (cumulative("calls.total", 1, sum()), gauge, "the metric \"calls.total\""),
        (labelled("a.b"), labelled("a_b"), "labels"),
    ] {
        let bench = Bench::direct().await;
        let receipt = bench.export(&Batch::Metrics(vec![first, second].into())).await.unwrap();
        assert_eq!((receipt.delivered, receipt.rejected_count()), (1, 1), "{why}");
        assert!(receipt.rejected[0].reason.contains(why), "{}", receipt.rejected[0].reason);
    }
}

#[tokio::test]
async fn a_metric_called_as_a_part_of_a_histogram_is_found() {
    let bench = Bench::direct().await;
    let histogram = Histogram { count: 3, bounds: [1.0].into(), counts: vec![1, 2], ..Histogram::default() };
    let histogram = cumulative("x", 1, MetricValue::Histogram(Box::new(histogram)));
    let gauge = cumulative("x_count", 1, MetricValue::Gauge(9.0));
    let (values, refused) = sent(&bench, "x_count", vec![histogram, gauge]).await;
    assert_eq!((values, refused.len()), (vec![3.0], 1));
    assert!(refused[0].contains("the metric \"x\""), "{refused:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_series_has_two_values_at_once_and_none_falls(
        views in prop::collection::vec((prop::collection::vec(0usize..4, 1..6), 0usize..6), 1..6),
    ) {
        let config = GrafanaConfig::self_hosted()
            .with_metrics(MetricsVia::RemoteWrite)
            .with_mimir_endpoint("http://127.0.0.1:1/api/v1/write");
        let exporter = GrafanaExporter::new(config).unwrap();
        let mut seen: BTreeMap<String, BTreeMap<i64, f64>> = BTreeMap::new();
        for (nth, (sources, cut)) in (0u64..).zip(views) {
            // Each source once a view, in any order, each with a count of its own magnitude.
            let mut known = BTreeSet::new();
            let sources: Vec<usize> = sources.into_iter().filter(|source| known.insert(*source)).collect();
            let point = |source: &usize| {
                calls(["a", "b", "c", "d"][*source], nth, [1.0, 100.0, 1e4, 1e6][*source] + nth as f64)
            };
            let (front, back) = sources.split_at(cut.min(sources.len()));
            for part in [front, back].into_iter().filter(|part| !part.is_empty()) {
                for body in exporter.encode(&Batch::Metrics(part.iter().map(point).collect())) {
                    let written = WriteRequest::decode(&*body).unwrap();
                    for series in written.timeseries.iter().filter(|series| series.name() != "target_info") {
                        let samples = seen.entry(series.key()).or_default();
                        for sample in &series.samples {
                            prop_assert_eq!(samples.insert(sample.timestamp, sample.value), None);
                        }
                    }
                }
            }
        }
        prop_assert_eq!(seen.len(), 1);
        for samples in seen.values() {
            prop_assert!(samples.values().is_sorted(), "{:?}", samples);
        }
    }
}
