//! What the seeds say, what the API says, and what is done: one test for each row that concerns LangSmith.

use std::time::Duration;

use obs_core::{
    ErrorKind, Exporter, Feedback, InputTokens, LlmGeneration, OutputTokens, Score, ScoreValue, Signal, Span,
    SpanType, Support, Target, Usage,
};
use obs_langsmith::DESCRIPTOR;
use obs_testkit::fixtures::{self, at, span_id, trace_id, uuid};
use serde_json::{Value, json};

use super::bench::{self, arrived, exporter, feedback_of, given, run_of, scores, server};

fn on_root() -> Target {
    Target::Trace { trace_id: trace_id(1), root_span_id: Some(span_id(1)) }
}

fn score(value: impl Into<ScoreValue>) -> Score {
    Score::new(uuid(7), at(0), on_root(), "quality", value)
}

#[tokio::test]
async fn row_13_feedback_names_runs_and_never_a_trace_id() {
    let target = Target::Span { trace_id: trace_id(1), span_id: span_id(3), root_span_id: None };
    let feedback = feedback_of(Score::new(uuid(7), at(0), target, "quality", 1.0)).await;
    assert_eq!(feedback["run_id"], "00000000-0000-0000-00f0-67aa00000003");
    assert_eq!(feedback.get("trace_id"), None);
    let unknown = Target::Trace { trace_id: trace_id(1), root_span_id: None };
    let server = server().await;
    let outcome = exporter(&server).export(&scores([Score::new(uuid(7), at(0), unknown, "q", 1.0)])).await;
    assert!(
        bench::reasons(outcome)[0].starts_with("unresolvable_target: LangSmith keeps feedback with runs")
    );
}

#[tokio::test]
async fn row_14_feedback_has_project_root_and_an_id_of_its_own() {
    let feedback = feedback_of(score(0.5)).await;
    assert_eq!(feedback["session_id"], bench::PROJECT);
    assert_eq!(feedback["trace_id"], "00000000-0000-0000-00f0-67aa00000001");
    assert_eq!(feedback["id"], uuid(7).to_string());
}

#[tokio::test]
async fn row_15_every_kind_of_value_has_its_place() {
    for (value, score_sent, value_sent, config) in [
        (ScoreValue::numeric(0.123_456_789), json!(0.123_456_789), Value::Null, Value::Null),
        (
            ScoreValue::ratio(1.5),
            json!(1.5),
            Value::Null,
            json!({"type": "continuous", "min": 0.0, "max": 1.0}),
        ),
        (ScoreValue::numeric(f64::NAN), Value::Null, json!("NaN"), Value::Null),
        (ScoreValue::numeric(f64::NEG_INFINITY), Value::Null, json!("-Infinity"), Value::Null),
        (
            ScoreValue::from(false),
            json!(0),
            Value::Null,
            json!({"type": "categorical", "categories": [{"value": 1, "label": "true"}, {"value": 0, "label": "false"}]}),
        ),
        (ScoreValue::category("good"), Value::Null, json!("good"), Value::Null),
        (
            ScoreValue::text("clear and short"),
            Value::Null,
            json!("clear and short"),
            json!({"type": "freeform"}),
        ),
    ] {
        let feedback = Value::Object(feedback_of(score(value.clone())).await);
        let sent = ["score", "value", "feedback_config"].map(|name| feedback[name].clone());
        assert_eq!(sent, [score_sent, value_sent, config], "{value:?}");
    }
}

