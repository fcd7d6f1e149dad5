//! OTLP's spans as the SDK's.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::InstrumentationScope;
use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry_proto::tonic::trace::v1 as wire;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use super::value::pairs;

/// A span of this scope.
pub(super) fn span(span: &wire::Span, scope: &InstrumentationScope) -> SpanData {
    let mut events = SpanEvents::default();
    events.events = span.events.iter().map(event).collect();
    let mut links = SpanLinks::default();
    links.links = span.links.iter().map(link).collect();
    SpanData {
        span_context: context(&span.trace_id, &span.span_id, span.flags, &span.trace_state),
        parent_span_id: span_id(&span.parent_span_id),
        parent_span_is_remote: span.flags & wire::SpanFlags::ContextIsRemoteMask as u32 != 0,
        span_kind: kind(span.kind()),
        name: span.name.clone().into(),
        start_time: time(span.start_time_unix_nano),
        end_time: time(span.end_time_unix_nano),
        attributes: pairs(&span.attributes),
        dropped_attributes_count: 0,
        events,
        links,
        status: status(span.status.as_ref()),
        instrumentation_scope: scope.clone(),
    }
}

fn event(event: &wire::span::Event) -> Event {
    Event::new(event.name.clone(), time(event.time_unix_nano), pairs(&event.attributes), 0)
}

fn link(link: &wire::span::Link) -> Link {
    Link::new(context(&link.trace_id, &link.span_id, 1, &link.trace_state), pairs(&link.attributes), 0)
}

fn context(trace: &[u8], span: &[u8], flags: u32, state: &str) -> SpanContext {
    // A state that is not W3C's has no form in the SDK.
    let state = state.parse().unwrap_or_else(|_| TraceState::default());
    SpanContext::new(trace_id(trace), span_id(span), TraceFlags::new((flags & 0xff) as u8), false, state)
}

/// No bytes are no id.
pub(super) fn trace_id(bytes: &[u8]) -> TraceId {
    TraceId::from_bytes(bytes.try_into().unwrap_or_default())
}

/// No bytes are no id.
pub(super) fn span_id(bytes: &[u8]) -> SpanId {
    SpanId::from_bytes(bytes.try_into().unwrap_or_default())
}

pub(super) fn time(nanos: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(nanos)
}

fn kind(kind: wire::span::SpanKind) -> SpanKind {
    use wire::span::SpanKind as Wire;
    match kind {
        Wire::Unspecified | Wire::Internal => SpanKind::Internal,
        Wire::Server => SpanKind::Server,
        Wire::Client => SpanKind::Client,
        Wire::Producer => SpanKind::Producer,
        Wire::Consumer => SpanKind::Consumer,
    }
}

fn status(status: Option<&wire::Status>) -> Status {
    use wire::status::StatusCode;
    match status.map(|status| (status.code(), &status.message)) {
        None | Some((StatusCode::Unset, _)) => Status::Unset,
        Some((StatusCode::Ok, _)) => Status::Ok,
        Some((StatusCode::Error, message)) => Status::error(message.clone()),
    }
}
