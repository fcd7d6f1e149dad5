//! The table of what the specification says of Datadog, what its API says, and what is done: one test for each row.

use obs_core::{
    Batch, Exporter, Level, Log, Metric, MetricValue, Score, Signal, Span, SpanRef, Str, Target, Temporality,
};
use obs_datadog::{CustomMetric, Mode};
use obs_testkit::fixtures::{self, at, span_id, trace_id, uuid};
use serde_json::{Value, json};

use crate::server::{self, ended, sent, sent_with};

fn log(level: Level) -> Log {
    let mut log = Log::new(at(0), level, "ready");
    log.span = Some(SpanRef { trace_id: trace_id(1), span_id: Some(span_id(2)) });
    log.attributes.insert("order", "o-7");
    log
}

fn logs(logs: impl IntoIterator<Item = Log>) -> Batch {
    Batch::Logs(logs.into_iter().collect())
}

async fn arrived(batch: Batch) -> Vec<Value> {
    sent(batch).await.server.requests().iter().map(server::body).collect()
}

fn metric(name: impl Into<Str>, nanos: u64, value: MetricValue) -> Metric {
    let mut metric = Metric::new(at(nanos), name, value);
    metric.temporality = Some(Temporality::Delta);
    metric.start = Some(at(0));
    metric
}

async fn series(metrics: Vec<Metric>) -> Vec<(String, Value)> {
    let sent = sent(Batch::Metrics(metrics.into())).await;
    let requests = sent.server.requests();
    let listed = requests.iter().flat_map(|request| {
        let list = server::body(request)["series"].as_array().unwrap().clone();
        list.into_iter().map(|one| (request.path.clone(), one))
    });
    listed.collect()
}

#[tokio::test]
async fn attributes_are_flat_and_correlation_stands_at_the_top() {
    let body = arrived(logs([log(Level::Info)])).await.remove(0);
    let log = &body[0];
    assert_eq!(log["order"], "o-7");
    assert!(log.get("attributes").is_none() && log.get("traceId").is_none());
    let correlated = |name: &str| {
        log.get(name).cloned().or_else(|| log.pointer(&format!("/{}", name.replace('.', "/"))).cloned())
    };
    assert_eq!(correlated("dd.trace_id"), Some(json!(trace_id(1).to_string())));
    assert_eq!(correlated("dd.span_id"), Some(json!(span_id(2).get().to_string())));
}

#[tokio::test]
async fn levels_are_datadog_s_words() {
    for (level, status) in [
        (Level::Trace, "debug"),
        (Level::Debug, "debug"),
        (Level::Info, "info"),
        (Level::Warn, "warning"),
        (Level::Error, "error"),
        (Level::Fatal, "critical"),
    ] {
        assert_eq!(arrived(logs([log(level)])).await[0][0]["status"], status);
    }
}

#[tokio::test]
async fn many_records_are_one_request() {
    let told = sent(logs((0..1_000).map(|_| log(Level::Info)))).await;
    assert_eq!((told.server.requests().len(), told.receipt.delivered), (1, 1_000));
    let metrics: Vec<_> = (0..300).map(|nth| metric(format!("m{nth}"), 0, MetricValue::Gauge(1.0))).collect();
    let told = sent(Batch::Metrics(metrics.into())).await;
    assert_eq!((told.server.requests().len(), told.receipt.delivered), (1, 300));
}

#[tokio::test]
async fn types_are_numbers_points_are_objects_counts_have_an_interval_and_histograms_are_distributions() {
    let histogram = obs_core::Histogram {
        count: 1,
        sum: 3.0,
        min: Some(3.0),
        max: Some(3.0),
        ..obs_core::Histogram::default()
    };
    let found = series(vec![
        metric("runs", 10_000_000, MetricValue::Sum { value: 2.0, monotonic: true }),
        metric("heat", 10_000_000, MetricValue::Gauge(1.5)),
        metric("time", 10_000_000, MetricValue::Histogram(Box::new(histogram))),
    ])
    .await;
    let of = |name: &str| found.iter().find(|(_, one)| one["metric"] == name).unwrap();
    let (path, runs) = of("runs");
    assert_eq!((path.as_str(), &runs["type"], &runs["interval"]), ("/api/v2/series", &json!(1), &json!(10)));
    assert!(runs["points"][0]["timestamp"].is_u64() && runs["points"][0]["value"] == 2.0);
    assert_eq!(of("heat").1["type"], 3);
    let (path, time) = of("time");
    assert_eq!((path.as_str(), &time["type"]), ("/api/v1/distribution_points", &json!("distribution")));
    assert_eq!(time["points"][0][1], json!([3.0]));
}

