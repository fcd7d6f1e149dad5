//! Scores and feedback as evaluations.

use obs_core::{ErrorKind, Feedback, Range, Score, ScoreValue, Scorer, Target};
use obs_testkit::fixtures::{at, context, span_id, trace_id, uuid};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::server::{feedback, scores, sent, sent_with};

fn span() -> Target {
    Target::Span { trace_id: trace_id(1), span_id: span_id(2), root_span_id: None }
}

fn score(target: Target, value: impl Into<ScoreValue>) -> Score {
    Score::new(uuid(1), at(9_000), target, "relevance", value)
}

fn given(target: Target, value: impl Into<ScoreValue>) -> Feedback {
    Feedback::new(uuid(1), at(9_000), target, "thumbs", value)
}

async fn of_score(score: Score) -> Value {
    sent(scores([score])).await.evaluation()
}

async fn of_feedback(given: Feedback) -> Value {
    sent(feedback([given])).await.evaluation()
}

#[tokio::test]
async fn each_value_has_its_type() {
    for (value, kind, field, expected) in [
        (ScoreValue::numeric(-7.5), "score", "score_value", json!(-7.5)),
        (ScoreValue::Boolean(false), "boolean", "boolean_value", json!(false)),
        (ScoreValue::category("good"), "categorical", "categorical_value", json!("good")),
        (ScoreValue::text("too long"), "categorical", "categorical_value", json!("too long")),
    ] {
        let evaluation = of_score(score(span(), value.clone())).await;
        assert_eq!((&evaluation["metric_type"], &evaluation[field]), (&json!(kind), &expected));
        let values = evaluation.as_object().unwrap().keys().filter(|name| name.ends_with("_value")).count();
        assert_eq!(values, 1, "one value alone");
        let told = of_feedback(given(span(), value.clone())).await;
        match value {
            ScoreValue::Text(_) => {
                assert_eq!((&told["metric_type"], &told["text_value"]), (&json!("text"), &expected));
            }
            _ => assert_eq!((&told["metric_type"], &told[field]), (&json!(kind), &expected)),
        }
    }
}

