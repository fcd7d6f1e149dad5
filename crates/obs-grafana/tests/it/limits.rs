//! Limits of requests and of single records.

use obs_core::{
    Batch, ErrorKind, Histogram, Level, Log, Metric, MetricValue, Payload, Resource, Temporality,
};
use obs_grafana::LokiLine;
use obs_testkit::fixtures::at;

use crate::support::{Bench, streams};

fn gauge(nth: usize, label: &str) -> Metric {
    let mut metric = Metric::new(at(nth as u64 * 1_000), "load", MetricValue::Gauge(nth as f64));
    metric.labels = [("nth", nth.to_string()), ("label", label.to_owned())].into();
    metric
}

#[tokio::test]
async fn requests_with_series_are_cut_by_their_bytes_and_in_order() {
    let bench = Bench::direct().await;
    let long = "x".repeat(2_000);
    let metrics: Vec<Metric> = (0..4_000).map(|nth| gauge(nth, &long)).collect();
    let batch = Batch::Metrics(metrics.into());
    for body in bench.exporter.encode(&batch) {
        assert!(body.len() <= 4 << 20, "{}", body.len());
    }
    let written = bench.written(&batch).await;
    assert!(written.len() > 1 && written.iter().all(|request| request.points() > 500));
    let nths = written
        .iter()
        .flat_map(|request| &request.timeseries)
        .filter_map(|series| series.labels().get("nth").map(|nth| nth.parse::<usize>().unwrap()));
    assert!(nths.eq(0..4_000));
}

#[tokio::test]
async fn a_record_with_more_series_than_a_request_holds_is_refused_and_sinks_no_other() {
    let bench = Bench::direct().await;
    let mut huge = Metric::new(
        at(1),
        "huge",
        MetricValue::Histogram(Box::new(Histogram {
            bounds: (0..1_000).map(f64::from).collect(),
            counts: vec![0; 1_001],
            ..Histogram::default()
        })),
    );
    huge.labels = (0..10).map(|nth| (format!("l{nth}"), "x".repeat(1_000))).collect();
    huge.temporality = Some(Temporality::Cumulative);
    let batch = Batch::Metrics(vec![gauge(1, "a"), huge, gauge(2, "b")].into());
    let receipt = bench.export(&batch).await.unwrap();
    assert_eq!((receipt.delivered, receipt.rejected[0].kind), (2, ErrorKind::TooLarge));
    assert!(receipt.rejected[0].reason.contains("fewer or shorter labels"));
}

#[tokio::test]
async fn what_tells_of_a_target_stays_below_the_labels_that_servers_take() {
    let bench = Bench::direct().await;
    let mut resource = Resource::service("chat");
    for nth in 0..60 {
        resource.attributes.push(format!("attribute.{nth:02}"), "x".repeat(5_000));
    }
    let mut metric = gauge(1, "a");
    metric.resource = resource.into();
    let written = bench.written(&Batch::Metrics(vec![metric].into())).await;
    written[0].assert_valid();
    let target = written[0].timeseries.iter().find(|series| series.name() == "target_info").unwrap();
    assert_eq!(target.labels.len(), 30);
    assert_eq!(target.labels()["job"], "chat");
}

#[tokio::test]
async fn requests_to_loki_are_cut_by_their_bytes_and_keep_every_line() {
    let bench = Bench::direct().await;
    let line = "line ".repeat(2_000);
    let logs: Vec<Log> = (0..1_000).map(|nth| Log::new(at(nth), Level::Info, line.clone())).collect();
    let batch = Batch::Logs(logs.into());
    let bodies = bench.exporter.encode(&batch);
    assert!(bodies.len() > 3 && bodies.iter().all(|body| body.len() <= 2 << 20));
    let streams = bench.pushed(&batch).await;
    assert_eq!(streams.iter().map(|stream| stream.values.len()).sum::<usize>(), 1_000);
    assert_eq!(streams.len(), bodies.len());
}

#[tokio::test]
async fn a_line_that_loki_refuses_is_cut_with_a_mark() {
    let long = "é".repeat(300_000);
    let mut log = Log::new(at(1), Level::Info, long);
    log.data = Some(Payload::text("d".repeat(300_000)));
    let batch = Batch::Logs(vec![log].into());
    for line in [LokiLine::Message, LokiLine::Json] {
        let bench = Bench::direct_with(|config| config.with_loki_line(line)).await;
        bench.export(&batch).await.unwrap();
        let streams = streams(&bench.server.take_requests()[0]);
        let entry = &streams[0].values[0];
        let mark = "[truncated by obs: 600000 bytes were too large]";
        assert!(entry.1.contains(mark), "{line:?}");
        assert!(entry.1.len() > 200_000, "{}", entry.1.len());
        assert!(entry.2["obs_log_data"].ends_with("[truncated by obs: 300000 bytes were too large]"));
        if line == LokiLine::Json {
            assert!(serde_json::from_str::<serde_json::Value>(&entry.1).is_ok());
        }
    }
}
