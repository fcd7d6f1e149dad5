//! What judgements of every kind become.

use obs_core::{Batch, Feedback, Range, Score, ScoreValue, Scorer, Target};
use obs_testkit::fixtures::{at, span_id, trace_id, uuid};
use serde_json::{Value, json};

use crate::server::sent;

fn target() -> Target {
    Target::Span { trace_id: trace_id(1), span_id: span_id(3), root_span_id: Some(span_id(1)) }
}

async fn score(value: ScoreValue, target: Target) -> (String, Value) {
    let mut score = Score::new(uuid(1), at(1), target, "relevance", value);
    let name = |name: &'static str| Some(name.into());
    score.scorer = Some(Scorer { id: name("scorer-1"), name: name("Relevance"), version: name("2") });
    score.source = name("live");
    let sent = sent(Batch::Scores(vec![score].into())).await;
    assert_eq!(sent.receipt.delivered, 1);
    sent.items[0].clone()
}

#[tokio::test]
async fn a_number_is_a_score_as_it_is_and_its_range_stands_beside_it() {
    let value = ScoreValue::Numeric { value: 4.0, range: Some(Range { min: 1.0, max: 5.0 }) };
    let (route, item) = score(value, target()).await;
    assert_eq!((&*route, &item["score"]), ("scores", &json!(4.0)));
    assert_eq!(item["metadata"]["range"], json!({"min": 1.0, "max": 5.0}));
    assert_eq!((&item["scorerId"], &item["scorerName"]), (&json!("scorer-1"), &json!("Relevance")));
    assert_eq!((&item["scorerVersion"], &item["scoreSource"]), (&json!("2"), &json!("live")));
    assert_eq!(item["metadata"]["name"], "relevance");
}

#[tokio::test]
async fn a_truth_value_is_a_number_that_says_so() {
    for (value, number) in [(true, 1.0), (false, 0.0)] {
        let (route, item) = score(value.into(), target()).await;
        assert_eq!((&*route, &item["score"]), ("scores", &json!(number)));
        assert_eq!(item["metadata"]["value"], json!({"boolean": value}));
    }
}

#[tokio::test]
async fn words_are_feedback_of_a_scorer_and_no_made_up_number() {
    for (value, told) in [
        (ScoreValue::category("good"), json!({"categorical": "good"})),
        (ScoreValue::text("good"), Value::Null),
    ] {
        let (route, item) = score(value, target()).await;
        assert_eq!((&*route, &item["value"]), ("feedback", &json!("good")));
        assert_eq!(item["metadata"].get("value").cloned().unwrap_or_default(), told);
        for (name, told) in [
            ("feedbackId", json!(uuid(1))),
            ("feedbackType", json!("relevance")),
            ("feedbackSource", json!("scorer")),
            ("sourceId", json!("scorer-1")),
        ] {
            assert_eq!(item[name], told, "{name}");
        }
        assert_eq!(item["metadata"]["scorer"]["name"], "Relevance");
        assert_eq!(item["metadata"]["source"], "live");
    }
}

#[tokio::test]
async fn a_batch_of_numbers_and_words_is_one_request_for_each_kind() {
    let of = |nth: u32, value: ScoreValue| Score::new(uuid(nth), at(1), target(), "relevance", value);
    let scores = vec![
        of(1, 0.1.into()),
        of(2, ScoreValue::text("a")),
        of(3, 0.3.into()),
        of(4, ScoreValue::text("b")),
    ];
    let sent = sent(Batch::Scores(scores.into())).await;
    assert_eq!((sent.receipt.delivered, sent.server.requests().len()), (4, 2));
    let routes: Vec<_> = sent.items.iter().map(|(route, _)| route.as_str()).collect();
    assert_eq!(routes, ["scores", "scores", "feedback", "feedback"]);
}

#[tokio::test]
async fn sessions_and_runs_are_found_by_their_correlation() {
    let session = Target::Session { session_id: "session-1".into() };
    let (_, item) = score(0.5.into(), session).await;
    assert_eq!(item["correlationContext"], json!({"sessionId": "session-1"}));
    assert_eq!(item["metadata"]["target"], json!({"session": {"session_id": "session-1"}}));
    let run = Target::ExperimentRun { run_id: "run-1".into() };
    let (_, item) = score(0.5.into(), run).await;
    assert_eq!(item["correlationContext"], json!({"runId": "run-1"}));
    let whole = Target::Trace { trace_id: trace_id(1), root_span_id: None };
    let (_, item) = score(0.5.into(), whole).await;
    assert_eq!((&item["traceId"], item.get("spanId")), (&json!(trace_id(1)), None));
}

#[tokio::test]
async fn what_is_no_number_is_refused_and_sinks_nobody() {
    let of = |nth: u32, value: f64| Score::new(uuid(nth), at(1), target(), "relevance", value);
    let sent = sent(Batch::Scores(vec![of(1, f64::NAN), of(2, 0.5)].into())).await;
    assert_eq!((sent.receipt.delivered, sent.receipt.rejected_count()), (1, 1));
    assert!(sent.receipt.rejected[0].reason.contains("no number in JSON"));
    assert_eq!(sent.item()["scoreId"], json!(uuid(2)));
}

#[tokio::test]
async fn feedback_is_a_number_or_words() {
    for (value, told) in [
        (ScoreValue::numeric(4.0), json!(4.0)),
        (ScoreValue::Boolean(true), json!(1)),
        (ScoreValue::Boolean(false), json!(0)),
        (ScoreValue::category("up"), json!("up")),
        (ScoreValue::text("it helped"), json!("it helped")),
    ] {
        let mut feedback = Feedback::new(uuid(1), at(1), target(), "thumbs", value);
        feedback.user_id = Some("user-7".into());
        feedback.source = Some("app".into());
        let sent = sent(Batch::Feedback(vec![feedback].into())).await;
        let item = sent.item();
        assert_eq!((&item["value"], &item["feedbackType"]), (&told, &json!("thumbs")));
        assert_eq!((&item["feedbackUserId"], &item["feedbackSource"]), (&json!("user-7"), &json!("app")));
    }
}
