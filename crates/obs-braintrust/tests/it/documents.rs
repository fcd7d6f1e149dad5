//! Documents of the application's own, as other readers of JSON find them.

use std::time::Duration;

use obs_core::{
    AgentRun, Chunk, Decision, LlmGeneration, Log, MemoryHit, MemoryLookup, Payload, RagQuery, Span,
    SpanType, StepFlavour, WorkflowStep,
};
use obs_testkit::fixtures::{at, span_id, trace_id};
use serde_json::{Value, json};

use crate::server::{Sent, ended, logs, sent};

fn nested(depth: usize) -> Payload {
    Payload::from_json(&("[".repeat(depth) + &"]".repeat(depth))).unwrap()
}

fn span(span_type: SpanType) -> Span {
    let mut span = Span::new(trace_id(1), span_id(1), "step", at(0));
    span.span_type = span_type;
    span
}

/// The only row of the only insert, by a reader that gives up at a depth of 128 as most do.
fn row(sent: &Sent) -> Value {
    let requests = sent.server.requests();
    let insert = requests.iter().find(|request| request.path.ends_with("/insert")).unwrap();
    serde_json::from_slice::<Value>(&insert.body).unwrap()["events"][0].clone()
}

#[tokio::test]
async fn what_nests_too_deep_for_a_row_is_sent_as_its_text_and_the_row_is_read() {
    let deep = nested(127);
    let text = json!(deep.as_str());
    let generation = LlmGeneration { tools: Some(deep.clone()), ..LlmGeneration::default() };
    let run = AgentRun { instructions: Some(deep.clone()), ..AgentRun::default() };
    let hit = MemoryHit { content: Some(deep.clone()), ..MemoryHit::default() };
    let lookup = MemoryLookup { results: vec![hit], ..MemoryLookup::default() };
    let chunk = Chunk { content: Some(deep.clone()), ..Chunk::default() };
    let query = RagQuery { chunks: vec![chunk], ..RagQuery::default() };
    for (span_type, place) in [
        (SpanType::LlmGeneration(generation), "/metadata/tools"),
        (SpanType::AgentRun(run), "/metadata/agent_run/instructions"),
        (SpanType::MemoryLookup(lookup), "/metadata/memory_lookup/results/0/content"),
        (SpanType::RagQuery(query), "/metadata/rag_query/chunks/0/content"),
    ] {
        let told = row(&sent(ended([span(span_type)])).await);
        assert_eq!(told.pointer(place), Some(&text), "{place}");
    }
    let mut said = span(SpanType::LlmGeneration(LlmGeneration::default()));
    let mut step = span(SpanType::Generic);
    for span in [&mut said, &mut step] {
        (span.input, span.output) = (Some(deep.clone()), Some(deep.clone()));
    }
    let step = row(&sent(ended([step])).await);
    assert_eq!([&step["input"], &step["output"]], [&text; 2]);
    let said = row(&sent(ended([said])).await);
    assert_eq!([&said["input"][0]["content"], &said["output"][0]["content"]], [&text; 2]);
    let mut log = Log::new(at(1), obs_core::Level::Info, "deep");
    log.data = Some(deep);
    assert_eq!(row(&sent(logs([log])).await)["metadata"]["data"], text);
}

#[tokio::test]
async fn what_a_row_has_room_for_stays_json() {
    for span_type in [SpanType::Generic, SpanType::LlmGeneration(LlmGeneration::default())] {
        let mut span = span(span_type);
        span.input = Some(nested(120));
        assert!(row(&sent(ended([span])).await)["input"].is_array());
    }
    let hit = MemoryHit { content: Some(nested(120)), ..MemoryHit::default() };
    let lookup = MemoryLookup { results: vec![hit], ..MemoryLookup::default() };
    let told = row(&sent(ended([span(SpanType::MemoryLookup(lookup))])).await);
    assert!(told["metadata"]["memory_lookup"]["results"][0]["content"].is_array());
}

#[tokio::test]
async fn times_in_the_metadata_are_texts_that_every_reader_keeps_whole() {
    let decision = |reasoning: Option<&'static str>| Decision {
        time: at(2),
        action: "call lookup".into(),
        reasoning: reasoning.map(Into::into),
        alternatives: reasoning.map(Into::into).into_iter().collect(),
    };
    let decisions = vec![decision(Some("an order is named")), decision(None)];
    let run = AgentRun { agent_id: Some("a".into()), max_steps: Some(8), decisions, ..AgentRun::default() };
    let told = row(&sent(ended([span(SpanType::AgentRun(run))])).await);
    let time = "2026-01-15T10:00:00.000002000Z";
    let wanted = json!({"agent_id": "a", "max_steps": 8, "decisions": [
        {"time": time, "action": "call lookup", "reasoning": "an order is named", "alternatives": ["an order is named"]},
        {"time": time, "action": "call lookup"},
    ]});
    assert_eq!(told["metadata"]["agent_run"], wanted);
    let flavour = StepFlavour::Sleep { duration: Some(Duration::from_secs(1)), until: Some(at(2)) };
    let step = WorkflowStep { step_id: Some("nap".into()), flavour, ..WorkflowStep::default() };
    let told = row(&sent(ended([span(SpanType::WorkflowStep(step))])).await);
    let wanted = json!({"step_id": "nap", "flavour": {"sleep": {"duration": 1_000_000_000, "until": time}}});
    assert_eq!(told["metadata"]["workflow_step"], wanted);
}