#[tokio::test]
async fn points_of_one_series_and_time_never_overwrite_each_other() {
    let one = || metric("runs", 10_000_000, MetricValue::Sum { value: 2.0, monotonic: true });
    let server = server::start().await;
    let exporter = server::exporter(&server);
    let batch = Batch::Metrics(vec![one(), one()].into());
    exporter.export(&batch).await.unwrap();
    exporter
        .export(&Batch::Metrics(
            vec![metric("runs", 10_000_000, MetricValue::Sum { value: 5.0, monotonic: true })].into(),
        ))
        .await
        .unwrap();
    let requests = server.requests();
    let points: Vec<Value> = requests
        .iter()
        .flat_map(|request| server::body(request)["series"].as_array().unwrap().clone())
        .flat_map(|series| series["points"].as_array().unwrap().clone())
        .collect();
    let seconds: std::collections::BTreeSet<_> =
        points.iter().map(|point| point["timestamp"].as_u64()).collect();
    assert_eq!(seconds.len(), points.len(), "a second twice: {points:?}");
    let sum: f64 = points.iter().filter_map(|point| point["value"].as_f64()).sum();
    assert!((sum - 9.0).abs() < 1e-9, "{points:?}");
}

#[tokio::test]
async fn scores_and_feedback_are_evaluations() {
    let target = Target::Span { trace_id: trace_id(1), span_id: span_id(2), root_span_id: None };
    let told = sent(server::scores([Score::new(uuid(1), at(1), target, "relevance", 0.5)])).await;
    assert_eq!(told.server.requests()[0].path, "/api/intake/llm-obs/v2/eval-metric");
    assert_eq!(
        (&told.evaluation()["metric_type"], &told.evaluation()["score_value"]),
        (&json!("score"), &json!(0.5))
    );
    let told = sent(fixtures::batch(Signal::Feedback)).await;
    assert!(!told.evaluations().is_empty());
}

#[tokio::test]
async fn traces_have_three_ways() {
    let mut span = Span::new(trace_id(1), span_id(1), "run", at(0));
    span.end = Some(at(1));
    for (mode, path) in [
        (Mode::Llmobs, "/api/intake/llm-obs/v1/trace/spans"),
        (Mode::OtlpAgent, "/v1/traces"),
        (Mode::OtlpIntake, "/v1/traces"),
    ] {
        let sent = sent_with(ended([span.clone()]), |config, server| match mode {
            Mode::Llmobs => config,
            _ => config.with_mode(mode).with_otlp_endpoint(server.url()),
        })
        .await;
        assert_eq!((sent.server.requests()[0].path.as_str(), sent.receipt.delivered), (path, 1));
    }
}

#[tokio::test]
async fn a_rate_is_a_value_per_second_with_its_interval() {
    let json = json!({"metric_name": "acme.rate", "metric_type": "rate", "source_field": "done"});
    let custom: CustomMetric = serde_json::from_value(json).unwrap();
    let batch = Batch::Metrics(
        vec![metric("done", 10_000_000, MetricValue::Sum { value: 20.0, monotonic: true })].into(),
    );
    let sent = sent_with(batch, |config, _| config.with_custom_metric("rate", custom)).await;
    let found = server::body(&sent.server.requests()[0])["series"].as_array().unwrap().clone();
    let rate = found.iter().find(|one| one["metric"] == "acme.rate").unwrap();
    assert_eq!((&rate["type"], &rate["interval"]), (&json!(2), &json!(10)));
    assert_eq!(rate["points"][0]["value"], 2.0);
}

#[tokio::test]
async fn the_application_key_stands_in_no_request() {
    for batch in fixtures::trace_batches() {
        for request in sent(batch).await.server.requests() {
            assert_eq!(request.header("dd-application-key"), None);
            assert!(!String::from_utf8_lossy(&request.body).contains(server::APP_KEY));
        }
    }
}
