//! Runs for LangSmith as parts of a multipart body, against a tree of values for each request.

use std::error::Error;

use obs_core::{Batch, LlmGeneration, Span, SpanId, SpanRecord, SpanType, Timestamp, Usage};
use obs_langsmith::{LangsmithConfig, LangsmithExporter};
use serde_json::Value;

use super::tree::{assert_same, attributes, beside, bytes, list, micros, object, read, said, written};
use super::{Contest, against_value, calls};

/// Runs of a request, as the exporter has it.
const RUNS: usize = 100;

const PROJECT: &str = "bench";

pub(super) fn spans() -> Result<Contest, Box<dyn Error>> {
    let exporter = LangsmithExporter::new(LangsmithConfig::new("key").with_project(PROJECT))?;
    let sample = calls::batch(RUNS + 20);
    let ours: Vec<Value> = exporter.encode(&sample).iter().map(|body| of_parts(body)).collect();
    assert_same(&ours, &read(&tree(&sample)));
    let ours = move |batch: &Batch| bytes(&exporter.encode(batch));
    let theirs = |batch: &Batch| bytes(&tree(batch));
    let names = ["encode.langsmith", "value.langsmith"];
    Ok(against_value("model calls for LangSmith", names, calls::batch, ours, theirs))
}

/// The request of all runs at once that the parts `post.ID` and `post.ID.FIELD` of a multipart body stand for.
fn of_parts(body: &[u8]) -> Value {
    let body = String::from_utf8_lossy(body);
    let (boundary, _) = body.split_once("\r\n").unwrap_or_default();
    let mut runs = Vec::<Value>::new();
    for part in body.split(boundary).filter(|part| part.contains("name=\"")) {
        let (head, json) = part.split_once("\r\n\r\n").unwrap_or_default();
        let name = head.split('"').nth(1).unwrap_or_default();
        let json = serde_json::from_str(json).unwrap_or_default();
        match (name.split('.').nth(2), runs.last_mut()) {
            (Some(field), Some(run)) => run[field] = json,
            (Some(_), None) | (None, _) => runs.push(json),
        }
    }
    object([("post", list(runs))])
}

/// The same runs as `POST /runs/batch` has them.
fn tree(batch: &Batch) -> Vec<Vec<u8>> {
    let Batch::Traces(records) = batch else { return Vec::new() };
    let spans: Vec<&Span> = records.iter().map(SpanRecord::span).collect();
    let request = |spans: &[&Span]| written(&object([("post", list(spans.iter().map(|span| run(span))))]));
    spans.chunks(RUNS).map(request).collect()
}

fn run(span: &Span) -> Value {
    let own = (span.span_id, span.start);
    let mut path: Vec<_> = span.ancestors().map(|above| (above.span_id, above.start)).collect();
    path.reverse();
    path.push(own);
    let orders: Vec<String> = path.iter().map(|level| order(*level)).collect();
    let events = object([("name", "new_token".into()), ("time", micros(first_token(span)).into())]);
    object([
        ("id", id(span.span_id).into()),
        ("trace_id", path.first().map(|(root, _)| id(*root)).into()),
        ("parent_run_id", span.parent_span_id.map(id).into()),
        ("dotted_order", orders.join(".").into()),
        ("name", span.name.as_str().into()),
        ("run_type", "llm".into()),
        ("start_time", micros(span.start).into()),
        ("end_time", span.end.map(micros).into()),
        ("session_name", PROJECT.into()),
        ("tags", list(span.context.tags.iter().map(|tag| tag.as_str().into()))),
        ("inputs", messages(said(span.input.as_ref(), "user"))),
        ("outputs", messages(said(span.output.as_ref(), "assistant"))),
        ("events", list([events])),
        ("extra", extra(span)),
    ])
}

fn id(span_id: SpanId) -> String {
    let hex = span_id.to_string();
    format!("00000000-0000-0000-{}-{}", &hex[..4], &hex[4..])
}

fn order((span_id, start): (SpanId, Timestamp)) -> String {
    format!("{}{}", micros(start).replace(['-', ':', '.'], ""), id(span_id))
}

fn first_token(span: &Span) -> Timestamp {
    let first = span.span_type.as_generation().and_then(|call| call.time_to_first_token);
    span.start.saturating_add(first.unwrap_or_default())
}

fn messages(said: Value) -> Value {
    if said.is_array() { object([("messages", said)]) } else { said }
}

fn extra(span: &Span) -> Value {
    let SpanType::LlmGeneration(call) = &span.span_type else { return Value::Null };
    let scope = span.resource.scope.as_ref();
    let runtime = object([
        ("sdk", "obs-langsmith".into()),
        ("sdk_version", env!("CARGO_PKG_VERSION").into()),
        ("scope", scope.map(|scope| scope.name.as_str()).into()),
        ("scope_version", scope.and_then(|scope| scope.version.as_deref()).into()),
        ("resource", attributes(span.resource.attributes.iter())),
    ]);
    object([
        ("metadata", beside(metadata(span), span.attributes.iter())),
        ("runtime", runtime),
        ("invocation_params", parameters(call)),
    ])
}

fn parameters(call: &LlmGeneration) -> Value {
    object([
        ("model", call.model.as_deref().into()),
        ("temperature", call.parameters.temperature.into()),
        ("max_tokens", call.parameters.max_tokens.into()),
    ])
}

fn metadata(span: &Span) -> Value {
    let SpanType::LlmGeneration(call) = &span.span_type else { return Value::Null };
    let first = call.time_to_first_token.map(|time| time.as_secs_f64());
    let session = span.context.session_id.as_deref();
    object([
        ("ls_provider", call.provider.as_deref().into()),
        ("ls_model_name", call.response_model.as_deref().into()),
        ("ls_model_type", "chat".into()),
        ("ls_temperature", call.parameters.temperature.into()),
        ("ls_max_tokens", call.parameters.max_tokens.into()),
        ("ls_invocation_params", parameters(call)),
        ("response_id", call.response_id.as_deref().into()),
        ("finish_reason", call.finish_reason.as_deref().into()),
        ("time_to_first_token_seconds", first.into()),
        ("usage_metadata", usage(&call.usage, call.cost.as_deref())),
        ("thread_id", session.into()),
        ("session_id", session.into()),
        ("user_id", span.context.user_id.as_deref().into()),
        ("environment", span.context.environment.as_deref().into()),
        ("revision_id", span.context.release.as_deref().into()),
        ("trace_name", span.context.name.as_deref().into()),
        ("service", span.resource.service_name().into()),
        ("span_type", span.span_type.name().into()),
        ("otel.trace_id", span.trace_id.to_string().into()),
        ("otel.span_id", span.span_id.to_string().into()),
        ("otel.parent_span_id", span.parent_span_id.map(|id| id.to_string()).into()),
    ])
}

fn usage(usage: &Usage, cost: Option<&obs_core::Cost>) -> Value {
    let input = [("text", usage.input_text().into()), ("cache_read", usage.input_details.cache_read.into())];
    let output = [("text", usage.output_text().into()), ("reasoning", usage.output_details.reasoning.into())];
    object([
        ("input_tokens", usage.input.into()),
        ("output_tokens", usage.output.into()),
        ("total_tokens", usage.total().into()),
        ("input_token_details", object(input)),
        ("output_token_details", object(output)),
        ("input_cost", cost.and_then(|cost| cost.input).into()),
        ("output_cost", cost.and_then(|cost| cost.output).into()),
        ("total_cost", cost.map(|cost| cost.total).into()),
    ])
}
