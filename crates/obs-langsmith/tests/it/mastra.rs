//! What the TypeScript exporter gets wrong, and what its users asked for.

use obs_core::{Exporter, LlmGeneration, Signal, SpanRecord, SpanType, Target, Usage};
use obs_langsmith::LangsmithExporter;
use obs_testkit::fixtures::{self, at, span_id, trace_id, uuid};
use serde_json::Value;

use super::bench::{self, Sent, arrived, ended, feedback_of, run_of};

fn ordinary(name: &str) -> obs_core::Span {
    let obs_core::Batch::Traces(records) = fixtures::batch(Signal::Traces) else { panic!("traces") };
    records.iter().find(|record| record.span().name == name).map(SpanRecord::span).cloned().unwrap()
}

#[tokio::test]
async fn the_end_is_the_spans_and_not_the_time_of_export() {
    let run = run_of(ordinary("chat")).await;
    assert_eq!(run.json["start_time"], "2026-01-15T10:00:00.024000Z");
    assert_eq!(run.json["end_time"], "2026-01-15T10:00:00.076000Z");
}

#[tokio::test]
async fn a_run_without_output_has_no_outputs_and_never_a_time_for_one() {
    let run = run_of(ordinary("failing tool")).await;
    assert_eq!(run.json.get("outputs"), None);
    assert_eq!(
        run.json["error"],
        "std::io::Error: no such order\ncaused by: not found\ncaused by: row 7 is missing\n\nat lookup\nat main"
    );
}

#[tokio::test]
async fn the_model_that_answered_is_the_model() {
    let run = run_of(ordinary("chat")).await;
    assert_eq!(run.metadata("ls_model_name"), "claude-sonnet-4-5-20250929");
    assert_eq!(run.json["extra"]["invocation_params"]["model"], "claude-sonnet-4-5");
}

#[tokio::test]
async fn details_of_tokens_have_langsmiths_names() {
    let run = run_of(ordinary("chat")).await;
    let usage = run.metadata("usage_metadata");
    let names = |details: &Value| details.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        names(&usage["input_token_details"]),
        [
            "audio",
            "cache_creation",
            "cache_read",
            "ephemeral_1h_input_tokens",
            "ephemeral_5m_input_tokens",
            "image",
            "text"
        ]
    );
    assert_eq!(names(&usage["output_token_details"]), ["audio", "image", "reasoning", "text"]);
}

#[tokio::test]
async fn an_end_whose_start_nobody_saw_is_a_whole_run() {
    for (post_on_start, verbs) in [(false, &["post"][..]), (true, &["post", "patch"])] {
        let server = bench::server().await;
        let exporter =
            LangsmithExporter::new(bench::config(&server).with_post_on_start(post_on_start)).unwrap();
        let mut orphan = ordinary("tool");
        orphan.path = None;
        exporter.export(&ended([orphan])).await.unwrap();
        let sent = bench::sent(&server.requests());
        assert_eq!(sent.iter().map(|run| run.verb.as_str()).collect::<Vec<_>>(), verbs);
        assert!(sent.iter().all(|run| run.json["outputs"].is_object() && run.json["end_time"].is_string()));
    }
}

#[tokio::test]
async fn a_score_needs_nothing_but_its_target() {
    let target = Target::Span { trace_id: trace_id(1), span_id: span_id(3), root_span_id: Some(span_id(1)) };
    let feedback = feedback_of(obs_core::Score::new(uuid(1), at(0), target, "relevance", 0.5)).await;
    assert_eq!(feedback["run_id"], "00000000-0000-0000-00f0-67aa00000003");
    assert_eq!(feedback["session_id"], bench::PROJECT);
}

#[tokio::test]
async fn a_score_of_a_trace_goes_to_its_root() {
    let target = Target::Trace { trace_id: trace_id(1), root_span_id: Some(span_id(1)) };
    let feedback = feedback_of(obs_core::Score::new(uuid(1), at(0), target, "resolved", true)).await;
    assert_eq!(feedback["run_id"], "00000000-0000-0000-00f0-67aa00000001");
    assert_eq!(feedback["run_id"], feedback["trace_id"]);
}

#[tokio::test]
async fn what_people_say_arrives() {
    let sent = arrived(&bench::given(fixtures::trace().feedback)).await;
    assert_eq!((sent[0].json["key"].as_str(), &sent[0].json["score"]), (Some("thumbs"), &1.into()));
    assert_eq!(sent[0].json["comment"], "quick and right");
}

#[tokio::test]
async fn own_ids_are_on_every_run() {
    for run in arrived(&ended(fixtures::trace().spans)).await {
        let span = run.metadata("otel.span_id").as_str().unwrap();
        assert_eq!(run.json["id"].as_str().unwrap().replace('-', "")[16..], *span);
        assert_eq!(run.metadata("otel.trace_id"), &trace_id(77).to_string());
    }
}

#[tokio::test]
async fn tokens_stand_on_the_call_and_on_nothing_above_it() {
    let runs = arrived(&ended(fixtures::trace().spans)).await;
    let with_usage = |run: &&Sent| !run.metadata("usage_metadata").is_null();
    let counted: Vec<_> = runs.iter().filter(with_usage).collect();
    assert_eq!(counted.len(), 2);
    assert!(counted.iter().all(|run| run.json["run_type"] == "llm"));
    let total: u64 =
        counted.iter().map(|run| run.metadata("usage_metadata")["total_tokens"].as_u64().unwrap()).sum();
    assert_eq!(total, 420 + 30 + 600 + 90);
}

#[tokio::test]
async fn a_burst_of_starts_and_ends_loses_nothing() {
    let server = bench::server().await;
    let exporter = LangsmithExporter::new(bench::config(&server).with_post_on_start(true)).unwrap();
    let spans = fixtures::trace().spans;
    let running = |span: &obs_core::Span| obs_core::Span { end: None, output: None, ..span.clone() };
    let both =
        spans.iter().flat_map(|span| [SpanRecord::Started(running(span)), SpanRecord::Ended(span.clone())]);
    let receipt = exporter.export(&obs_core::Batch::Traces(both.collect())).await.unwrap();
    assert_eq!(receipt.delivered, 24);
    let sent = bench::sent(&server.requests());
    assert_eq!(sent.len(), 12);
    assert!(sent.iter().all(|run| run.verb == "post" && run.json["end_time"] != run.json["start_time"]));
    assert_eq!(sent.iter().filter(|run| run.json["outputs"].is_object()).count(), 11, "one of them failed");
}

#[tokio::test]
async fn a_zero_is_a_value() {
    let mut span = ordinary("chat");
    let mut generation = LlmGeneration { usage: Usage::new(1, 0), ..LlmGeneration::default() };
    generation.parameters.other.push("seed", 0);
    span.span_type = SpanType::LlmGeneration(generation);
    let run = run_of(span).await;
    assert_eq!(run.json["extra"]["invocation_params"]["seed"], 0);
    assert_eq!(run.metadata("usage_metadata")["output_tokens"], 0);
}
