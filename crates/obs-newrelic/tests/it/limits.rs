//! Limits of requests and of single records.

use std::sync::LazyLock;

use obs_core::{Batch, Level, Log, Metric, MetricValue, Payload, Resource, Score, Signal, Target};
use obs_newrelic::{MetricsApi, NewRelicConfig, NewRelicExporter};
use obs_testkit::arbitrary;
use obs_testkit::fixtures::{at, trace_id, uuid};
use proptest::prelude::*;

use crate::support::{Bench, KEY, events_in, points_in};

const MOST: usize = 1_000_000;

fn score(nth: u32, comment: String) -> Score {
    let target = Target::Trace { trace_id: trace_id(1), root_span_id: None };
    let mut score = Score::new(uuid(nth), at(u64::from(nth)), target, "relevance", f64::from(nth));
    score.comment = Some(comment.into());
    score
}

#[tokio::test]
async fn events_are_cut_into_requests_by_their_bytes_and_in_order() {
    let bench = Bench::account().await;
    let scores: Vec<_> = (0..700).map(|nth| score(nth, "x".repeat(4_000))).collect();
    let batch = Batch::Scores(scores.into());
    let bodies = bench.exporter.encode(&batch);
    assert!(bodies.len() > 2 && bodies.iter().all(|body| body.len() <= MOST));
    assert!(bodies[0].len() > MOST - 5_000, "{}", bodies[0].len());
    let events = bench.events(&batch).await;
    assert!(events.iter().map(|event| event["score"].as_f64().unwrap()).eq((0..700).map(f64::from)));
}

#[tokio::test]
async fn points_are_cut_into_requests_by_their_bytes_and_in_order() {
    let bench = Bench::native().await;
    let metrics: Vec<_> = (0..600)
        .map(|nth| {
            let mut metric = Metric::new(at(nth), "load", MetricValue::Gauge(nth as f64));
            metric.labels = [("long", "x".repeat(4_000))].into();
            metric
        })
        .collect();
    let batch = Batch::Metrics(metrics.into());
    assert!(bench.exporter.encode(&batch).len() > 2);
    let points = bench.points(&batch).await;
    assert!(points.iter().map(|point| point["value"].as_f64().unwrap()).eq((0..600).map(f64::from)));
}

#[tokio::test]
async fn otlp_obeys_the_limit_of_new_relic() {
    let bench = Bench::alone().await;
    let logs: Vec<_> = (0..500).map(|nth| Log::new(at(nth), Level::Info, "x".repeat(6_000))).collect();
    let bodies = bench.exporter.encode(&Batch::Logs(logs.into()));
    assert!(bodies.len() > 2 && bodies.iter().all(|body| body.len() <= MOST));
    let mut huge = Log::new(at(1), Level::Info, "m");
    huge.data = Some(Payload::text("x".repeat(2 * MOST)));
    let bodies = bench.exporter.encode(&Batch::Logs(vec![huge].into()));
    let text = String::from_utf8_lossy(&bodies[0]);
    assert!(bodies[0].len() <= MOST && text.contains("[truncated by obs: 2000000 bytes were too large]"));
}

#[tokio::test]
async fn a_text_that_new_relic_would_drop_the_event_for_is_cut_with_a_mark() {
    let bench = Bench::account().await;
    let events = bench.events(&Batch::Scores(vec![score(1, "é".repeat(10_000))].into())).await;
    let explanation = events[0]["explanation"].as_str().unwrap();
    assert_eq!(explanation.chars().count(), 4_096);
    assert!(explanation.ends_with("[truncated by obs: 20000 bytes were too large]"));
}

#[tokio::test]
async fn attributes_beyond_the_limit_stand_in_more() {
    let bench = Bench::native().await;
    let mut wide = score(1, String::new());
    wide.metadata = (0..400).map(|nth| (format!("k{nth:03}"), nth)).collect();
    let events = bench.events(&Batch::Scores(vec![wide].into())).await;
    assert_eq!(events[0].len(), 254);
    let mut metric = Metric::new(at(1), "load", MetricValue::Gauge(1.0));
    metric.labels = (0..300).map(|nth| (format!("k{nth:03}"), "v")).collect();
    let mut resource = Resource::service("shop");
    for nth in 0..200 {
        resource.attributes.push(format!("r{nth:03}"), nth);
    }
    metric.resource = resource.into();
    let points = bench.points(&Batch::Metrics(vec![metric].into())).await;
    assert!(points[0]["attributes"]["more"].as_str().unwrap().contains("\"k299\":\"v\""));
    assert!(points[0]["common"]["resource.more"].as_str().unwrap().contains("\"r199\":199"));
}

/// Records of any kind: whatever they are like, what they become is held to New Relic's limits.
fn any_of(signal: Signal) -> impl Strategy<Value = Batch> {
    arbitrary::batch(signal, 5)
}

/// One for all cases, since making one reads the system's certificates.
static NATIVE: LazyLock<NewRelicExporter> = LazyLock::new(|| {
    let config = NewRelicConfig::new(KEY).with_account_id("1234567").with_metrics_api(MetricsApi::Metric);
    NewRelicExporter::new(config).unwrap()
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_score_is_one_event_within_the_limits(batch in any_of(Signal::Scores)) {
        let bodies = NATIVE.encode(&batch);
        prop_assert_eq!(bodies.iter().map(|body| events_in(body).len()).sum::<usize>(), batch.len());
    }

    #[test]
    fn every_feedback_is_one_event_within_the_limits(batch in any_of(Signal::Feedback)) {
        let bodies = NATIVE.encode(&batch);
        prop_assert_eq!(bodies.iter().map(|body| events_in(body).len()).sum::<usize>(), batch.len());
    }

    #[test]
    fn every_point_is_within_the_limits(batch in any_of(Signal::Metrics)) {
        let points: usize = NATIVE.encode(&batch).iter().map(|body| points_in(body).len()).sum();
        prop_assert!(points <= batch.len());
    }
}

#[test]
fn lanes_are_told_the_size_of_requests() {
    use obs_core::{Exporter as _, Limits};
    let config = NewRelicConfig::new(KEY).with_account_id("1").with_max_request_size(200_000);
    let exporter = NewRelicExporter::new(config).unwrap();
    for signal in Signal::ALL {
        assert_eq!(exporter.descriptor().limits(signal), Limits { items: 512, bytes: 200_000 });
    }
}
