//! The user's own registry on the same page.

use std::sync::Arc;

use obs_core::MetricValue;
use obs_prometheus::PrometheusConfig;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::exemplar::CounterWithExemplar;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::bench::{OPEN, delivered, exporter, metric, open_page, page, value};
use crate::checker;

fn registry() -> Registry {
    let mut registry = Registry::default();
    let requests = Family::<Vec<(String, String)>, Counter>::default();
    requests.get_or_create(&vec![("path".to_owned(), "/a b\"\\\n{}".to_owned())]).inc_by(3);
    registry.register("http_requests", "Requests by path", requests);
    let marked = CounterWithExemplar::<Vec<(String, String)>>::default();
    marked.inc_by(2, Some(vec![("trace_id".to_owned(), "abc".to_owned())]), None);
    registry.register("marked", "With an exemplar", marked);
    let latency = Histogram::new([0.1, 1.0]);
    latency.observe(0.5);
    registry.register_with_unit("latency", "How long", Unit::Seconds, latency);
    let depth = Gauge::<i64>::default();
    depth.set(-4);
    registry.register("depth", "A help\nof two lines", depth);
    registry.register("build", "The build", Info::new(vec![("version".to_owned(), "1".to_owned())]));
    registry
}

#[tokio::test]
async fn it_stands_beside_our_metrics_in_both_formats() {
    let exporter = exporter(PrometheusConfig::pull()).with_registry(registry());
    delivered(&exporter, vec![metric("runs", MetricValue::Add(1.0))]).await;
    let text = page(&exporter);
    for (name, labels, expected) in [
        ("runs_total", &[][..], 1.0),
        ("http_requests_total", &[("path", "/a b\"\\\n{}")], 3.0),
        ("marked_total", &[], 2.0),
        ("latency_seconds_bucket", &[("le", "1.0")], 1.0),
        ("latency_seconds_sum", &[], 0.5),
        ("depth", &[], -4.0),
        ("build_info", &[("version", "1")], 1.0),
    ] {
        assert_eq!(checker::value(&text, name, labels), expected, "{name}");
    }
    assert_eq!((&*text["http_requests_total"].ty, &*text["build_info"].ty), ("counter", "gauge"));
    let body = exporter.render(OPEN).body;
    assert!(
        body.contains("# UNIT latency_seconds seconds\n")
            && body.contains("marked_total 2 # {trace_id=\"abc\"} 2")
    );
    assert_eq!(body.matches("# EOF").count(), 1);
}

#[tokio::test]
async fn a_family_whose_name_is_taken_is_left_out() {
    let mut registry = Registry::default();
    for name in ["runs", "twice", "twice", "free"] {
        registry.register(name, "Someone's", Counter::<u64>::default());
    }
    let exporter = exporter(PrometheusConfig::pull()).with_registry(Arc::new(registry));
    delivered(&exporter, vec![metric("runs", MetricValue::Add(5.0))]).await;
    assert_eq!(value(&exporter, "runs_total", &[]), 5.0);
    assert_eq!(value(&exporter, "twice_total", &[]), 0.0);
    assert_eq!(value(&exporter, "free_total", &[]), 0.0);
    assert_eq!(open_page(&exporter, OPEN).len(), 3);
}

#[tokio::test]
async fn it_is_pushed_with_our_metrics() {
    let server = obs_testkit::CaptureServer::start().await;
    let exporter = exporter(PrometheusConfig::push(server.url(), "shop")).with_registry(registry());
    delivered(&exporter, vec![metric("runs", MetricValue::Add(1.0))]).await;
    let body = server.take_requests().remove(0).body;
    let pushed = checker::read(std::str::from_utf8(&body).unwrap(), false).unwrap();
    assert_eq!(checker::value(&pushed, "http_requests_total", &[]), 3.0);
}
