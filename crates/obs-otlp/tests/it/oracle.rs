//! The same requests by another way: spans into `opentelemetry-proto`'s messages, which prost encodes.
//!
//! It shares no code with the encoder, and takes no care to be quick.

use obs_core::{Attributes, ErrorInfo, Event, Link, Resource, Span, SpanKind, Status, Str, Value};
use obs_otlp::encode::{Fields, MAX_DEPTH};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value,
};
use opentelemetry_proto::tonic::resource::v1::Resource as WireResource;
use opentelemetry_proto::tonic::trace::v1::{self as wire, ResourceSpans, ScopeSpans};

/// The request that holds these spans.
pub(crate) fn request(spans: &[&Span]) -> ExportTraceServiceRequest {
    let mut groups: Vec<(&Span, ResourceSpans)> = Vec::new();
    for span in spans {
        let same = |(first, _): &&mut (&Span, ResourceSpans)| {
            std::sync::Arc::ptr_eq(&first.resource, &span.resource) || first.resource == span.resource
        };
        let group = match groups.iter_mut().find(same) {
            Some((_, group)) => group,
            None => &mut groups.push_mut((span, empty(&span.resource))).1,
        };
        group.scope_spans[0].spans.push(message(span));
    }
    ExportTraceServiceRequest { resource_spans: groups.into_iter().map(|(_, group)| group).collect() }
}

fn empty(resource: &Resource) -> ResourceSpans {
    ResourceSpans {
        resource: self::resource(resource),
        scope_spans: vec![ScopeSpans { scope: scope(resource), ..ScopeSpans::default() }],
        ..ResourceSpans::default()
    }
}

pub(crate) fn resource(resource: &Resource) -> Option<WireResource> {
    let attributes = pairs(&resource.attributes);
    (!attributes.is_empty()).then(|| WireResource { attributes, ..WireResource::default() })
}

pub(crate) fn scope(resource: &Resource) -> Option<InstrumentationScope> {
    resource.scope.as_ref().map(|scope| InstrumentationScope {
        name: scope.name.to_string(),
        version: scope.version.as_ref().map(ToString::to_string).unwrap_or_default(),
        attributes: pairs(&scope.attributes),
        ..InstrumentationScope::default()
    })
}

/// What the tests put as a span's attributes: its own, and one by each way to put one.
pub(crate) fn put(span: &Span, to: &mut Fields<'_>) {
    to.attributes(&span.attributes);
    to.str("str", &span.name);
    to.bool("bool", span.remote_parent);
    to.i64("i64", span.start.as_nanos() as i64);
    to.u64("u64", span.start.as_nanos());
    to.f64("f64", span.start.as_nanos() as f64 / 1e9);
    to.strs("strs", &span.context.tags);
    to.json("json", &span.context.tags);
    to.display("display", span.trace_id);
    to.opt_str("version", span.context.version.as_ref());
    if let Some(input) = &span.input {
        to.payload("input", input);
    }
}

fn put_again(span: &Span) -> Vec<KeyValue> {
    let mut out = pairs(&span.attributes);
    let mut put = |key: &str, value| out.push(pair(key, Some(value)));
    let text = |text: &str| any_value::Value::StringValue(text.to_owned());
    put("str", text(&span.name));
    put("bool", any_value::Value::BoolValue(span.remote_parent));
    put("i64", any_value::Value::IntValue(span.start.as_nanos() as i64));
    put(
        "u64",
        match i64::try_from(span.start.as_nanos()) {
            Ok(value) => any_value::Value::IntValue(value),
            Err(_) => any_value::Value::DoubleValue(span.start.as_nanos() as f64),
        },
    );
    put("f64", any_value::Value::DoubleValue(span.start.as_nanos() as f64 / 1e9));
    let tags = span.context.tags.iter().map(|tag| AnyValue { value: Some(text(tag)) }).collect();
    put("strs", any_value::Value::ArrayValue(ArrayValue { values: tags }));
    put("json", text(&serde_json::to_string(&span.context.tags).unwrap()));
    put("display", text(&span.trace_id.to_string()));
    if let Some(version) = &span.context.version {
        put("version", text(version));
    }
    if let Some(input) = &span.input {
        put("input", text(input.as_str()));
    }
    out
}

