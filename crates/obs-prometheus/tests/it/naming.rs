//! Names, units and what happens when two metrics want the same.

use obs_core::{Metric, MetricValue};
use obs_prometheus::{MetricMapping, MetricNames, MetricType, PrometheusConfig};

use crate::bench::{OPEN, OPEN_UTF8, delivered, exporter, metric, open_page, page, pull, refused, value};

fn in_unit(name: &'static str, unit: &'static str, value: MetricValue) -> Metric {
    let mut metric = metric(name, value);
    metric.unit = Some(unit.into());
    metric
}

#[tokio::test]
async fn values_and_bounds_are_in_base_units() {
    let exporter = pull();
    let metrics = vec![
        in_unit("mastra_agent_duration_ms", "ms", MetricValue::Sample(1_250.0)),
        in_unit("heap", "KiBy", MetricValue::Gauge(2.0)),
        in_unit("cpu", "%", MetricValue::Gauge(25.0)),
    ];
    delivered(&exporter, metrics).await;
    assert_eq!(value(&exporter, "mastra_agent_duration_seconds_sum", &[]), 1.25);
    assert_eq!(value(&exporter, "mastra_agent_duration_seconds_bucket", &[("le", "2.5")]), 1.0);
    assert_eq!(value(&exporter, "heap_bytes", &[]), 2_048.0);
    assert_eq!(value(&exporter, "cpu_ratio", &[]), 0.25);
    let open = open_page(&exporter, OPEN);
    assert_eq!(open["mastra_agent_duration_seconds"].unit.as_deref(), Some("seconds"));
}

#[tokio::test]
async fn one_metric_in_two_units_of_a_kind_is_one_family() {
    let exporter = pull();
    let metrics = vec![
        in_unit("wait", "ms", MetricValue::Gauge(1_500.0)),
        in_unit("wait", "s", MetricValue::Gauge(2.0)),
    ];
    delivered(&exporter, metrics).await;
    assert_eq!(value(&exporter, "wait_seconds", &[]), 2.0);
    // As recorded, the numbers would stand side by side in different units.
    let recorded = crate::bench::exporter(PrometheusConfig::pull().with_metric_names(MetricNames::Recorded));
    delivered(&recorded, vec![in_unit("wait", "ms", MetricValue::Gauge(1_500.0))]).await;
    let reason = refused(&recorded, in_unit("wait", "s", MetricValue::Gauge(2.0))).await;
    assert!(reason.contains("taken by the gauge \"wait\""), "{reason}");
}

#[tokio::test]
async fn a_name_belongs_to_the_first_metric_that_has_it() {
    let exporter = pull();
    let first = vec![
        metric("queue.size", MetricValue::Gauge(1.0)),
        metric("latency", MetricValue::Sample(1.0)),
        metric("runs", MetricValue::Add(1.0)),
    ];
    delivered(&exporter, first).await;
    for (name, value, owner) in [
        ("queue/size", MetricValue::Gauge(2.0), "queue.size"),
        ("queue.size", MetricValue::Add(2.0), "queue.size"),
        ("latency_count", MetricValue::Gauge(2.0), "latency"),
        ("latency_bucket", MetricValue::UpDown(2.0), "latency"),
        ("runs", MetricValue::Gauge(2.0), "runs"),
        ("target", MetricValue::Gauge(2.0), "target_info"),
        ("target_info", MetricValue::Gauge(2.0), "target_info"),
    ] {
        let reason = refused(&exporter, metric(name, value)).await;
        assert!(reason.contains(owner) && reason.contains("metrics_mapping"), "{name}: {reason}");
    }
    assert_eq!(value(&exporter, "queue_size", &[]), 1.0);
}

#[tokio::test]
async fn a_mapping_resolves_a_clash() {
    let config = PrometheusConfig::pull()
        .with_mapping("queue/size", MetricMapping::new("queue_size_max").with_help("The most that may wait."))
        .with_mapping("uptime", MetricMapping::new("uptime_seconds").with_type(MetricType::Counter));
    let exporter = exporter(config);
    let metrics = vec![
        metric("queue.size", MetricValue::Gauge(1.0)),
        metric("queue/size", MetricValue::Gauge(2.0)),
        metric("uptime", MetricValue::Gauge(60.0)),
    ];
    delivered(&exporter, metrics).await;
    assert_eq!(value(&exporter, "queue_size_max", &[]), 2.0);
    assert_eq!(value(&exporter, "uptime_seconds_total", &[]), 60.0);
    assert_eq!(page(&exporter)["queue_size_max"].help.as_deref(), Some("The most that may wait."));
    let mut below = metric("uptime", MetricValue::Gauge(-1.0));
    below.time = crate::bench::at(11);
    let reason = refused(&exporter, below).await;
    assert!(reason.contains("map the metric to a gauge"), "{reason}");
}

#[tokio::test]
async fn readers_that_take_any_name_get_the_recorded_one() {
    let exporter = pull();
    let mut usage = in_unit("gen_ai.client.operation.duration", "s", MetricValue::Gauge(2.0));
    usage.labels = [("gen_ai.request.model", "m \"1\""), ("plain", "x")].into();
    delivered(&exporter, vec![usage]).await;
    let text = exporter.render(OPEN_UTF8).body;
    let line = "{\"gen_ai.client.operation.duration_seconds\",\"gen_ai.request.model\"=\"m \\\"1\\\"\",plain=\"x\"} 2\n";
    assert!(text.contains(line), "{text}");
    assert!(text.contains("# TYPE \"gen_ai.client.operation.duration_seconds\" gauge\n"), "{text}");
    open_page(&exporter, OPEN_UTF8);
    let safe =
        "gen_ai_client_operation_duration_seconds{gen_ai_request_model=\"m \\\"1\\\"\",plain=\"x\"} 2\n";
    assert!(exporter.render(OPEN).body.contains(safe));
}

#[tokio::test]
async fn help_and_labels_are_escaped() {
    let exporter = pull();
    let mut odd = metric("odd", MetricValue::Gauge(1.0));
    odd.description = Some("a \\ b\nc \"d\"".into());
    odd.labels = [("a", "x\\y\n\"z\"")].into();
    delivered(&exporter, vec![odd]).await;
    let text = exporter.render("").body;
    assert!(text.contains("# HELP odd a \\\\ b\\nc \"d\"\n"), "{text}");
    assert!(text.contains("odd{a=\"x\\\\y\\n\\\"z\\\"\"} 1\n"), "{text}");
    assert!(exporter.render(OPEN).body.contains("# HELP odd a \\\\ b\\nc \\\"d\\\"\n"));
    assert_eq!(page(&exporter)["odd"].samples[0].labels["a"], "x\\y\n\"z\"");
}

#[tokio::test]
async fn series_beyond_the_most_are_rejected_and_known_ones_go_on() {
    let exporter = exporter(PrometheusConfig::pull().with_max_series(2));
    let runs = |agent: &'static str| {
        let mut runs = metric("runs", MetricValue::Add(1.0));
        runs.labels = [("agent", agent)].into();
        runs
    };
    delivered(&exporter, vec![runs("a"), runs("b"), runs("a")]).await;
    let reason = refused(&exporter, runs("c")).await;
    assert!(reason.contains("max_series"), "{reason}");
    delivered(&exporter, vec![runs("b")]).await;
    assert_eq!(value(&exporter, "runs_total", &[("agent", "b")]), 2.0);
}
