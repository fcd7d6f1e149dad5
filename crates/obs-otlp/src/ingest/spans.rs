//! Spans.

use obs_core::{
    Attributes, Event, Link, Record, Span, SpanId, SpanKind, SpanRecord, Status, Str, Timestamp, TraceId,
    Value,
};
use opentelemetry_proto::tonic::trace::v1::{self as wire, span::SpanKind as WireKind, status::StatusCode};

use super::collect::Source;
use super::draft::Draft;
use super::messages::{DETAILS, Said};
use super::{pairs, scores};
use crate::conventions::own;

/// W3C's flags in the low byte of OTLP's; above them, whether it is known and whether it is so that the parent is remote.
const REMOTE: u32 = 0x300;

/// What was exported was sampled, also where the exporter fills none of W3C's flags, as several do not.
const SAMPLED: u8 = 1;

/// One span, or the reason why it is refused; its evaluation events become scores.
pub(super) fn convert(
    span: &wire::Span,
    source: &mut Source,
    records: &mut Vec<Record>,
) -> Result<(), String> {
    let trace_id = trace_id(&span.trace_id, "traceId")?;
    let span_id = span_id(&span.span_id, "spanId")?;
    let start = Timestamp::from_nanos(span.start_time_unix_nano);
    if start == Timestamp::default() {
        return Err("startTimeUnixNano is missing: a span needs the time it began".into());
    }
    let mut out = Span::new(trace_id, span_id, Str::copied(&span.name), start);
    if !span.parent_span_id.is_empty() && span.parent_span_id.iter().any(|byte| *byte != 0) {
        out.parent_span_id = Some(self::span_id(&span.parent_span_id, "parentSpanId")?);
    }
    out.end = Some(span.end_time_unix_nano).filter(|end| *end != 0).map(Timestamp::from_nanos);
    out.kind = kind(span.kind)?;
    out.remote_parent = span.flags & REMOTE == REMOTE && out.parent_span_id.is_some();
    out.trace_flags = (span.flags & 0xff) as u8 | SAMPLED;
    out.trace_state = Some(&span.trace_state).filter(|state| !state.is_empty()).map(Str::from);
    out.resource = source.resource.clone();
    out.links =
        span.links.iter().enumerate().map(|(at, link)| self::link(at, link)).collect::<Result<_, _>>()?;
    out.events =
        span.events.iter().enumerate().map(|(at, event)| self::event(at, event)).collect::<Result<_, _>>()?;
    let scores = describe(&mut out, span, source)?;
    records.push(Record::Span(if out.end.is_some() {
        SpanRecord::Ended(out)
    } else {
        SpanRecord::Started(out)
    }));
    records.extend(scores.into_iter().map(Record::Score));
    Ok(())
}

/// Fills everything that the attributes, the events and the status say.
fn describe(out: &mut Span, span: &wire::Span, source: &mut Source) -> Result<Vec<obs_core::Score>, String> {
    let mut draft = Draft::of_span(pairs::pairs(&span.attributes)?, out.start);
    details(&mut draft, &mut out.events);
    if draft.input.is_none() || draft.output.is_none() {
        speak(&mut draft, &mut out.events);
    }
    let status = span.status.as_ref();
    out.status = draft.settle_status(status.map_or(Ok(Status::Unset), |status| self::status(status.code))?);
    let mut attributes = draft.finish(source.scope_name());
    if let Some(Value::Str(name)) = attributes.get(own::SPAN_NAME) {
        out.name = name.clone();
        attributes.remove(own::SPAN_NAME);
    }
    let said = status.map_or("", |status| &status.message);
    out.error = draft.error.finish(out.status, said, &mut out.events, out.end);
    if out.error.is_none() && !said.is_empty() {
        attributes.insert("otel.status_description", Str::copied(said));
    }
    for (key, count) in [
        ("otel.dropped_attributes_count", span.dropped_attributes_count),
        ("otel.dropped_events_count", span.dropped_events_count),
        ("otel.dropped_links_count", span.dropped_links_count),
    ] {
        note(&mut attributes, key, count);
    }
    out.span_type = draft.span_type;
    out.input = draft.input;
    out.output = draft.output;
    out.attributes = attributes;
    out.context = source.context(draft.context);
    Ok(scores::of_span(out))
}