fn message(span: &Span) -> wire::Span {
    let end = span.end.unwrap_or(span.start);
    let mut events: Vec<wire::span::Event> = span.events.iter().map(event).collect();
    let said = span.error.as_ref().filter(|_| span.status == Status::Error);
    if let Some(error) = said {
        let parts = [
            ("exception.type", error.error_type.clone()),
            ("exception.message", Some(error.message.clone()).filter(|message| !message.is_empty())),
            ("exception.stacktrace", error.stack.clone().or_else(|| causes(error))),
        ];
        let told = parts.into_iter().filter_map(|(key, text)| Some((key, Value::from(text?))));
        let attributes = pairs(&told.collect());
        if !attributes.is_empty() {
            events.push(wire::span::Event {
                time_unix_nano: end.as_nanos(),
                name: "exception".to_owned(),
                attributes,
                dropped_attributes_count: 0,
            });
        }
    }
    let message = said.map(|error| error.message.to_string()).unwrap_or_default();
    let code = match span.status {
        Status::Unset => wire::status::StatusCode::Unset,
        Status::Ok => wire::status::StatusCode::Ok,
        Status::Error => wire::status::StatusCode::Error,
    };
    let kind = match span.kind {
        SpanKind::Internal => wire::span::SpanKind::Internal,
        SpanKind::Client => wire::span::SpanKind::Client,
        SpanKind::Server => wire::span::SpanKind::Server,
        SpanKind::Producer => wire::span::SpanKind::Producer,
        SpanKind::Consumer => wire::span::SpanKind::Consumer,
    };
    wire::Span {
        trace_id: span.trace_id.to_bytes().into(),
        span_id: span.span_id.to_bytes().into(),
        trace_state: span.trace_state.as_ref().map(ToString::to_string).unwrap_or_default(),
        parent_span_id: span.parent_span_id.map(|id| id.to_bytes().to_vec()).unwrap_or_default(),
        flags: u32::from(span.trace_flags) + 256 + if span.remote_parent { 512 } else { 0 },
        name: span.name.to_string(),
        kind: kind.into(),
        start_time_unix_nano: span.start.as_nanos(),
        end_time_unix_nano: end.as_nanos(),
        attributes: put_again(span),
        events,
        links: span.links.iter().map(link).collect(),
        status: (span.status != Status::Unset).then(|| wire::Status { message, code: code.into() }),
        ..wire::Span::default()
    }
}

fn causes(error: &ErrorInfo) -> Option<Str> {
    let chain: Vec<&str> = [&error.message].into_iter().chain(&error.sources).map(Str::as_str).collect();
    (chain.len() > 1).then(|| chain.join("\ncaused by: ").into())
}

fn event(event: &Event) -> wire::span::Event {
    wire::span::Event {
        time_unix_nano: event.time.as_nanos(),
        name: event.name.to_string(),
        attributes: pairs(&event.attributes),
        dropped_attributes_count: 0,
    }
}

fn link(link: &Link) -> wire::span::Link {
    wire::span::Link {
        trace_id: link.trace_id.to_bytes().into(),
        span_id: link.span_id.to_bytes().into(),
        trace_state: link.trace_state.as_ref().map(ToString::to_string).unwrap_or_default(),
        attributes: pairs(&link.attributes),
        ..wire::span::Link::default()
    }
}

pub(crate) fn pairs(attributes: &Attributes) -> Vec<KeyValue> {
    attributes.iter().map(|(key, value)| pair(key, any(value, 0))).collect()
}

pub(crate) fn pair(key: &str, value: Option<any_value::Value>) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value }), ..KeyValue::default() }
}

pub(crate) fn value(value: any_value::Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

fn any(value: &Value, above: usize) -> Option<any_value::Value> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(value) => any_value::Value::BoolValue(*value),
        Value::I64(value) => any_value::Value::IntValue(*value),
        Value::F64(value) => any_value::Value::DoubleValue(*value),
        Value::Str(text) => any_value::Value::StringValue(text.to_string()),
        deep if above == MAX_DEPTH => any_value::Value::StringValue(serde_json::to_string(deep).unwrap()),
        Value::List(values) => any_value::Value::ArrayValue(ArrayValue {
            values: values.iter().map(|value| AnyValue { value: any(value, above + 1) }).collect(),
        }),
        Value::Map(map) => any_value::Value::KvlistValue(KeyValueList {
            values: map.iter().map(|(key, value)| pair(key, any(value, above + 1))).collect(),
        }),
    })
}
