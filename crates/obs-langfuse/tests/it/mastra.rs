//! What other exporters to Langfuse get wrong, each a test here.

use std::collections::BTreeSet;
use std::sync::Arc;

use obs_core::{
    AgentRun, Batch, ErrorInfo, ErrorKind, LlmGeneration, Payload, Signal, Span, SpanRecord, SpanType,
    Status, ToolCall, TraceContext, Usage, Value as Attribute,
};
use obs_testkit::Answer;
use obs_testkit::fixtures::{self, at, span_id, trace_id};
use serde_json::{Value, json};

use crate::support::{Bench, SCORES, Seen, TRACES, seen};

fn span(nth: u32, span_type: SpanType) -> Span {
    let mut span = Span::new(trace_id(1), span_id(nth), "work", at(0));
    (span.end, span.span_type) = (Some(at(9)), span_type);
    span
}

fn traces(spans: impl IntoIterator<Item = Span>) -> Batch {
    Batch::Traces(spans.into_iter().map(SpanRecord::Ended).collect())
}

async fn of(span: Span) -> Seen {
    Bench::start().await.observations(&traces([span])).await.remove(0)
}

fn with_context(context: TraceContext) -> Span {
    let mut span = span(1, SpanType::Generic);
    span.context = Arc::new(context);
    span
}

#[tokio::test]
async fn requests_with_spans_are_protobuf_in_gzip() {
    let bench = Bench::start().await;
    bench.export(&fixtures::batch(Signal::Traces).slice(0..20)).await.unwrap();
    let request = bench.server.take_requests().remove(0);
    assert_eq!(request.header("content-type"), Some("application/x-protobuf"));
    assert_eq!(request.header("content-encoding"), Some("gzip"));
    assert_eq!(request.header("x-langfuse-ingestion-version"), Some("4"));
    assert_eq!(request.header("x-langfuse-sdk-name"), Some("obs-langfuse"));
}

#[tokio::test]
async fn tags_are_a_list_and_not_text() {
    let seen =
        of(with_context(TraceContext { tags: vec!["a,b".into(), "c".into()], ..TraceContext::default() }))
            .await;
    assert_eq!(seen.attributes["langfuse.trace.tags"], json!(["a,b", "c"]));
}

#[tokio::test]
async fn every_type_of_span_has_a_type_there_and_a_failed_one_its_level() {
    let seen = Bench::start().await.observations(&input(Signal::Traces)).await;
    let types: BTreeSet<_> = seen.iter().map(|seen| seen.text("langfuse.observation.type")).collect();
    let all = ["agent", "chain", "embedding", "evaluator", "generation", "retriever", "span", "tool"];
    assert_eq!(types.into_iter().collect::<Vec<_>>(), all);
    for seen in seen {
        let level = if seen.status == 2 { "ERROR" } else { "DEFAULT" };
        assert_eq!(seen.text("langfuse.observation.level"), level);
    }
}

fn input(signal: Signal) -> Batch {
    obs_testkit::conformance::input(&fixtures::batch(signal), &obs_langfuse::DESCRIPTOR)
}

#[tokio::test]
async fn a_conversation_is_the_session_where_none_is_named() {
    let thread = TraceContext { thread_id: Some("thread-1".into()), ..TraceContext::default() };
    assert_eq!(of(with_context(thread.clone())).await.text("langfuse.session.id"), "thread-1");
    let both = TraceContext { session_id: Some("session-1".into()), ..thread };
    let seen = of(with_context(both)).await;
    assert_eq!(seen.text("langfuse.session.id"), "session-1");
    assert_eq!(seen.trace_metadata("threadId"), "thread-1");
}

