//! Rows of spans.

use std::collections::{BTreeMap, BTreeSet};

use obs_core::{
    Batch, InputTokens, OutputTokens, Payload, Records, Signal, Span, SpanRecord, SpanType, Usage,
};
use obs_testkit::fixtures;
use serde_json::{Value, json};

use super::{Field, TRACE, hold, hold_attributes, near, or_null, seconds};
use crate::server::sent;

fn usage(span: &Span) -> Option<&Usage> {
    span.span_type.model().map(|(_, _, usage)| usage)
}

fn input(span: &Span, part: fn(&InputTokens) -> u64) -> Value {
    or_null(usage(span).map(|usage| part(&usage.input_details)).filter(|tokens| *tokens > 0))
}

fn output(span: &Span, part: fn(&OutputTokens) -> u64) -> Value {
    or_null(usage(span).map(|usage| part(&usage.output_details)).filter(|tokens| *tokens > 0))
}

/// A document: JSON as itself, words as words; of a model call words are a message.
fn said(span: &Span, document: Option<&Payload>, role: &str) -> Value {
    let Some(json) = document.map(super::document) else { return Value::Null };
    let chat = matches!(span.span_type, SpanType::LlmGeneration(_)) && json.is_string();
    if chat { json!([{"role": role, "content": json}]) } else { json }
}

const SPAN: &[Field<Span>] = &[
    ("row", "/id", |span| json!(span.span_id)),
    ("span", "/span_id", |span| json!(span.span_id)),
    ("trace", "/root_span_id", |span| json!(span.trace_id)),
    ("parent", "/span_parents", |span| json!(span.parent_span_id.into_iter().collect::<Vec<_>>())),
    ("name", "/span_attributes/name", |span| json!(span.name)),
    ("type", "/span_attributes/type", |span| {
        json!(match span.span_type.name() {
            "llm_generation" | "embedding" => "llm",
            "tool_call" | "mcp_tool_call" => "tool",
            "workflow_step" | "memory_lookup" | "memory_update" | "rag_query" => "function",
            "eval_execution" => "score",
            _ => "task",
        })
    }),
    ("purpose", "/span_attributes/purpose", |span| {
        or_null((span.span_type.name() == "eval_execution").then_some("scorer"))
    }),
    ("start", "/metrics/start", |span| seconds(span.start)),
    ("created", "/created", |span| json!(span.start.rfc3339().to_string())),
    ("input", "/input", |span| said(span, span.input.as_ref(), "user")),
    ("output", "/output", |span| said(span, span.output.as_ref(), "assistant")),
    ("input tokens", "/metrics/prompt_tokens", |span| or_null(usage(span).and_then(|usage| usage.input))),
    ("output tokens", "/metrics/completion_tokens", |span| {
        or_null(usage(span).and_then(|usage| usage.output))
    }),
    ("tokens", "/metrics/tokens", |span| or_null(usage(span).and_then(Usage::total))),
    ("cached", "/metrics/prompt_cached_tokens", |span| input(span, |input| input.cache_read)),
    ("written to the cache", "/metrics/prompt_cache_creation_tokens", |span| {
        input(span, |input| {
            [input.cache_write, input.cache_write_5m, input.cache_write_1h]
                .iter()
                .fold(0, |a, b| a.saturating_add(*b))
        })
    }),
    ("for 5 minutes", "/metrics/prompt_cache_creation_5m_tokens", |span| {
        input(span, |input| input.cache_write_5m)
    }),
    ("for an hour", "/metrics/prompt_cache_creation_1h_tokens", |span| {
        input(span, |input| input.cache_write_1h)
    }),
    ("audio in", "/metrics/prompt_audio_tokens", |span| input(span, |input| input.audio)),
    ("images in", "/metrics/prompt_image_tokens", |span| input(span, |input| input.image)),
    ("reasoning", "/metrics/completion_reasoning_tokens", |span| output(span, |output| output.reasoning)),
    ("audio out", "/metrics/completion_audio_tokens", |span| output(span, |output| output.audio)),
    ("images out", "/metrics/completion_image_tokens", |span| output(span, |output| output.image)),
    ("first token", "/metrics/time_to_first_token", |span| {
        or_null(
            span.span_type
                .as_generation()
                .and_then(|call| call.time_to_first_token)
                .map(|time| time.as_secs_f64()),
        )
    }),
    ("cost", "/metrics/estimated_cost", |span| {
        or_null(span.span_type.as_generation().and_then(|call| Some(call.cost.as_ref()?.total)))
    }),
    ("parts of the cost", "/metadata/cost", |span| {
        or_null(span.span_type.as_generation().and_then(|call| call.cost.clone()))
    }),
    ("error", "/error", |span| match &span.error {
        Some(error) => serde_json::to_value(error).unwrap(),
        None if span.status == obs_core::Status::Error => json!("it failed, and did not say how"),
        None => Value::Null,
    }),
    ("model", "/metadata/model", |span| or_null(span.span_type.model().and_then(|(model, _, _)| model))),
    ("provider", "/metadata/provider", |span| {
        or_null(span.span_type.model().and_then(|(_, provider, _)| provider))
    }),
    ("prompt", "/metadata/prompt", |span| {
        or_null(span.span_type.as_generation().and_then(|call| call.prompt.clone()))
    }),
    ("top p", "/metadata/top_p", |span| {
        or_null(span.span_type.as_generation().and_then(|call| call.parameters.top_p))
    }),
    ("stopped", "/metadata/finish_reason", |span| {
        or_null(span.span_type.as_generation().and_then(|call| call.finish_reason.clone()))
    }),
    ("type in obs", "/metadata/span_type", |span| json!(span.span_type.name())),
    ("links", "/metadata/links", |span| or_null((!span.links.is_empty()).then_some(&span.links))),
    ("events", "/metadata/events", |span| {
        let event = |event: &obs_core::Event| {
            let mut told = json!({"time": event.time.rfc3339().to_string(), "name": event.name});
            if !event.attributes.is_empty() {
                told["attributes"] = json!(event.attributes);
            }
            told
        };
        or_null((!span.events.is_empty()).then(|| span.events.iter().map(event).collect::<Vec<_>>()))
    }),
    ("state", "/metadata/trace_state", |span| or_null(span.trace_state.clone())),
    ("tags", "/tags", |span| {
        or_null(
            (span.parent_span_id.is_none() && !span.context.tags.is_empty()).then_some(&span.context.tags),
        )
    }),
    ("merged", "/_is_merge", |_| json!(true)),
];

