//! Arbitrary spans.

use std::sync::Arc;

use obs_core::{Ancestor, ErrorInfo, Event, Link, Span, SpanKind, SpanRecord, Status};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

use super::shared::{
    attributes, context, optional_texts, payload, resource, span_id, text, timestamp, trace_id,
};
use super::span_type;

prop_compose! {
    /// Any error.
    pub fn error_info()(
        error_id in of(any::<u128>()),
        message in text(),
        sources in vec(text(), 0..3),
        [error_type, stack, code, domain, category] in optional_texts::<5>(),
        details in attributes(),
    ) -> ErrorInfo {
        let error_id = error_id.map(Uuid::from_u128);
        ErrorInfo { error_id, error_type, message, stack, sources, code, domain, category, details }
    }
}

fn event() -> impl Strategy<Value = Event> {
    (timestamp(), text(), attributes()).prop_map(|(time, name, attributes)| Event { time, name, attributes })
}

fn link() -> impl Strategy<Value = Link> {
    (trace_id(), span_id(), of(text()), attributes()).prop_map(
        |(trace_id, span_id, trace_state, attributes)| Link { trace_id, span_id, trace_state, attributes },
    )
}

/// A chain of ancestors, the topmost of which may be a root.
fn path() -> impl Strategy<Value = Option<Arc<Ancestor>>> {
    (vec((span_id(), timestamp()), 0..6), any::<bool>()).prop_map(|(chain, rooted)| {
        chain.into_iter().enumerate().fold(None, |parent, (nth, (id, start))| {
            Some(Arc::new(Ancestor::new(id, start, rooted && nth == 0, parent)))
        })
    })
}

prop_compose! {
    fn content()(
        span_type in span_type(),
        input in of(payload()),
        output in of(payload()),
        error in of(error_info().boxed()),
        events in vec(event(), 0..3),
        links in vec(link(), 0..2),
        attributes in attributes(),
        context in context(),
        resource in resource(),
    ) -> Content {
        Content { span_type, input, output, error, events, links, attributes, context, resource }
    }
}

#[derive(Debug)]
struct Content {
    span_type: obs_core::SpanType,
    input: Option<obs_core::Payload>,
    output: Option<obs_core::Payload>,
    error: Option<ErrorInfo>,
    events: Vec<Event>,
    links: Vec<Link>,
    attributes: obs_core::Attributes,
    context: Arc<obs_core::TraceContext>,
    resource: Arc<obs_core::Resource>,
}

prop_compose! {
    /// Any span, running or not.
    pub fn span()(
        (trace_id, span_id, other_parent) in (trace_id(), span_id(), of(span_id())),
        path in path(),
        remote_parent in any::<bool>(),
        name in text(),
        (start, end) in (timestamp(), of(timestamp())),
        kind in select(vec![
            SpanKind::Internal, SpanKind::Client, SpanKind::Server, SpanKind::Producer, SpanKind::Consumer,
        ]),
        status in select(vec![Status::Unset, Status::Ok, Status::Error]),
        (judged, trace_flags) in any::<(bool, u8)>(),
        trace_state in of(text()),
        content in content().boxed(),
    ) -> Span {
        let parent_span_id = path.as_ref().map(|path| path.span_id).or(other_parent);
        let Content { span_type, input, output, error, events, links, attributes, context, resource } = content;
        Span {
            trace_id, span_id, parent_span_id, path, remote_parent, name, start, end, kind, status, span_type, input,
            output, error: error.map(Box::new), events, links, judged, trace_flags, trace_state, attributes, context, resource,
        }
    }
}

/// Any span that started or ended; an ended one nearly always has an end.
pub fn span_record() -> impl Strategy<Value = SpanRecord> {
    prop_oneof![
        1 => span().prop_map(SpanRecord::Started).boxed(),
        1 => span().prop_map(SpanRecord::Ended).boxed(),
        6 => (span(), timestamp()).prop_map(|(mut span, end)| {
            span.end = Some(end);
            SpanRecord::Ended(span)
        }).boxed(),
    ]
}