#[tokio::test]
async fn scores_take_the_endpoint_for_scores_with_the_type_of_their_value() {
    let bench = Bench::start().await;
    bench.export(&fixtures::batch(Signal::Scores)).await.unwrap();
    let requests = bench.server.take_requests();
    assert!(requests.iter().all(|request| request.path == SCORES));
    let types: BTreeSet<_> = requests
        .iter()
        .map(|request| request.json().unwrap()["dataType"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(types.into_iter().collect::<Vec<_>>(), ["BOOLEAN", "CATEGORICAL", "NUMERIC", "TEXT"]);
}

#[tokio::test]
async fn no_attribute_makes_the_server_drop_tokens_or_rename_a_span() {
    let mut call =
        span(1, SpanType::ToolCall(ToolCall { tool: Some("search".into()), ..ToolCall::default() }));
    call.attributes = [
        ("gen_ai.operation.name", Attribute::from("invoke_agent")),
        ("gen_ai.tool.name", Attribute::from("other")),
        ("model", Attribute::from("m")),
        ("langfuse.observation.type", Attribute::from("generation")),
    ]
    .into_iter()
    .collect();
    let seen = of(call).await;
    let strangers: Vec<_> = seen.attributes.keys().filter(|key| !key.starts_with("langfuse.")).collect();
    assert_eq!(strangers, Vec::<&String>::new());
    assert_eq!(seen.text("langfuse.observation.type"), "tool");
    assert_eq!(seen.metadata("gen_ai.operation.name"), "invoke_agent");
    assert_eq!(seen.metadata("langfuse.observation.type"), "generation");
}

#[tokio::test]
async fn tokens_and_cost_stand_on_the_model_call_and_nowhere_else() {
    let generation = LlmGeneration { usage: Usage::new(10, 5), ..LlmGeneration::default() };
    let mut call = span(2, SpanType::LlmGeneration(generation));
    call.parent_span_id = Some(span_id(1));
    let agent = span(1, SpanType::AgentRun(AgentRun::default()));
    let seen = Bench::start().await.observations(&traces([agent, call])).await;
    let used: Vec<_> = seen.iter().filter(|seen| seen.has("langfuse.observation.usage_details")).collect();
    assert_eq!(used.len(), 1);
    assert_eq!(used[0].span_id, span_id(2));
}

#[tokio::test]
async fn the_model_that_answered_is_the_model() {
    let generation = LlmGeneration {
        model: Some("gpt-4o".into()),
        response_model: Some("gpt-4o-2024-08-06".into()),
        ..LlmGeneration::default()
    };
    let seen = of(span(1, SpanType::LlmGeneration(generation))).await;
    assert_eq!(seen.text("langfuse.observation.model.name"), "gpt-4o-2024-08-06");
    assert_eq!(seen.metadata("requestedModel"), "gpt-4o");
}

#[tokio::test]
async fn an_error_keeps_its_type_stack_and_sources() {
    let mut failed = span(1, SpanType::Generic);
    failed.status = Status::Error;
    failed.error = Some(Box::new(ErrorInfo {
        error_type: Some("std::io::Error".into()),
        stack: Some("at main".into()),
        sources: vec!["disk full".into()],
        ..ErrorInfo::message("cannot save")
    }));
    let seen = of(failed).await;
    assert_eq!(seen.text("langfuse.observation.status_message"), "cannot save");
    assert_eq!(
        (seen.metadata("errorType"), seen.metadata("errorStack")),
        (&json!("std::io::Error"), &json!("at main"))
    );
    assert_eq!(seen.json("langfuse.observation.metadata.errorSources"), json!(["disk full"]));
}

#[tokio::test]
async fn no_key_of_the_users_is_deleted_or_overwritten() {
    let mut span = with_context(TraceContext {
        metadata: [("stack", "trace's"), ("threadId", "user's")].into_iter().collect(),
        thread_id: Some("thread-1".into()),
        ..TraceContext::default()
    });
    let keys = ["steps", "logger", "validate", "stack", "spanType", "__proto__", "a.constructor.b", ""];
    span.attributes = keys.map(|key| (key, key)).into_iter().collect();
    let seen = of(span).await;
    let names =
        ["steps", "logger", "validate", "stack_", "spanType_", "__proto___", "a.constructor_.b", "(empty)"];
    for (name, value) in names.into_iter().zip(keys) {
        assert_eq!(seen.metadata(name), value, "{name}");
    }
    assert_eq!(
        (seen.metadata("spanType"), seen.trace_metadata("stack")),
        (&json!("generic"), &json!("trace's"))
    );
    assert_eq!(
        (seen.trace_metadata("threadId"), seen.trace_metadata("threadId_")),
        (&json!("thread-1"), &json!("user's"))
    );
}

#[tokio::test]
async fn integers_read_rightly_on_servers_that_mistake_their_sign() {
    let mut span = span(1, SpanType::Generic);
    let values = [("small", 7), ("negative", -7), ("wide", 3_000_000_000), ("widest", i64::MAX)];
    span.attributes = values.map(|(key, value): (_, i64)| (key, value)).into_iter().collect();
    let seen = of(span).await;
    assert_eq!(seen.metadata("small"), &json!(7));
    assert_eq!(seen.metadata("negative"), &json!(-7.0));
    assert_eq!(seen.metadata("wide"), &json!(3e9));
    assert_eq!(seen.metadata("widest"), &json!("9223372036854775807"));
}

#[tokio::test]
async fn an_outage_loses_nothing_and_disables_nothing() {
    let bench = Bench::start().await;
    bench.server.answer([Answer::status(503), Answer::status(500)]);
    let batch = input(Signal::Traces);
    for _ in 0..2 {
        let error = bench.export(&batch).await.unwrap_err();
        assert_eq!((error.kind(), error.undelivered()), (ErrorKind::Unavailable, &batch));
    }
    assert_eq!(bench.export(&batch).await.unwrap().delivered, batch.len());
}

#[tokio::test]
async fn a_failed_export_is_reported_and_not_taken_for_done() {
    let bench = Bench::start().await;
    bench.server.answer_for("POST", TRACES, Answer::status(413));
    let error = bench.export(&input(Signal::Traces)).await.unwrap_err();
    assert_eq!((error.kind(), error.settled().delivered), (ErrorKind::TooLarge, 0));
}

#[tokio::test]
async fn an_orphan_is_sent_with_the_parent_it_names() {
    let mut orphan = span(2, SpanType::Generic);
    orphan.parent_span_id = Some(span_id(77));
    assert_eq!(of(orphan).await.parent, span_id(77).to_bytes());
}

#[tokio::test]
async fn sending_again_replaces_and_doubles_nothing() {
    let bench = Bench::start().await;
    let batch = input(Signal::Traces);
    bench.export(&batch).await.unwrap();
    bench.export(&batch).await.unwrap();
    let keys =
        |seen: &[Seen]| seen.iter().map(|seen| (seen.trace_id, seen.span_id, seen.start)).collect::<Vec<_>>();
    let requests = bench.server.take_requests();
    assert_eq!(keys(&seen(&requests[..1])), keys(&seen(&requests[1..])));
}

#[tokio::test]
async fn a_document_stands_there_as_it_was_given() {
    let document = r#"{"b": 1.0, "a": [1e2, "é"]}"#;
    let mut call = span(1, SpanType::Generic);
    (call.input, call.output) = (Some(Payload::from(document)), Some(Payload::text("{not json")));
    let seen = of(call).await;
    assert_eq!(seen.text("langfuse.observation.input"), document);
    assert_eq!(seen.text("langfuse.observation.output"), "{not json");
}

#[tokio::test]
async fn long_names_of_the_trace_are_cut_and_not_dropped_and_scores_find_the_same_session() {
    let long = "s".repeat(300);
    let session_id = Some(long.clone().into());
    let seen = of(with_context(TraceContext { session_id, ..TraceContext::default() })).await;
    let kept = seen.text("langfuse.session.id");
    assert!(kept.chars().count() == 200 && kept.ends_with('…'));
    let target = obs_core::Target::Session { session_id: long.into() };
    let score = obs_core::Score::new(fixtures::uuid(1), at(0), target, "s", 1);
    let bodies = Bench::start().await.bodies(&Batch::Scores([score].into_iter().collect())).await;
    assert_eq!(bodies[0]["sessionId"], Value::from(kept));
}

#[tokio::test]
async fn a_cost_that_is_partial_or_in_another_currency_is_not_told_as_the_whole_in_dollars() {
    let cost = |cost| LlmGeneration { cost: Some(Box::new(cost)), ..LlmGeneration::default() };
    let partial = obs_core::Cost { partial: true, ..obs_core::Cost::usd(0.5) };
    let seen = of(span(1, SpanType::LlmGeneration(cost(partial)))).await;
    assert_eq!(seen.json("langfuse.observation.cost_details"), json!({"total": 0.5}));
    assert_eq!(seen.metadata("costIsPartial"), &json!(true));
    let euros = obs_core::Cost { currency: "EUR".into(), ..obs_core::Cost::usd(0.5) };
    let seen = of(span(1, SpanType::LlmGeneration(cost(euros)))).await;
    assert!(!seen.has("langfuse.observation.cost_details"));
    assert_eq!(seen.json("langfuse.observation.metadata.cost"), json!({"total": 0.5, "currency": "EUR"}));
}
