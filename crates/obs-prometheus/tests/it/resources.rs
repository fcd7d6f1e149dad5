//! Several services and scopes in one process.

use std::sync::Arc;

use obs_core::{Metric, MetricValue, Resource, Scope};
use obs_prometheus::PrometheusConfig;

use crate::bench::{OPEN, at, delivered, exporter, metric, of_service, open_page, page, pull, total, value};

fn of_scope(mut metric: Metric, scope: &'static str) -> Metric {
    let scope = Some(Scope { name: scope.into(), ..Scope::default() });
    metric.resource = Arc::new(Resource { scope, ..Resource::service("shop") });
    metric
}

#[tokio::test]
async fn services_are_told_apart_by_a_label_and_each_has_its_target() {
    let exporter = pull();
    delivered(
        &exporter,
        vec![of_service(total("runs", 10, 5.0), "shop"), of_service(total("runs", 10, 7.0), "till")],
    )
    .await;
    assert_eq!(value(&exporter, "runs_total", &[("service_name", "shop")]), 5.0);
    assert_eq!(value(&exporter, "runs_total", &[("service_name", "till")]), 7.0);
    assert_eq!(page(&exporter)["target_info"].samples.len(), 2);
    assert_eq!(open_page(&exporter, OPEN)["target"].ty, "info");
}

#[tokio::test]
async fn without_the_label_they_are_added_up_and_never_stand_twice() {
    let exporter = exporter(PrometheusConfig::pull().with_resource_labels(Vec::<String>::new()));
    let mut later = metric("depth", MetricValue::Gauge(3.0));
    later.time = at(11);
    let metrics = vec![
        of_service(total("runs", 10, 5.0), "shop"),
        of_service(total("runs", 10, 7.0), "till"),
        of_service(metric("size", MetricValue::Sample(1.0)), "shop"),
        of_service(metric("size", MetricValue::Sample(2.0)), "till"),
        of_service(later, "shop"),
        of_service(metric("depth", MetricValue::Gauge(8.0)), "till"),
    ];
    delivered(&exporter, metrics).await;
    assert_eq!(value(&exporter, "runs_total", &[]), 12.0);
    assert_eq!(value(&exporter, "size_count", &[]), 2.0);
    assert_eq!(value(&exporter, "depth", &[]), 3.0);
}

#[tokio::test]
async fn scopes_of_one_service_are_added_up() {
    let exporter = pull();
    for seconds in [10, 20] {
        let points = [("a", 5.0), ("b", 7.0)];
        let points = points.map(|(scope, value)| of_scope(total("runs", seconds, value), scope));
        delivered(&exporter, points.into()).await;
    }
    assert_eq!(value(&exporter, "runs_total", &[]), 12.0);
    assert_eq!(page(&exporter)["target_info"].samples.len(), 1);
}

#[tokio::test]
async fn series_that_differ_in_empty_labels_alone_are_one() {
    let exporter = pull();
    let labelled = |labels: &[(&'static str, &'static str)]| {
        let mut runs = metric("runs", MetricValue::Add(1.0));
        runs.labels = labels.iter().copied().collect();
        runs
    };
    let metrics = [&[][..], &[("a", "")], &[("b.c", "1")], &[("b_c", "1")]].map(labelled);
    delivered(&exporter, metrics.into()).await;
    let samples = &page(&exporter)["runs_total"].samples;
    assert_eq!(samples.iter().map(|sample| sample.value).collect::<Vec<_>>(), [2.0, 2.0]);
}

#[tokio::test]
async fn target_info_can_be_left_out_and_its_name_is_free_then() {
    let exporter = exporter(PrometheusConfig::pull().with_target_info(false));
    delivered(&exporter, vec![of_service(metric("target_info", MetricValue::Gauge(2.0)), "shop")]).await;
    assert_eq!(value(&exporter, "target_info", &[]), 2.0);
}

#[tokio::test]
async fn labels_of_the_config_stand_on_every_series_that_has_none_of_their_name() {
    let exporter = exporter(PrometheusConfig::pull().with_label("env", "prod"));
    let mut own = metric("runs", MetricValue::Add(1.0));
    own.labels = [("env", "test")].into();
    delivered(&exporter, vec![own, of_service(metric("depth", MetricValue::Gauge(1.0)), "shop")]).await;
    assert_eq!(value(&exporter, "runs_total", &[("env", "test")]), 1.0);
    assert_eq!(value(&exporter, "depth", &[("env", "prod")]), 1.0);
    assert_eq!(value(&exporter, "target_info", &[("env", "prod")]), 1.0);
}
