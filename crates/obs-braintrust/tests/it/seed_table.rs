//! What was once planned, what Braintrust's API says, and what is done: a test for each row of that table.

use std::time::Duration;

use obs_braintrust::DESCRIPTOR;
use obs_core::{
    Batch, InputTokens, Level, LlmGeneration, Log, OutputTokens, Payload, Range, Score, ScoreValue, Signal,
    Span, SpanType, Support, Target, Usage,
};
use obs_testkit::fixtures::{at, span_id, trace_id, uuid};
use serde_json::{Value, json};

use crate::server::{self, EXPERIMENT, PROJECT, ended, logs, scores, sent};

fn span() -> Span {
    let mut span = Span::new(trace_id(1), span_id(3), "chat", at(0));
    span.end = Some(at(400_000));
    span
}

fn target() -> Target {
    Target::Span { trace_id: trace_id(1), span_id: span_id(3), root_span_id: Some(span_id(1)) }
}

fn score(value: impl Into<ScoreValue>) -> Score {
    Score::new(uuid(1), at(9), target(), "relevance", value)
}

#[tokio::test]
async fn row_9_a_log_is_a_row_of_the_api_s_own_fields() {
    let mut log = Log::new(at(5), Level::Warn, "slow answer");
    log.span = Some(span().reference());
    log.data = Some(Payload::from(r#"{"latency_ms":12}"#));
    let sent = sent(logs([log])).await;
    let row = sent.row();
    for unknown in ["spanId", "message", "level"] {
        assert!(row.get(unknown).is_none(), "{row}");
    }
    assert_eq!(row["output"], "slow answer");
    assert_eq!(row["span_attributes"], json!({"name": null, "type": "log", "log_level": "warn"}));
    assert_eq!(row["metadata"]["data"], json!({"latency_ms": 12}));
    let ids = (&row["span_id"], &row["root_span_id"]);
    assert_eq!(ids, (&json!(span_id(3)), &json!(trace_id(1))));
    assert_eq!(row["metrics"]["start"], row["metrics"]["end"]);
}

#[tokio::test]
async fn row_10_a_score_lies_in_0_to_1_by_its_range_or_is_none() {
    let stars = |value| ScoreValue::Numeric { value, range: Some(Range { min: 1.0, max: 5.0 }) };
    let placed = sent(scores([score(stars(4.0))])).await;
    assert_eq!(placed.item()["scores"], json!({"relevance": 0.75}));
    assert_eq!(placed.item()["metadata"]["raw_scores"], json!({"relevance": 4.0}));
    for (value, raw) in
        [(stars(7.0), 7.0), (ScoreValue::numeric(42.0), 42.0), (ScoreValue::numeric(-0.5), -0.5)]
    {
        let degraded = sent(scores([score(value)])).await;
        assert_eq!(degraded.items, Vec::<Value>::new());
        let row = degraded.row();
        assert_eq!(row["metadata"]["raw_scores"], json!({"relevance": raw}));
        assert!(row.get("scores").is_none(), "it is never clamped: {row}");
        assert_eq!((&row["id"], &row["_is_merge"]), (&json!(span_id(3)), &json!(true)));
        assert_eq!(degraded.receipt.delivered, 1);
    }
}

#[tokio::test]
async fn row_11_feedback_finds_the_row_of_its_span() {
    let row = sent(ended([span()])).await;
    let item = sent(scores([score(0.5)])).await;
    assert_eq!(row.row()["id"], item.item()["id"]);
    assert_eq!(row.row()["id"], row.row()["span_id"]);
}

#[tokio::test]
async fn row_12_an_experiment_is_an_object_of_its_own() {
    let mut named = score(0.5);
    named.experiment_id = Some(EXPERIMENT.into());
    let mut other = score(0.25);
    other.experiment_id = Some("baseline".into());
    let sent = sent(scores([named, other])).await;
    let found = server::fed_back(&sent.server);
    let path = |place: &str| format!("/v1/{place}/feedback");
    assert_eq!(found[0].0, path(&format!("experiment/{EXPERIMENT}")));
    assert_eq!(found[1].0, path(&format!("project_logs/{PROJECT}")));
    assert_eq!(found[1].1["metadata"]["experiment_id"], "baseline");
}

#[test]
fn row_16_logs_are_native_and_metrics_are_not_taken() {
    for (signal, support) in [
        (Signal::Traces, Support::Native),
        (Signal::Metrics, Support::No),
        (Signal::Logs, Support::Native),
        (Signal::Scores, Support::Native),
        (Signal::Feedback, Support::Native),
    ] {
        assert_eq!(DESCRIPTOR.support(signal), support, "{signal}");
    }
}

#[tokio::test]
async fn row_17_a_batch_is_a_request_and_not_one_for_each_record() {
    let spans = (1..=50).map(|nth| Span::new(trace_id(1), span_id(nth), "step", at(0)));
    let sent = sent(ended(spans)).await;
    let posts = sent.server.requests().iter().filter(|request| request.path.ends_with("/insert")).count();
    assert_eq!((posts, sent.rows.len()), (1, 50));
    let names = (1..=100).map(|nth| format!("scorer {nth}"));
    let judged = names.map(|name| Score::new(uuid(1), at(9), target(), name, 0.5));
    let sent = server::sent(scores(judged)).await;
    let posts = sent.server.requests().iter().filter(|request| request.path.ends_with("/feedback")).count();
    assert_eq!((posts, sent.receipt.delivered), (1, 100));
}

#[tokio::test]
async fn row_18_tokens_include_their_parts() {
    let mut span = span();
    let usage = Usage {
        input: Some(1_200),
        output: Some(80),
        input_details: InputTokens { cache_read: 1_000, cache_write_5m: 100, ..InputTokens::default() },
        output_details: OutputTokens { reasoning: 20, ..OutputTokens::default() },
    };
    span.span_type = SpanType::LlmGeneration(LlmGeneration { usage, ..LlmGeneration::default() });
    let sent = sent(ended([span])).await;
    let mut metrics = sent.row()["metrics"].clone();
    metrics.as_object_mut().unwrap().retain(|name, _| name.contains("tokens"));
    let wanted = json!({
        "prompt_tokens": 1_200, "completion_tokens": 80, "tokens": 1_280, "prompt_cached_tokens": 1_000,
        "prompt_cache_creation_tokens": 100, "prompt_cache_creation_5m_tokens": 100,
        "completion_reasoning_tokens": 20,
    });
    assert_eq!(metrics, wanted);
}

#[tokio::test]
async fn row_19_the_time_to_the_first_token_is_a_duration_in_seconds() {
    let mut span = span();
    let time_to_first_token = Some(Duration::from_millis(250));
    span.span_type =
        SpanType::LlmGeneration(LlmGeneration { time_to_first_token, ..LlmGeneration::default() });
    let sent = sent(ended([span])).await;
    assert_eq!(sent.row()["metrics"]["time_to_first_token"], 0.25);
    assert_eq!(sent.row()["metrics"]["start"], 1_768_471_200.0);
    assert_eq!(sent.row()["metrics"]["end"], 1_768_471_200.4);
}

#[tokio::test]
async fn a_session_and_a_run_that_is_no_experiment_are_refused_and_not_guessed() {
    let judged = [
        Target::Session { session_id: "session-42".into() },
        Target::ExperimentRun { run_id: "run-5".into() },
        Target::Trace { trace_id: trace_id(1), root_span_id: None },
    ]
    .map(|target| Score::new(uuid(1), at(9), target, "relevance", 0.5));
    let sent = sent(Batch::Scores(judged.into_iter().collect())).await;
    let kinds: Vec<_> = sent.receipt.rejected.iter().map(|rejection| rejection.kind.as_str()).collect();
    assert_eq!(kinds, ["unresolvable_target"; 3]);
    assert!(sent.server.requests().is_empty());
}