fn spans(batch: Batch) -> Records<SpanRecord> {
    let Batch::Traces(records) = batch else { panic!("no traces") };
    records
}

/// A span that started runs; one that ended has an end, at no time before its start, and at its own where that is one.
fn hold_end(record: &SpanRecord, row: &Value) {
    let [start, end] = ["start", "end"].map(|name| row["metrics"][name].as_f64());
    match record {
        SpanRecord::Started(_) => assert_eq!(end, None, "{row:.500}"),
        SpanRecord::Ended(span) => {
            assert!(end.unwrap() >= start.unwrap(), "{row:.500}");
            let own = span.end.filter(|own| *own > span.start).map(seconds);
            assert!(own.is_none_or(|own| near(&row["metrics"]["end"], &own)), "{row:.500}");
        }
    }
}

#[tokio::test]
async fn every_row_of_a_span_says_what_the_span_says() {
    let batches = [
        fixtures::batch(Signal::Traces),
        fixtures::nasty(Signal::Traces),
        fixtures::trace_batches().swap_remove(0),
    ];
    for batch in batches {
        let records = spans(batch.clone());
        // Of a start and an end in one batch the end is sent; of two ends, both, in their order.
        let ended: BTreeSet<_> =
            records.iter().filter_map(SpanRecord::ended).map(|span| span.span_id).collect();
        let mut wanted: BTreeMap<String, Vec<&SpanRecord>> = BTreeMap::new();
        for record in records
            .iter()
            .filter(|record| record.ended().is_some() || !ended.contains(&record.span().span_id))
        {
            wanted.entry(record.span().span_id.to_string()).or_default().push(record);
        }
        let sent = sent(batch).await;
        assert_eq!(sent.rows.len(), wanted.values().map(Vec::len).sum::<usize>());
        for row in &sent.rows {
            let record = wanted.get_mut(row["id"].as_str().unwrap()).unwrap().remove(0);
            let span = record.span();
            hold(SPAN, span, row);
            hold_end(record, row);
            hold(TRACE, &span.context, row);
            hold_attributes(&span.attributes, "attributes", row);
            hold_attributes(&span.context.metadata, "trace_metadata", row);
            if let Some(call) = span.span_type.as_generation() {
                hold_attributes(&call.parameters.other, "parameters", row);
            }
        }
    }
}
