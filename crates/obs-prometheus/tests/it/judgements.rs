//! Scores as gauges, feedback as a counter.

use obs_core::{
    Batch, ErrorKind, Exporter, Feedback, Resource, Score, ScoreValue, Scorer, Signal, Target, TraceId,
};
use obs_prometheus::PrometheusConfig;
use obs_testkit::fixtures::batch;

use crate::bench::{at, exporter, page, pull, value};

fn target() -> Target {
    Target::Trace { trace_id: TraceId::new(7).unwrap(), root_span_id: None }
}

fn score(nth: u128, seconds: u64, value: impl Into<ScoreValue>) -> Score {
    let mut score = Score::new(uuid::Uuid::from_u128(nth), at(seconds), target(), "relevance", value);
    score.scorer = Some(Scorer { name: Some("judge".into()), ..Scorer::default() });
    score.source = Some("live".into());
    score.resource = Resource::service("shop").into();
    score
}

fn feedback(nth: u128, value: impl Into<ScoreValue>) -> Feedback {
    let mut feedback = Feedback::new(uuid::Uuid::from_u128(nth), at(1), target(), "thumbs", value);
    feedback.source = Some("app".into());
    feedback
}

#[tokio::test]
async fn they_are_refused_unless_asked_for() {
    let exporter = pull();
    for signal in [Signal::Scores, Signal::Feedback, Signal::Traces, Signal::Logs] {
        let error = exporter.export(&batch(signal)).await.unwrap_err();
        assert_eq!((error.kind(), error.undelivered().len()), (ErrorKind::Unsupported, batch(signal).len()));
    }
    assert!(page(&exporter).is_empty());
}

#[tokio::test]
async fn the_last_score_is_a_gauge() {
    let exporter = exporter(PrometheusConfig::pull().with_scores(true));
    let scores =
        vec![score(1, 5, 0.5), score(2, 9, true), score(3, 7, 0.25), score(4, 9, ScoreValue::text("fine"))];
    let receipt = exporter.export(&Batch::Scores(scores.into())).await.unwrap();
    assert_eq!((receipt.delivered, receipt.rejected_count()), (3, 1));
    assert!(receipt.rejected[0].reason.contains("words"), "{}", receipt.rejected[0].reason);
    let labels = [("score", "relevance"), ("scorer", "judge"), ("source", "live"), ("service_name", "shop")];
    assert_eq!(value(&exporter, "obs_score", &labels), 1.0);
    assert_eq!(page(&exporter)["obs_score"].samples[0].labels.len(), labels.len());
}

#[tokio::test]
async fn feedback_is_counted() {
    let exporter = exporter(PrometheusConfig::pull().with_feedback(true));
    let given = vec![
        feedback(1, true),
        feedback(2, true),
        feedback(3, false),
        feedback(4, ScoreValue::text("any words at all")),
        feedback(5, 4.5),
    ];
    let receipt = exporter.export(&Batch::Feedback(given.into())).await.unwrap();
    assert_eq!(receipt.delivered, 5);
    assert_eq!(value(&exporter, "obs_feedback_total", &[("value", "true")]), 2.0);
    assert_eq!(value(&exporter, "obs_feedback_total", &[("value", "false")]), 1.0);
    let samples = &page(&exporter)["obs_feedback_total"].samples;
    let of_others = samples.iter().find(|sample| !sample.labels.contains_key("value")).unwrap();
    assert_eq!((of_others.value, of_others.labels.len(), samples.len()), (2.0, 2, 3));
}