#[tokio::test]
async fn row_15_a_correction_and_a_comment_have_their_own_places() {
    let said = |kind: &'static str, words: &'static str| {
        Feedback::new(uuid(8), at(0), on_root(), kind, ScoreValue::text(words))
    };
    let correction = arrived(&given([said("correction", "It left today.")])).await.remove(0).json;
    assert_eq!((&correction["correction"], correction.get("value")), (&json!("It left today."), None));
    for (value, words) in [(ScoreValue::numeric(42.5), "42.5"), (ScoreValue::from(true), "true")] {
        let batch = given([Feedback::new(uuid(8), at(0), on_root(), "correction", value)]);
        let right = arrived(&batch).await.remove(0).json;
        assert_eq!(
            (&right["correction"], right.get("score"), right.get("value")),
            (&json!(words), None, None)
        );
    }
    let comment = arrived(&given([said("comment", "thanks")])).await.remove(0).json;
    assert_eq!((&comment["comment"], &comment["value"]), (&json!("thanks"), &json!("thanks")));
    let mut thumbs = Feedback::new(uuid(9), at(0), on_root(), "thumbs", true);
    (thumbs.source, thumbs.user_id) = (Some("app".into()), Some("user-7".into()));
    let thumbs = arrived(&given([thumbs])).await.remove(0).json;
    assert_eq!(
        thumbs["feedback_source"],
        json!({"type": "app", "metadata": {"source": "app", "user_id": "user-7"}})
    );
}

#[tokio::test]
async fn row_16_logs_have_no_place() {
    assert_eq!(DESCRIPTOR.support(Signal::Logs), Support::No);
    assert!(DESCRIPTOR.remark(Signal::Logs).is_some());
    let server = server().await;
    let error = exporter(&server).export(&fixtures::batch(Signal::Logs)).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::Unsupported, 0));
}

#[tokio::test]
async fn row_17_a_hundred_scores_are_one_request() {
    let server = server().await;
    let exporter = exporter(&server);
    let many = |from: u32| scores((from..from + 100).map(|nth| Score { id: uuid(nth), ..score(1.0) }));
    exporter.export(&many(0)).await.unwrap();
    exporter.export(&many(100)).await.unwrap();
    let paths: Vec<_> = server.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/info", "/sessions", "/runs/multipart", "/runs/multipart"]);
}

#[tokio::test]
async fn row_18_totals_are_inclusive_and_details_are_theirs() {
    let mut span = Span::new(trace_id(1), span_id(1), "chat", at(0));
    let input_details =
        InputTokens { cache_read: 100, cache_write: 7, cache_write_5m: 20, ..InputTokens::default() };
    let output_details = OutputTokens { reasoning: 60, ..OutputTokens::default() };
    let usage = Usage { input: Some(1_000), output: Some(300), input_details, output_details };
    span.span_type = SpanType::LlmGeneration(LlmGeneration { usage, ..LlmGeneration::default() });
    assert_eq!(
        run_of(span).await.metadata("usage_metadata"),
        &json!({
            "input_tokens": 1000, "output_tokens": 300, "total_tokens": 1300,
            "input_token_details": {"text": 873, "cache_read": 100, "cache_creation": 7, "ephemeral_5m_input_tokens": 20},
            "output_token_details": {"text": 240, "reasoning": 60},
        })
    );
}

#[tokio::test]
async fn row_19_the_first_token_is_an_event_at_its_time() {
    let mut span = Span::new(trace_id(1), span_id(1), "chat", at(1_000));
    let time_to_first_token = Some(Duration::from_micros(1_500));
    span.span_type =
        SpanType::LlmGeneration(LlmGeneration { time_to_first_token, ..LlmGeneration::default() });
    let run = run_of(span).await;
    assert_eq!(run.json["events"], json!([{"name": "new_token", "time": "2026-01-15T10:00:00.002500Z"}]));
}

#[tokio::test]
async fn an_application_is_the_same_source_for_scores_and_feedback() {
    let mut score = score(1.0);
    let mut feedback = Feedback::new(uuid(9), at(0), on_root(), "thumbs", true);
    for (source, kind) in [("app", "app"), ("human", "app"), ("live", "api")] {
        score.source = Some(source.into());
        feedback.source = Some(source.into());
        assert_eq!(feedback_of(score.clone()).await["feedback_source"]["type"], kind);
        assert_eq!(arrived(&given([feedback.clone()])).await[0].json["feedback_source"]["type"], kind);
    }
}
