//! Spans into spans, and what happened during them into event spans.

use obs_core::{Event, Mapped, Records, Refused, Span, SpanId, SpanRecord, Status, Str, Value};
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::MastraExporter;
use crate::attributes::Typed;
use crate::entity::AtWork;
use crate::fields::Fields;
use crate::metadata::{Loose, Metadata, Shared};
use crate::pack::{Packer, Request, Route, cut, push};
use crate::span_types::name;
use crate::wire::{Fault, SpanBody, Time};

/// One item for a span, and one for each of its events.
pub(crate) fn map(exporter: &MastraExporter, records: &Records<SpanRecord>) -> Mapped<Request> {
    let mut packer = Packer::new(exporter.max_request_size());
    for (at, record) in records.iter().enumerate() {
        let SpanRecord::Ended(span) = record else {
            packer.refuse(Refused::encode(
                at,
                "a span that only began: Mastra takes spans when they have ended",
            ));
            continue;
        };
        let room = packer.room(Route::Spans);
        let events = || span.events.iter().enumerate().map(|(nth, event)| of_event(span, nth, event));
        let together = |out: &mut Vec<u8>| {
            push(out, &body(span, Kind::Span))?;
            for event in events() {
                out.push(b',');
                push(out, &body(&event, Kind::Event))?;
            }
            Ok(())
        };
        let alone = || {
            let own = cut(at, span, room, |span, out| push(out, &body(span, Kind::Span)));
            let write = |event: &Span, out: &mut Vec<u8>| push(out, &body(event, Kind::Event));
            // An event takes no span with it.
            let events = events().map(|event| {
                cut(at, &event, room, write).or_else(|_| cut(at, &without_attributes(event), room, write))
            });
            std::iter::once(own).chain(events).collect()
        };
        packer.add_all(Route::Spans, at, 1 + span.events.len(), together, alone);
    }
    packer.finish()
}

/// Whether an item stands for a span or for what happened during one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Span,
    Event,
}

/// The namespace of ids of event spans.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f62_735f_6d61_5f65_8e20_41c7_9b03_d5a8);

/// What happened during a span, as the span of no length that Mastra has for it.
fn of_event(span: &Span, nth: usize, event: &Event) -> Span {
    let mut of_event = Span::new_in(
        span.trace_id,
        event_id(span, nth, event),
        event.name.clone(),
        event.time,
        span.context.clone(),
        span.resource.clone(),
    );
    of_event.parent_span_id = Some(span.span_id);
    of_event.attributes = event.attributes.clone();
    of_event
}

/// What is left of an event whose attributes fit no request, however short their texts are.
fn without_attributes(mut event: Span) -> Span {
    let said = format!("truncated by obs: {} attributes were too large", event.attributes.len());
    event.attributes = [("truncated", Value::from(said))].into_iter().collect();
    event
}

/// The same at every try: made of the span's ids, and the event's place, time and name.
fn event_id(span: &Span, nth: usize, event: &Event) -> SpanId {
    let mut said = Vec::with_capacity(64);
    said.extend(span.trace_id.to_string().bytes());
    said.extend(span.span_id.to_string().bytes());
    said.extend((nth as u64).to_be_bytes());
    said.extend(event.time.as_nanos().to_be_bytes());
    said.extend(event.name.bytes());
    let (_, low) = Uuid::new_v5(&NAMESPACE, &said).as_u64_pair();
    // The bits that tell a UUID's variant are never all zero, so that this is an id.
    SpanId::new(low).unwrap_or(span.span_id)
}

fn body(span: &Span, kind: Kind) -> SpanBody<'_, Metadata<'_, OfSpan<'_>>> {
    let at_work = AtWork::of_span(span);
    let (parent, external) =
        if span.remote_parent { (None, span.parent_span_id) } else { (span.parent_span_id, None) };
    // Nothing above it in this process: what Mastra calls a root.
    let is_root = parent.is_none();
    let start = Time(span.start);
    let end = match kind {
        Kind::Span => Some(Time(span.end.map_or(span.start, |end| end.max(span.start)))),
        Kind::Event => None,
    };
    let error = fault(span);
    let tags: &[Str] = if is_root { &span.context.tags } else { &[] };
    SpanBody {
        id: span.span_id,
        trace_id: span.trace_id,
        name: &span.name,
        kind: name(&span.span_type),
        entity_type: at_work.kind,
        entity_id: at_work.id,
        entity_name: at_work.name,
        attributes: Typed::of(span),
        metadata: Metadata {
            own: OfSpan { span, entity_version: at_work.version },
            shared: Shared { context: &span.context, resource: &span.resource },
            loose: Loose::of(&span.attributes, &span.context),
        },
        start_time: start,
        end_time: end,
        input: span.input.as_ref(),
        output: span.output.as_ref(),
        error_info: error,
        is_event: kind == Kind::Event,
        is_root_span: is_root,
        parent_span_id: parent,
        external_parent_span_id: external,
        tags,
        span_id: span.span_id,
        span_type: name(&span.span_type),
        started_at: start,
        ended_at: end,
        error,
        // When the record was made, so that a second try says the same.
        created_at: end.unwrap_or(start),
        updated_at: (),
    }
}

fn fault(span: &Span) -> Option<Fault<'_>> {
    match &span.error {
        Some(info) => Some(Fault::Info(info)),
        None => (span.status == Status::Error).then_some(Fault::Unknown),
    }
}

/// What Mastra reads a span's correlation from, and what it has no field for.
#[derive(Debug)]
struct OfSpan<'a> {
    span: &'a Span,
    entity_version: Option<&'a str>,
}

impl Serialize for OfSpan<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { span, entity_version } = self;
        let (context, resource) = (&span.context, &span.resource);
        let run_id = match &span.span_type {
            obs_core::SpanType::WorkflowRun(run) => run.run_id.as_ref(),
            _ => None,
        };
        let mut out = Fields::new(serializer.serialize_map(None)?);
        out.some("userId", context.user_id.as_ref())?;
        out.some("organizationId", context.organization_id.as_ref())?;
        out.some("runId", run_id)?;
        out.some("sessionId", context.session_id.as_ref())?;
        out.some("threadId", context.thread_id.as_ref())?;
        out.some("requestId", context.request_id.as_ref())?;
        out.some("environment", context.environment.as_ref())?;
        out.some("serviceName", context.service.as_deref().or(resource.service_name()))?;
        out.some("experimentId", context.experiment_id.as_ref())?;
        out.some("entityVersionId", *entity_version)?;
        out.some("parentEntity", context.parent_entity.as_ref())?;
        out.some("kind", (!span.kind.is_internal()).then_some(span.kind))?;
        out.some("status", (span.status == Status::Ok).then_some(span.status))?;
        out.list("links", &span.links)?;
        out.some("traceFlags", span.unusual_flags())?;
        out.some("traceState", span.trace_state.as_ref())?;
        out.end()
    }
}
