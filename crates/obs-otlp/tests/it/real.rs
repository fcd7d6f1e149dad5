//! Telemetry that real programs made; skipped, saying so, where it is not at hand.

use std::path::Path;

use obs_core::{Record, Signal, Span, SpanType, Status, TraceId};
use obs_otlp::ingest::{self, Ingested};

use crate::request::{TRACE, trace};

fn load(name: &str) -> Option<Ingested> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    };
    let mut all = Ingested::default();
    for line in text.lines() {
        all.append(ingest::json(line).unwrap());
    }
    ingest::link(&mut all.records);
    assert_eq!(all.refused, []);
    Some(all)
}

fn spans(ingested: &Ingested) -> Vec<&Span> {
    ingested.records.iter().filter_map(|r| if let Record::Span(r) = r { r.ended() } else { None }).collect()
}

#[test]
fn every_span_and_log_is_imported() {
    let (Some(genai), Some(mastra)) = (load("genai-otlp.jsonl"), load("mastra-agent-otlp.jsonl")) else {
        return;
    };
    assert_eq!((genai.count(Signal::Traces), genai.count(Signal::Logs)), (215, 0));
    assert_eq!((mastra.count(Signal::Traces), mastra.count(Signal::Logs)), (12, 5));
}

#[test]
fn the_genai_spans_are_model_calls_with_their_tokens() {
    let Some(genai) = load("genai-otlp.jsonl") else { return };
    let spans = spans(&genai);
    let calls: Vec<_> =
        spans.iter().filter_map(|span| Some((*span, span.span_type.as_generation()?))).collect();
    assert_eq!(calls.len(), 214);
    assert!(calls.iter().all(|(_, call)| call.model.is_some() && call.provider.is_some()));
    assert_eq!(calls.iter().filter(|(_, call)| call.usage.is_empty()).count(), 23);
    assert_eq!(calls.iter().filter(|(_, call)| call.response_id.is_some()).count(), 213);
    assert_eq!(calls.iter().filter(|(_, call)| call.time_to_first_token.is_some()).count(), 30);
    assert!(calls.iter().all(|(_, call)| call.usage.input_details.sum() <= call.usage.input.unwrap_or(0)));
    let cached = calls.iter().find(|(_, call)| call.usage.input_details.cache_write > 0).unwrap().1;
    assert_eq!((cached.usage.input, cached.usage.input_details.cache_write), (Some(1167), 1163));
    assert!(calls.iter().filter(|(span, _)| span.input.is_some()).count() >= 146);
    let typed = |key: &str| key.starts_with("gen_ai.usage") || key == "gen_ai.request.model";
    assert!(spans.iter().all(|span| span.attributes.iter().all(|(key, _)| !typed(key))));
}

#[test]
fn the_mastra_file_is_two_whole_trees() {
    let Some(mastra) = load("mastra-agent-otlp.jsonl") else { return };
    let agent_id: TraceId = TRACE.parse().unwrap();
    let agent = trace(&mastra.records, agent_id);
    let tree = agent.tree();
    assert_eq!(tree.len(), 9);
    assert_eq!(tree.iter().filter(|node| node.parent.is_none()).count(), 1);
    let root = tree[0].span;
    assert!(matches!(root.span_type, SpanType::AgentRun(_)), "{root:?}");
    assert!(tree.iter().all(|node| node.span.root_span_id() == Some(root.span_id)));
    assert!(tree.iter().all(|node| node.depth == node.span.ancestors().count()));

    let failed: Vec<_> = tree.iter().filter(|node| node.span.status == Status::Error).collect();
    assert_eq!(failed.len(), 1);
    assert!(
        matches!(&failed[0].span.span_type, SpanType::ToolCall(call) if call.tool.as_deref() == Some("get_weather"))
    );
    assert_eq!(failed[0].span.error.as_ref().unwrap().message, "upstream 503");
    assert_eq!(failed[0].logs.len(), 5);

    let summary = agent.summary().unwrap();
    assert_eq!((summary.spans, summary.errors, summary.status), (9, 1, Status::Ok));
    assert_eq!(summary.models, ["claude-sonnet-4-5", "gpt-4o-mini"]);
    assert_eq!((summary.usage.input, summary.usage.output), (Some(1700), Some(120)));
    let details = summary.usage.input_details;
    assert_eq!((details.cache_read, details.cache_write, details.cache_write_5m), (1324, 0, 100));
    assert_eq!(summary.usage.output_details.reasoning, 20);
    assert_eq!(summary.user_id.as_deref(), Some("user-42"));
    assert_eq!(summary.session_id.as_deref(), Some("sess-9"));
    assert_eq!(summary.service.as_deref(), Some("capture-svc"));

    let other = spans(&mastra).into_iter().find(|span| span.trace_id != agent_id).unwrap().trace_id;
    let workflow = trace(&mastra.records, other);
    let tree = workflow.tree();
    assert_eq!(tree.len(), 3);
    assert!(matches!(tree[0].span.span_type, SpanType::WorkflowRun(_)));
    assert!(
        tree[1..]
            .iter()
            .all(|node| matches!(node.span.span_type, SpanType::WorkflowStep(_)) && node.depth == 1)
    );
}
