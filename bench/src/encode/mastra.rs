//! Spans for the Mastra platform, against a tree of values for each request.

use std::error::Error;

use obs_core::{Batch, LlmGeneration, Payload, Scope, Span, SpanType, Timestamp};
use obs_mastra::{MastraConfig, MastraExporter};
use serde_json::Value;

use super::tree::{assert_same, attributes, beside, bytes, list, object, read, written};
use super::{Contest, against_value, calls};

pub(super) fn spans() -> Result<Contest, Box<dyn Error>> {
    let exporter = MastraExporter::new(MastraConfig::new("token").with_project_id("bench"))?;
    let sample = calls::batch(100);
    assert_same(&read(&exporter.encode(&sample)), &read(&tree(&sample)));
    let ours = move |batch: &Batch| bytes(&exporter.encode(batch));
    let theirs = |batch: &Batch| bytes(&tree(batch));
    let names = ["encode.mastra", "value.mastra"];
    Ok(against_value("model calls for Mastra", names, calls::batch, ours, theirs))
}

/// One request: a batch is smaller than what the exporter sends at once.
fn tree(batch: &Batch) -> Vec<Vec<u8>> {
    let Batch::Traces(records) = batch else { return Vec::new() };
    vec![written(&object([("spans", list(records.iter().map(|record| span_value(record.span()))))]))]
}

fn span_value(span: &Span) -> Value {
    let SpanType::LlmGeneration(call) = &span.span_type else { return Value::Null };
    let (start, end) = (millis(span.start), span.end.map(millis));
    object([
        ("id", span.span_id.to_string().into()),
        ("spanId", span.span_id.to_string().into()),
        ("traceId", span.trace_id.to_string().into()),
        ("parentSpanId", span.parent_span_id.map(|id| id.to_string()).into()),
        ("name", span.name.as_str().into()),
        ("type", "model_generation".into()),
        ("spanType", "model_generation".into()),
        ("startTime", start.clone().into()),
        ("startedAt", start.into()),
        ("endTime", end.clone().into()),
        ("endedAt", end.clone().into()),
        ("createdAt", end.into()),
        ("updatedAt", Value::Null),
        ("error", Value::Null),
        ("isEvent", false.into()),
        ("isRootSpan", false.into()),
        ("input", document(span.input.as_ref())),
        ("output", document(span.output.as_ref())),
        ("attributes", of_call(span, call)),
        ("metadata", beside(metadata(span), span.attributes.iter())),
    ])
}

/// A document as it is.
fn document(payload: Option<&Payload>) -> Value {
    payload.and_then(|payload| serde_json::to_value(payload).ok()).unwrap_or_default()
}

/// A time with milliseconds.
fn millis(time: Timestamp) -> String {
    let micros = time.rfc3339().micros().to_string();
    format!("{}Z", &micros[..23])
}

fn of_call(span: &Span, call: &LlmGeneration) -> Value {
    let first = call.time_to_first_token.map(|time| millis(span.start.saturating_add(time)));
    let (temperature, max_tokens) = (call.parameters.temperature, call.parameters.max_tokens);
    object([
        ("model", call.model.as_deref().into()),
        ("provider", call.provider.as_deref().into()),
        ("usage", usage(call)),
        ("costContext", cost(call)),
        ("parameters", object([("maxOutputTokens", max_tokens.into()), ("temperature", temperature.into())])),
        ("finishReason", call.finish_reason.as_deref().into()),
        ("completionStartTime", first.into()),
        ("responseModel", call.response_model.as_deref().into()),
        ("responseId", call.response_id.as_deref().into()),
    ])
}

fn usage(call: &LlmGeneration) -> Value {
    let input = object([
        ("text", call.usage.input_text().into()),
        ("cacheRead", call.usage.input_details.cache_read.into()),
    ]);
    let output = object([
        ("text", call.usage.output_text().into()),
        ("reasoning", call.usage.output_details.reasoning.into()),
    ]);
    object([
        ("inputTokens", call.usage.input.into()),
        ("outputTokens", call.usage.output.into()),
        ("inputDetails", input),
        ("outputDetails", output),
    ])
}

fn cost(call: &LlmGeneration) -> Value {
    let Some(cost) = call.cost.as_deref() else { return Value::Null };
    object([
        ("provider", call.provider.as_deref().into()),
        ("model", call.response_model.as_deref().into()),
        ("estimatedCost", cost.total.into()),
        ("costUnit", cost.currency.as_str().into()),
        ("costMetadata", object([("input", cost.input.into()), ("output", cost.output.into())])),
    ])
}

fn metadata(span: &Span) -> Value {
    let (context, resource) = (&span.context, &span.resource);
    let scope = |scope: &Scope| {
        object([("name", scope.name.as_str().into()), ("version", scope.version.as_deref().into())])
    };
    object([
        ("userId", context.user_id.as_deref().into()),
        ("sessionId", context.session_id.as_deref().into()),
        ("environment", context.environment.as_deref().into()),
        ("serviceName", resource.service_name().into()),
        ("traceName", context.name.as_deref().into()),
        ("release", context.release.as_deref().into()),
        ("scope", resource.scope.as_ref().map(scope).into()),
        ("resource", attributes(resource.attributes.iter())),
    ])
}
