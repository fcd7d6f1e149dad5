//! Rows for Braintrust, against a tree of values for each request.

use std::error::Error;

use obs_braintrust::{BraintrustConfig, BraintrustExporter};
use obs_core::{Batch, Scope, Span, SpanRecord, SpanType, Timestamp};
use serde_json::Value;

use super::tree::{assert_same, attributes, beside, bytes, list, object, read, said, written};
use super::{Contest, against_value, calls};

/// Rows of a request, as the exporter has it.
const ROWS: usize = 100;

pub(super) fn spans() -> Result<Contest, Box<dyn Error>> {
    let exporter = BraintrustExporter::new(BraintrustConfig::new("key").with_project("bench"))?;
    let sample = calls::batch(ROWS + 20);
    assert_same(&read(&exporter.encode(&sample)), &read(&tree(&sample)));
    let ours = move |batch: &Batch| bytes(&exporter.encode(batch));
    let theirs = |batch: &Batch| bytes(&tree(batch));
    let names = ["encode.braintrust", "value.braintrust"];
    Ok(against_value("model calls for Braintrust", names, calls::batch, ours, theirs))
}

fn tree(batch: &Batch) -> Vec<Vec<u8>> {
    let Batch::Traces(records) = batch else { return Vec::new() };
    let spans: Vec<&Span> = records.iter().map(SpanRecord::span).collect();
    let request = |spans: &[&Span]| written(&object([("events", list(spans.iter().map(|span| row(span))))]));
    spans.chunks(ROWS).map(request).collect()
}

fn row(span: &Span) -> Value {
    let id = span.span_id.to_string();
    object([
        ("id", id.as_str().into()),
        ("span_id", id.into()),
        ("root_span_id", span.trace_id.to_string().into()),
        ("span_parents", list(span.parent_span_id.map(|id| id.to_string().into()))),
        ("input", said(span.input.as_ref(), "user")),
        ("output", said(span.output.as_ref(), "assistant")),
        ("metadata", beside(metadata(span), span.attributes.iter())),
        ("metrics", metrics(span)),
        ("span_attributes", object([("name", span.name.as_str().into()), ("type", "llm".into())])),
        ("created", span.start.rfc3339().to_string().into()),
        ("context", context(span)),
        ("_is_merge", true.into()),
    ])
}

fn metadata(span: &Span) -> Value {
    let SpanType::LlmGeneration(call) = &span.span_type else { return Value::Null };
    let cost = call.cost.as_ref().map(|cost| {
        object([
            ("total", cost.total.into()),
            ("input", cost.input.into()),
            ("output", cost.output.into()),
            ("currency", cost.currency.as_str().into()),
        ])
    });
    object([
        ("span_type", span.span_type.name().into()),
        ("model", call.model.as_deref().into()),
        ("provider", call.provider.as_deref().into()),
        ("response_model", call.response_model.as_deref().into()),
        ("response_id", call.response_id.as_deref().into()),
        ("temperature", call.parameters.temperature.into()),
        ("max_tokens", call.parameters.max_tokens.into()),
        ("finish_reason", call.finish_reason.as_deref().into()),
        ("cost", cost.into()),
        ("trace_name", span.context.name.as_deref().into()),
        ("user_id", span.context.user_id.as_deref().into()),
        ("session_id", span.context.session_id.as_deref().into()),
        ("environment", span.context.environment.as_deref().into()),
        ("release", span.context.release.as_deref().into()),
        ("service", span.resource.service_name().into()),
        ("resource", attributes(span.resource.attributes.iter())),
    ])
}

fn metrics(span: &Span) -> Value {
    let SpanType::LlmGeneration(call) = &span.span_type else { return Value::Null };
    object([
        ("start", seconds(span.start).into()),
        ("end", span.end.map(seconds).into()),
        ("prompt_tokens", call.usage.input.into()),
        ("completion_tokens", call.usage.output.into()),
        ("tokens", call.usage.total().into()),
        ("prompt_cached_tokens", call.usage.input_details.cache_read.into()),
        ("completion_reasoning_tokens", call.usage.output_details.reasoning.into()),
        ("time_to_first_token", call.time_to_first_token.map(|time| time.as_secs_f64()).into()),
        ("estimated_cost", call.cost.as_ref().map(|cost| cost.total).into()),
    ])
}

fn seconds(time: Timestamp) -> f64 {
    let nanos = time.as_nanos();
    (nanos / 1_000_000_000) as f64 + (nanos % 1_000_000_000) as f64 / 1e9
}

fn context(span: &Span) -> Value {
    let scope = |scope: &Scope| {
        object([("name", scope.name.as_str().into()), ("version", scope.version.as_deref().into())])
    };
    let origin = object([
        ("name", "obs-braintrust".into()),
        ("version", env!("CARGO_PKG_VERSION").into()),
        ("instrumentation", span.resource.scope.as_ref().map(scope).into()),
        ("environment", object([("name", span.context.environment.as_deref().into())])),
    ]);
    object([("span_origin", origin)])
}
