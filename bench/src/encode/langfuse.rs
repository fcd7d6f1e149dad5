//! Observations for Langfuse as OTLP protobuf, against a tree of values that is OTLP JSON.

use std::error::Error;

use obs_core::{Batch, LlmGeneration, Payload, Span, SpanType};
use obs_langfuse::{LangfuseConfig, LangfuseExporter};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest as Request;
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
use prost::Message;
use serde_json::Value;

use super::tree::{assert_same, bytes, list, micros, object, pair, written};
use super::{Contest, against_value, calls};

pub(super) fn spans() -> Result<Contest, Box<dyn Error>> {
    let exporter = LangfuseExporter::new(LangfuseConfig::new("public", "secret"))?;
    let sample = calls::batch(100);
    let protobuf = |body: &Vec<u8>| Request::decode(body.as_slice());
    let ours = exporter.encode(&sample).iter().map(protobuf).collect::<Result<Vec<_>, _>>()?;
    let json = |body: &Vec<u8>| serde_json::from_slice::<Request>(body);
    let theirs = tree(&sample).iter().map(json).collect::<Result<Vec<_>, _>>()?;
    assert_same(&sorted(ours), &sorted(theirs));
    let ours = move |batch: &Batch| bytes(&exporter.encode(batch));
    let theirs = |batch: &Batch| bytes(&tree(batch));
    let names = ["encode.langfuse", "value.langfuse"];
    Ok(against_value("model calls for Langfuse", names, calls::batch, ours, theirs))
}

/// The same requests with the fields of JSON within texts in the order of their names.
fn sorted(mut requests: Vec<Request>) -> Vec<Request> {
    let groups = requests.iter_mut().flat_map(|request| &mut request.resource_spans);
    let spans = groups.flat_map(|group| &mut group.scope_spans).flat_map(|group| &mut group.spans);
    let attributes = spans.flat_map(|span| &mut span.attributes);
    for value in attributes.filter_map(|attribute| attribute.value.as_mut()?.value.as_mut()) {
        let AnyValue::StringValue(text) = value else { continue };
        if let Ok(json @ Value::Object(_)) = serde_json::from_str(text) {
            *text = json.to_string();
        }
    }
    requests
}

/// One request: a batch is smaller than what Langfuse takes.
fn tree(batch: &Batch) -> Vec<Vec<u8>> {
    let Batch::Traces(records) = batch else { return Vec::new() };
    let Some(first) = records.iter().next() else { return Vec::new() };
    let (resource, scope) = (&first.span().resource, first.span().resource.scope.as_ref());
    let of_resource = list(resource.attributes.iter().map(|(key, value)| text(key, value.as_str())));
    let spans = list(records.iter().map(|record| span_value(record.span())));
    let scope = object([
        ("name", scope.map(|scope| scope.name.as_str()).into()),
        ("version", scope.and_then(|scope| scope.version.as_deref()).into()),
    ]);
    let scope_spans = object([("scope", scope), ("spans", spans)]);
    let resource = object([("attributes", of_resource)]);
    let resource_spans = object([("resource", resource), ("scopeSpans", list([scope_spans]))]);
    vec![written(&object([("resourceSpans", list([resource_spans]))]))]
}

fn text(key: &str, text: Option<&str>) -> Value {
    pair(key, "stringValue", text.into())
}

/// A value that is JSON within a text, as Langfuse wants what has parts.
fn json(key: &str, value: &Value) -> Value {
    pair(key, "stringValue", value.to_string().into())
}

fn span_value(span: &Span) -> Value {
    let SpanType::LlmGeneration(call) = &span.span_type else { return Value::Null };
    object([
        ("traceId", span.trace_id.to_string().into()),
        ("spanId", span.span_id.to_string().into()),
        ("parentSpanId", span.parent_span_id.map(|id| id.to_string()).into()),
        ("flags", 257.into()),
        ("name", span.name.as_str().into()),
        ("kind", 1.into()),
        ("startTimeUnixNano", span.start.as_nanos().to_string().into()),
        ("endTimeUnixNano", span.end.map(|end| end.as_nanos().to_string()).into()),
        ("attributes", attributes(span, call)),
    ])
}

fn attributes(span: &Span, call: &LlmGeneration) -> Value {
    let first = call.time_to_first_token.map(|time| micros(span.start.saturating_add(time)));
    let context = &span.context;
    let tags = list(context.tags.iter().map(|tag| object([("stringValue", tag.as_str().into())])));
    list([
        text("langfuse.observation.type", Some("generation")),
        text("langfuse.observation.level", Some("DEFAULT")),
        text("langfuse.observation.input", span.input.as_ref().map(Payload::as_str)),
        text("langfuse.observation.output", span.output.as_ref().map(Payload::as_str)),
        text("langfuse.observation.model.name", call.response_model.as_deref()),
        json("langfuse.observation.model.parameters", &parameters(call)),
        json("langfuse.observation.usage_details", &usage(call)),
        json("langfuse.observation.cost_details", &cost(call)),
        text("langfuse.observation.completion_start_time", first.as_deref()),
        text("langfuse.trace.name", context.name.as_deref()),
        text("langfuse.user.id", context.user_id.as_deref()),
        text("langfuse.session.id", context.session_id.as_deref()),
        pair("langfuse.trace.tags", "arrayValue", object([("values", tags)])),
        text("langfuse.environment", context.environment.as_deref()),
        text("langfuse.release", context.release.as_deref()),
        text("langfuse.observation.metadata.spanType", Some(span.span_type.name())),
        text("langfuse.observation.metadata.provider", call.provider.as_deref()),
        text("langfuse.observation.metadata.requestedModel", call.model.as_deref()),
        text("langfuse.observation.metadata.responseId", call.response_id.as_deref()),
        text("langfuse.observation.metadata.finishReason", call.finish_reason.as_deref()),
        text(
            "langfuse.observation.metadata.tenant",
            span.attributes.get("tenant").and_then(|it| it.as_str()),
        ),
        pair("langfuse.observation.metadata.retry.attempt", "intValue", attempt(span).into()),
    ])
}

fn attempt(span: &Span) -> Option<String> {
    Some(span.attributes.get("retry.attempt")?.as_i64()?.to_string())
}

fn parameters(call: &LlmGeneration) -> Value {
    let (temperature, max_tokens) = (call.parameters.temperature, call.parameters.max_tokens);
    object([("temperature", temperature.into()), ("max_tokens", max_tokens.into())])
}

/// Buckets that exclude each other.
fn usage(call: &LlmGeneration) -> Value {
    object([
        ("input", call.usage.input_text().into()),
        ("input_cached_tokens", call.usage.input_details.cache_read.into()),
        ("output", call.usage.output_text().into()),
        ("output_reasoning_tokens", call.usage.output_details.reasoning.into()),
        ("total", call.usage.total().into()),
    ])
}

fn cost(call: &LlmGeneration) -> Value {
    let cost = call.cost.as_deref();
    object([
        ("input", cost.and_then(|cost| cost.input).into()),
        ("output", cost.and_then(|cost| cost.output).into()),
        ("total", cost.map(|cost| cost.total).into()),
    ])
}
