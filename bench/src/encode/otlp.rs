//! OTLP spans: obs-otlp against the path of `opentelemetry-otlp`, and JSON against a tree of values.

use std::borrow::Cow;
use std::mem::take;
use std::time::{Duration, UNIX_EPOCH};

use obs_core::{Batch, Payload, Span, SpanType};
use obs_otlp::encode::{Encoding, SpanParts, TraceRequests, genai};
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use prost::Message;
use serde_json::Value;

use super::records::{SCOPE, SERVICE, START, TRACE, batch};
use super::tree::{list, object, pair};
use super::{Contest, side};
use crate::payload::{INPUT_TOKENS, NAME, OPERATION, OUTPUT_TOKENS, TEMPERATURE, owned};
use crate::table::Goal;

/// `opentelemetry-otlp` has its spans through `opentelemetry-proto`'s structs and prost.
pub(super) fn protobuf() -> Contest {
    let resource = Resource::builder_empty().with_service_name(SERVICE).build();
    let resource = ResourceAttributesWithSchema::from(&resource);
    let theirs = move |spans: &mut Vec<SpanData>| {
        let resource_spans = group_spans_by_resource_and_scope(take(spans), &resource);
        ExportTraceServiceRequest { resource_spans }.encode_to_vec().len()
    };
    let ours = |batch: &mut Batch| encode(Encoding::Protobuf, batch);
    same_size(ours(&mut batch(100)), theirs(&mut span_data(100)));
    assert_eq!(json(&batch(100)), value(&batch(100)), "the same JSON, but for the order of its fields");
    Contest {
        what: "OTLP spans to protobuf",
        sides: [side("encode.otlp", batch, ours), side("otel.otlp", span_data, theirs)],
        goal: Goal::AtLeast(8.0),
    }
}

/// Requests as an exporter makes them; gives their bytes.
fn encode(encoding: Encoding, batch: &Batch) -> usize {
    let Batch::Traces(records) = batch else { return 0 };
    let mut requests = TraceRequests::new(encoding, 512, 4 << 20).expecting(records.len());
    for (at, record) in records.iter().enumerate() {
        let span = record.span();
        let Some(end) = span.end else { continue };
        requests.push(at, &span.resource, &SpanParts::of(span, end), |to| genai::attributes(span, to));
    }
    requests.finish().iter().map(|chunk| chunk.body.len()).sum()
}

pub(super) fn json(batch: &Batch) -> usize {
    encode(Encoding::Json, batch)
}

/// The same JSON the way that exporters written by hand have it; no part of the tree is copied.
pub(super) fn value(batch: &Batch) -> usize {
    let Batch::Traces(records) = batch else { return 0 };
    let spans = list(records.iter().map(|record| span_value(record.span())));
    let service = pair("service.name", "stringValue", SERVICE.into());
    let resource = object([("attributes", list([service]))]);
    let scope_spans = object([("scope", object([("name", SCOPE.into())])), ("spans", spans)]);
    let resource_spans = object([("resource", resource), ("scopeSpans", list([scope_spans]))]);
    let request = object([("resourceSpans", list([resource_spans]))]);
    serde_json::to_vec(&request).map_or(0, |body| body.len())
}

fn span_value(span: &Span) -> Value {
    let SpanType::LlmGeneration(call) = &span.span_type else { return Value::Null };
    let text = |key: &str, text: Option<&str>| pair(key, "stringValue", text.into());
    let count =
        |key: &str, count: Option<u64>| pair(key, "intValue", count.map(|count| count.to_string()).into());
    object([
        ("traceId", span.trace_id.to_string().into()),
        ("spanId", span.span_id.to_string().into()),
        ("parentSpanId", span.parent_span_id.map(|id| id.to_string()).into()),
        ("flags", 257.into()),
        ("name", span.name.as_str().into()),
        ("kind", 1.into()),
        ("startTimeUnixNano", span.start.as_nanos().to_string().into()),
        ("endTimeUnixNano", span.end.map(|end| end.as_nanos().to_string()).into()),
        (
            "attributes",
            list([
                text("gen_ai.operation.name", Some(OPERATION)),
                text("gen_ai.provider.name", call.provider.as_deref()),
                text("gen_ai.request.model", call.model.as_deref()),
                pair("gen_ai.request.temperature", "doubleValue", call.parameters.temperature.into()),
                count("gen_ai.usage.input_tokens", call.usage.input),
                count("gen_ai.usage.output_tokens", call.usage.output),
                text("gen_ai.input.messages", span.input.as_ref().map(Payload::as_str)),
                text("gen_ai.output.messages", span.output.as_ref().map(Payload::as_str)),
            ]),
        ),
    ])
}

/// The same spans as `opentelemetry_sdk` hands them to its exporters.
fn span_data(spans: usize) -> Vec<SpanData> {
    let texts = owned();
    let scope = InstrumentationScope::builder(SCOPE).build();
    let context = |nth: usize| {
        let (trace_id, span_id) = (TraceId::from(TRACE), SpanId::from(1 + nth as u64));
        SpanContext::new(trace_id, span_id, TraceFlags::SAMPLED, false, TraceState::default())
    };
    let attributes = || {
        vec![
            KeyValue::new("gen_ai.operation.name", OPERATION),
            KeyValue::new("gen_ai.provider.name", texts.provider.clone()),
            KeyValue::new("gen_ai.request.model", texts.model.clone()),
            KeyValue::new("gen_ai.request.temperature", TEMPERATURE),
            KeyValue::new("gen_ai.input.messages", texts.input.clone()),
            KeyValue::new("gen_ai.usage.input_tokens", INPUT_TOKENS as i64),
            KeyValue::new("gen_ai.usage.output_tokens", OUTPUT_TOKENS as i64),
            KeyValue::new("gen_ai.output.messages", texts.output.clone()),
        ]
    };
    let data = |nth: usize| SpanData {
        span_context: context(nth),
        parent_span_id: SpanId::from(1 + nth as u64),
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: Cow::Borrowed(NAME),
        start_time: UNIX_EPOCH + Duration::from_nanos(START + nth as u64),
        end_time: UNIX_EPOCH + Duration::from_nanos(START + 400_000_000),
        attributes: attributes(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: scope.clone(),
    };
    (0..spans).map(data).collect()
}

/// Like is compared with like: only the empty status, which prost writes in two bytes, and the lengths around it may differ.
fn same_size(ours: usize, theirs: usize) {
    assert!(ours.abs_diff(theirs) <= 100 * 4, "the requests differ: {ours} and {theirs} bytes");
}
