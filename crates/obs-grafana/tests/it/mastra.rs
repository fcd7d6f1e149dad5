//! One test for each way in which Mastra's own exporters lose or bend what Grafana is sent.

use obs_core::{
    Batch, Exporter, Feedback, Level, Log, Metric, MetricValue, Score, ScoreValue, Signal, Target,
    Temporality,
};
use obs_grafana::{GrafanaConfig, GrafanaExporter, LogsVia, MetricsVia};
use obs_testkit::fixtures::{self, at, trace_id, uuid};

use crate::otlp;
use crate::prom::{COUNTER, GAUGE, HISTOGRAM};
use crate::support::{Bench, LOKI, WRITE};

#[tokio::test]
async fn one_stack_id_is_not_taken_for_the_user_of_everything() {
    let bench = Bench::direct().await;
    for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
        bench.export(&bench.input(&fixtures::batch(signal))).await.unwrap();
    }
    let users: Vec<_> = bench
        .server
        .take_requests()
        .iter()
        .map(|one| one.header("authorization").map(str::to_owned))
        .collect();
    assert!(users.iter().all(Option::is_some));
    assert!(
        users[0] != users[1] && users[1] != users[2] && users[0] != users[2],
        "three users are told apart"
    );
}

#[test]
fn a_way_without_an_address_is_an_error_and_not_silence() {
    let cloud = || GrafanaConfig::new("123456", "glc_0123456789");
    for (config, field) in [
        (cloud().with_logs(LogsVia::Loki), "loki_endpoint"),
        (cloud().with_metrics(MetricsVia::RemoteWrite), "mimir_endpoint"),
        (GrafanaConfig::self_hosted(), "endpoint"),
    ] {
        let error = GrafanaExporter::new(config).unwrap_err();
        assert!(error.message().starts_with(&format!("{field}: ")), "{}", error.message());
    }
}

#[tokio::test]
async fn a_metric_keeps_its_kind() {
    let bench = Bench::direct().await;
    let point = |name: &'static str, value| {
        let mut metric = Metric::new(at(1), name, value);
        metric.temporality = Some(Temporality::Cumulative);
        metric
    };
    let metrics = vec![
        point("runs", MetricValue::Sum { value: 1.0, monotonic: true }),
        point("open", MetricValue::Sum { value: 1.0, monotonic: false }),
        point("heat", MetricValue::Gauge(1.0)),
        point("time", MetricValue::Histogram(Box::default())),
    ];
    let written = bench.written(&Batch::Metrics(metrics.into())).await;
    let kinds: Vec<_> = written[0].metadata.iter().map(|one| (&*one.metric_family_name, one.kind)).collect();
    assert_eq!(kinds, [("runs_total", COUNTER), ("open", GAUGE), ("heat", GAUGE), ("time", HISTOGRAM)]);
}

#[tokio::test]
async fn a_log_outside_of_traces_has_no_made_up_trace_id() {
    let logs = Batch::Logs(vec![Log::new(at(1), Level::Info, "alone")].into());
    let direct = Bench::direct().await;
    let streams = direct.pushed(&logs).await;
    assert!(!streams[0].values[0].2.contains_key("trace_id"));
    let gateway = Bench::gateway().await;
    gateway.export(&logs).await.unwrap();
    assert!(otlp::logs(&gateway.server.take_requests()[0])[0].trace_id.is_empty());
}

#[tokio::test]
async fn scores_and_feedback_arrive_also_for_whole_traces() {
    let target = Target::Trace { trace_id: trace_id(1), root_span_id: None };
    let score = Score::new(uuid(1), at(1), target.clone(), "relevance", 0.5);
    let liked = Feedback::new(uuid(2), at(2), target, "thumbs", ScoreValue::from(true));
    for bench in [Bench::direct().await, Bench::gateway().await] {
        for batch in [Batch::Scores(vec![score.clone()].into()), Batch::Feedback(vec![liked.clone()].into())]
        {
            assert_eq!(bench.export(&batch).await.unwrap().delivered, 1);
        }
        assert_eq!(bench.server.take_requests().len(), 2);
    }
}

#[tokio::test]
async fn a_batch_is_one_request_and_an_idle_exporter_sends_none() {
    let bench = Bench::direct().await;
    bench.exporter.flush().await.unwrap();
    assert!(bench.server.requests().is_empty());
    for (signal, path) in [(Signal::Metrics, WRITE), (Signal::Logs, LOKI)] {
        bench.export(&bench.input(&fixtures::batch(signal))).await.unwrap();
        let requests = bench.server.take_requests();
        assert_eq!(requests.iter().map(|request| &*request.path).collect::<Vec<_>>(), [path]);
    }
}