/// The event that carries a call's details in place of attributes.
fn details(draft: &mut Draft, events: &mut [Event]) {
    for event in events.iter_mut().filter(|event| event.name == DETAILS) {
        let mut left = Attributes::new();
        for (key, value) in std::mem::take(&mut event.attributes) {
            if let Some(value) = draft.take_from_event(&key, value) {
                left.push(key, value);
            }
        }
        event.attributes = left;
    }
}

/// Input and output from the older conventions' message events, where no attribute gave them.
fn speak(draft: &mut Draft, events: &mut [Event]) {
    let input = draft.input.is_none();
    let output = draft.output.is_none();
    let wanted = |event: &&mut Event| match event.name.as_str() {
        "gen_ai.choice" | "gen_ai.content.completion" => output,
        _ => input,
    };
    let mut said = Said::default();
    for event in events.iter_mut().filter(wanted) {
        said.take(event);
    }
    let (said_input, said_output) = said.finish();
    draft.input = draft.input.take().or(said_input);
    draft.output = draft.output.take().or(said_output);
}

fn event(at: usize, event: &wire::span::Event) -> Result<Event, String> {
    let mut attributes =
        pairs::attributes(&event.attributes).map_err(|why| format!("events[{at}]: {why}"))?;
    note(&mut attributes, "otel.dropped_attributes_count", event.dropped_attributes_count);
    Ok(Event {
        time: Timestamp::from_nanos(event.time_unix_nano),
        name: Str::copied(&event.name),
        attributes,
    })
}

fn link(at: usize, link: &wire::span::Link) -> Result<Link, String> {
    let mut attributes = pairs::attributes(&link.attributes).map_err(|why| format!("links[{at}]: {why}"))?;
    note(&mut attributes, "otel.dropped_attributes_count", link.dropped_attributes_count);
    Ok(Link {
        trace_id: trace_id(&link.trace_id, "traceId").map_err(|why| format!("links[{at}].{why}"))?,
        span_id: span_id(&link.span_id, "spanId").map_err(|why| format!("links[{at}].{why}"))?,
        trace_state: Some(&link.trace_state).filter(|state| !state.is_empty()).map(Str::from),
        attributes,
    })
}

/// What the sender left out is worth knowing, so its counts are kept, under the names collectors use.
pub(super) fn note(attributes: &mut Attributes, key: &'static str, count: u32) {
    if count > 0 {
        attributes.insert(key, Value::from(count));
    }
}

pub(super) fn trace_id(bytes: &[u8], field: &str) -> Result<TraceId, String> {
    bytes
        .try_into()
        .ok()
        .and_then(TraceId::from_bytes)
        .ok_or_else(|| format!("{field} must be 16 bytes and not all zero, it has {}", shape(bytes)))
}

pub(super) fn span_id(bytes: &[u8], field: &str) -> Result<SpanId, String> {
    bytes
        .try_into()
        .ok()
        .and_then(SpanId::from_bytes)
        .ok_or_else(|| format!("{field} must be 8 bytes and not all zero, it has {}", shape(bytes)))
}

fn shape(bytes: &[u8]) -> String {
    let zero = if !bytes.is_empty() && bytes.iter().all(|byte| *byte == 0) { ", all zero" } else { "" };
    format!("{} bytes{zero}", bytes.len())
}

fn kind(kind: i32) -> Result<SpanKind, String> {
    Ok(match WireKind::try_from(kind) {
        Ok(WireKind::Unspecified | WireKind::Internal) => SpanKind::Internal,
        Ok(WireKind::Server) => SpanKind::Server,
        Ok(WireKind::Client) => SpanKind::Client,
        Ok(WireKind::Producer) => SpanKind::Producer,
        Ok(WireKind::Consumer) => SpanKind::Consumer,
        Err(_) => return Err(format!("kind {kind} is none of OTLP's span kinds, 0 to 5")),
    })
}

fn status(code: i32) -> Result<Status, String> {
    Ok(match StatusCode::try_from(code) {
        Ok(StatusCode::Unset) => Status::Unset,
        Ok(StatusCode::Ok) => Status::Ok,
        Ok(StatusCode::Error) => Status::Error,
        Err(_) => return Err(format!("status.code {code} is none of OTLP's, 0 to 2")),
    })
}