#[tokio::test]
async fn a_score_says_all_that_it_knows() {
    let mut whole =
        score(span(), ScoreValue::Numeric { value: 4.0, range: Some(Range { min: 1.0, max: 5.0 }) });
    whole.comment = Some("cites the sources".into());
    whole.source = Some("live".into());
    whole.scorer =
        Some(Scorer { id: Some("s-1".into()), name: Some("judge".into()), version: Some("2".into()) });
    whole.experiment_id = Some("e-1".into());
    whole.metadata.insert("assessment", "pass");
    whole.metadata.insert("model", "gpt-4o");
    whole.context = context();
    let told = of_score(whole).await;
    assert_eq!(told["event_kind"], "evaluation");
    assert_eq!((&told["ml_app"], &told["label"]), (&json!("support"), &json!("relevance")));
    assert_eq!(told["timestamp_ms"], json!(at(9_000).as_millis()));
    assert_eq!((&told["reasoning"], &told["assessment"]), (&json!("cites the sources"), &json!("pass")));
    let known = &told["metadata"];
    for (name, expected) in [
        ("score_id", json!(uuid(1).to_string())),
        ("source", json!("live")),
        ("scorer_id", json!("s-1")),
        ("scorer_name", json!("judge")),
        ("scorer_version", json!("2")),
        ("experiment_id", json!("e-1")),
        ("session_id", json!("session-42")),
        ("range_min", json!(1.0)),
        ("range_max", json!(5.0)),
        ("model", json!("gpt-4o")),
    ] {
        assert_eq!(known[name], expected, "{name}: {known:#}");
    }
    let tags: Vec<_> = told["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap()).collect();
    assert_eq!(
        tags,
        ["service:support", "env:staging", "version:2026.01", "user_id:user-7", "beta", "support"]
    );
}

#[tokio::test]
async fn a_trace_s_score_stands_on_its_root_and_without_one_it_is_refused() {
    let rooted = Target::Trace { trace_id: trace_id(1), root_span_id: Some(span_id(1)) };
    let told = of_score(score(rooted, 1.0)).await;
    assert_eq!(told["join_on"]["span"], json!({"span_id": span_id(1), "trace_id": trace_id(1)}));
    assert_eq!(told["eval_scope"], "trace");
    for (target, expected) in [
        (Target::Trace { trace_id: trace_id(1), root_span_id: None }, "its root"),
        (Target::Session { session_id: "s".into() }, "a session has many"),
        (Target::ExperimentRun { run_id: "r".into() }, "an API of their own"),
    ] {
        let sent = sent(scores([score(target, 1.0)])).await;
        assert_eq!(sent.receipt.rejected[0].kind, ErrorKind::UnresolvableTarget);
        assert!(sent.reason().contains(expected), "{}", sent.reason());
        assert!(sent.server.requests().is_empty(), "nothing is asked for");
    }
}

#[tokio::test]
async fn feedback_has_one_target_and_a_submitter() {
    for (target, field, expected) in [
        (span(), "span_id", json!(span_id(2))),
        (Target::Trace { trace_id: trace_id(1), root_span_id: None }, "trace_id", json!(trace_id(1))),
        (Target::Session { session_id: "s-1".into() }, "session_id", json!("s-1")),
    ] {
        let told = of_feedback(Feedback { user_id: Some("u-1".into()), ..given(target, true) }).await;
        assert_eq!((&told["event_kind"], &told[field]), (&json!("feedback"), &expected));
        let targets = ["span_id", "trace_id", "session_id", "feedback_join_key", "join_on", "eval_scope"];
        assert_eq!(targets.iter().filter(|name| told.get(**name).is_some()).count(), 1, "{told:#}");
        assert_eq!(told["submitter"], json!({"id": "u-1", "type": "user"}));
    }
    let sent = sent(feedback([given(Target::ExperimentRun { run_id: "r".into() }, true)])).await;
    assert_eq!(sent.receipt.rejected[0].kind, ErrorKind::UnresolvableTarget);
}

#[tokio::test]
async fn whoever_nobody_knows_is_told_apart_by_what_they_gave() {
    let told = of_feedback(given(span(), true)).await;
    assert_eq!(told["submitter"]["id"], json!(format!("anonymous-{}", uuid(1))));
    let known = Feedback { context: context(), ..given(span(), true) };
    assert_eq!(of_feedback(known).await["submitter"]["id"], "user-7");
}

#[tokio::test]
async fn a_name_that_is_no_label_becomes_one_and_is_kept() {
    let mut named = score(span(), 1.0);
    named.name = "ragas.answer relevance".into();
    let told = of_score(named).await;
    assert_eq!(told["label"], "ragas_answer_relevance");
    assert_eq!(told["metadata"]["score_name"], "ragas.answer relevance");
    assert!(of_score(score(span(), 1.0)).await["metadata"].get("score_name").is_none());
}

#[tokio::test]
async fn what_is_no_number_is_refused_alone() {
    let sent = sent(scores([score(span(), f64::NAN), score(span(), 0.5)])).await;
    assert_eq!((sent.receipt.delivered, sent.receipt.rejected[0].kind), (1, ErrorKind::Encode));
    assert!(sent.reason().contains("not finite"));
    assert_eq!(sent.evaluation()["score_value"], 0.5);
}

#[tokio::test]
async fn by_an_agent_evaluations_take_its_proxy() {
    let sent =
        sent_with(scores([score(span(), 1.0)]), |config, server| config.with_agent_url(server.url())).await;
    let request = &sent.server.requests()[0];
    assert_eq!(request.path, crate::server::AGENT_EVALUATIONS);
    assert_eq!(request.header("x-datadog-evp-subdomain"), Some("api"));
    assert_eq!(request.header("dd-api-key"), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn a_number_is_sent_as_it_is_and_never_clamped(value in proptest::num::f64::NORMAL, min in -10.0..0.0, max in 0.0..10.0) {
        let ranged = ScoreValue::Numeric { value, range: Some(Range { min, max }) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let told = runtime.block_on(of_score(score(span(), ranged)));
        prop_assert_eq!(told["score_value"].as_f64(), Some(value));
    }
}
