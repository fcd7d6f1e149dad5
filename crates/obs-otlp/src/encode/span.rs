//! One span.

use std::fmt;

use obs_core::{Attributes, ErrorInfo, Event, Link, Span, SpanId, SpanKind, Status, Timestamp, TraceId};

use super::exception::{EXCEPTION, says_anything, told, untold};
use super::{Encoding, Fields, fields, json, wire};

/// It is known whether the parent is in another process.
const HAS_REMOTE: u32 = 0x100;

/// The parent is in another process.
const IS_REMOTE: u32 = 0x200;

/// What stands in an OTLP span beside its attributes.
///
/// A span on the wire has an end: [`SpanParts::of`] takes it from its caller, because a running span has none.
#[derive(Debug, Clone, Copy)]
pub struct SpanParts<'a> {
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its own id.
    pub span_id: SpanId,
    /// The span it is a child of; `None` for a root.
    pub parent_span_id: Option<SpanId>,
    /// Whether the parent is in another process.
    pub remote_parent: bool,
    /// What it is called.
    pub name: &'a str,
    /// Its role in a call between services.
    pub kind: SpanKind,
    /// When it began.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
    /// How it ended; [`Status::Unset`] without a message is left out.
    pub status: Status,
    /// What the status says; OpenTelemetry wants it empty unless the span failed.
    pub message: &'a str,
    /// W3C trace flags.
    pub trace_flags: u8,
    /// W3C `tracestate`.
    pub trace_state: Option<&'a str>,
    /// What happened during it, in order.
    pub events: &'a [Event],
    /// An error to tell of in an event `exception`, the last one, at the span's end.
    ///
    /// Where the last `exception` of the events says nothing of an error yet, it is that one: it has the time of the error.
    pub exception: Option<&'a ErrorInfo>,
    /// Events that no record has, behind the others.
    pub added: &'a [AddedEvent<'a>],
    /// Other spans it is related to.
    pub links: &'a [Link],
}

/// An event whose attributes are put as they are written.
#[derive(Clone, Copy)]
pub struct AddedEvent<'a> {
    /// When it happened.
    pub time: Timestamp,
    /// What it is called.
    pub name: &'a str,
    /// An error that it tells of first.
    pub error: Option<&'a ErrorInfo>,
    /// Puts its attributes.
    pub attributes: &'a dyn Fn(&mut Fields<'_>),
}

impl AddedEvent<'_> {
    fn put(&self, to: &mut Fields<'_>) {
        told(self.error, None, to);
        (self.attributes)(to);
    }
}

impl fmt::Debug for AddedEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddedEvent")
            .field("time", &self.time)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl<'a> SpanParts<'a> {
    /// The span's own, with this end; of a span that failed, its error is the exception and gives the message.
    #[inline]
    pub fn of(span: &'a Span, end: Timestamp) -> Self {
        let error = span.error.as_deref().filter(|_| span.status == Status::Error);
        Self {
            trace_id: span.trace_id,
            span_id: span.span_id,
            parent_span_id: span.parent_span_id,
            remote_parent: span.remote_parent,
            name: &span.name,
            kind: span.kind,
            start: span.start,
            end,
            status: span.status,
            message: error.map_or("", |error| &error.message),
            trace_flags: span.trace_flags,
            trace_state: span.trace_state.as_deref(),
            events: &span.events,
            exception: error,
            added: &[],
            links: &span.links,
        }
    }

    /// A span of these ids, name and times, and nothing else; sampled.
    pub fn new(trace_id: TraceId, span_id: SpanId, name: &'a str, start: Timestamp, end: Timestamp) -> Self {
        Self {
            trace_id,
            span_id,
            parent_span_id: None,
            remote_parent: false,
            name,
            kind: SpanKind::Internal,
            start,
            end,
            status: Status::Unset,
            message: "",
            trace_flags: 1,
            trace_state: None,
            events: &[],
            exception: None,
            added: &[],
            links: &[],
        }
    }

    fn flags(&self) -> u32 {
        u32::from(self.trace_flags) | HAS_REMOTE | if self.remote_parent { IS_REMOTE } else { 0 }
    }

    /// Writes every event, the exception's among them.
    fn events(&self, mut write: impl FnMut(Timestamp, &str, Option<&ErrorInfo>, Option<&Attributes>)) {
        let exception = self.exception.filter(|error| says_anything(error));
        let untold = exception.and_then(|_| untold(self.events));
        for (nth, event) in self.events.iter().enumerate() {
            let error = exception.filter(|_| untold == Some(nth));
            write(event.time, &event.name, error, Some(&event.attributes));
        }
        if untold.is_none() && exception.is_some() {
            write(self.end, EXCEPTION, exception, None);
        }
    }

    fn has_status(&self) -> bool {
        self.status != Status::Unset || !self.message.is_empty()
    }

    /// Appends the span's message.
    #[inline]
    pub(super) fn write(
        &self,
        out: &mut Vec<u8>,
        scratch: &mut Vec<u8>,
        encoding: Encoding,
        attributes: impl FnOnce(&mut Fields<'_>),
    ) {
        match encoding {
            Encoding::Protobuf => self.protobuf(out, scratch, attributes),
            Encoding::Json => self.json(out, scratch, attributes),
        }
    }

    #[inline]
    fn protobuf(&self, out: &mut Vec<u8>, scratch: &mut Vec<u8>, attributes: impl FnOnce(&mut Fields<'_>)) {
        out.extend_from_slice(&ids(self.trace_id, self.span_id));
        wire::text(out, wire::delimited(3), self.trace_state.unwrap_or_default());
        if let Some(parent) = self.parent_span_id {
            let mut field = [0; 10];
            (field[0], field[1]) = (wire::delimited(4), 8);
            field[2..].copy_from_slice(&parent.to_bytes());
            out.extend_from_slice(&field);
        }
        wire::text(out, wire::delimited(5), self.name);
        out.extend_from_slice(&[wire::varint(6), kind(self.kind)]);
        wire::nanos(out, wire::fixed64(7), self.start.as_nanos());
        wire::nanos(out, wire::fixed64(8), self.end.as_nanos());
        fields::write(out, scratch, Encoding::Protobuf, 9, attributes);
        self.events(|time, name, error, own| {
            event(out, scratch, time, name, |to| told(error, own, to));
        });
        for added in self.added {
            event(out, scratch, added.time, added.name, |to| added.put(to));
        }
        for link in self.links {
            link_to(out, scratch, link);
        }
        if self.has_status() {
            let slot = wire::Slot::open(out, wire::delimited(15), 1);
            wire::text(out, wire::delimited(2), self.message);
            if self.status != Status::Unset {
                out.extend_from_slice(&[wire::varint(3), status(self.status)]);
            }
            slot.close(out);
        }
        // Field 16, the only one whose tag takes two bytes; four bytes of its own.
        out.extend_from_slice(&[0x85, 0x01]);
        out.extend_from_slice(&self.flags().to_le_bytes());
    }

    fn json(&self, out: &mut Vec<u8>, scratch: &mut Vec<u8>, attributes: impl FnOnce(&mut Fields<'_>)) {
        out.push(b'{');
        json_ids(out, self.trace_id, self.span_id, self.trace_state);
        if let Some(parent) = self.parent_span_id {
            json::name(out, "parentSpanId");
            json::hex(out, &parent.to_hex());
        }
        json::name(out, "flags");
        json::number(out, self.flags());
        json::field(out, "name", self.name);
        json::name(out, "kind");
        json::number(out, kind(self.kind).into());
        json::name(out, "startTimeUnixNano");
        json::quoted(out, self.start.as_nanos());
        json::name(out, "endTimeUnixNano");
        json::quoted(out, self.end.as_nanos());
        fields::write(out, scratch, Encoding::Json, 9, attributes);
        let tells = self.exception.is_some_and(says_anything);
        if tells || !self.events.is_empty() || !self.added.is_empty() {
            json::name(out, "events");
            out.push(b'[');
            self.events(|time, name, error, own| {
                json_event(out, scratch, time, name, |to| told(error, own, to));
            });
            for added in self.added {
                json_event(out, scratch, added.time, added.name, |to| added.put(to));
            }
            out.push(b']');
        }
        if !self.links.is_empty() {
            json::name(out, "links");
            out.push(b'[');
            for link in self.links {
                json_link(out, scratch, link);
            }
            out.push(b']');
        }
        if self.has_status() {
            json::name(out, "status");
            out.push(b'{');
            json::field(out, "message", self.message);
            if self.status != Status::Unset {
                json::name(out, "code");
                json::number(out, status(self.status).into());
            }
            out.push(b'}');
        }
        out.push(b'}');
    }
}

/// The ids of a span or a link, both fields at once.
#[inline]
fn ids(trace_id: TraceId, span_id: SpanId) -> [u8; 28] {
    let mut out = [0; 28];
    (out[0], out[1]) = (wire::delimited(1), 16);
    out[2..18].copy_from_slice(&trace_id.to_bytes());
    (out[18], out[19]) = (wire::delimited(2), 8);
    out[20..].copy_from_slice(&span_id.to_bytes());
    out
}

const fn kind(kind: SpanKind) -> u8 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

const fn status(status: Status) -> u8 {
    match status {
        Status::Unset => 0,
        Status::Ok => 1,
        Status::Error => 2,
    }
}

fn event(
    out: &mut Vec<u8>,
    scratch: &mut Vec<u8>,
    time: Timestamp,
    name: &str,
    put: impl FnOnce(&mut Fields<'_>),
) {
    let slot = wire::Slot::open(out, wire::delimited(11), 1);
    wire::nanos(out, wire::fixed64(1), time.as_nanos());
    wire::text(out, wire::delimited(2), name);
    fields::write(out, scratch, Encoding::Protobuf, 3, put);
    slot.close(out);
}

fn json_event(
    out: &mut Vec<u8>,
    scratch: &mut Vec<u8>,
    time: Timestamp,
    name: &str,
    put: impl FnOnce(&mut Fields<'_>),
) {
    json_element(out);
    json::name(out, "timeUnixNano");
    json::quoted(out, time.as_nanos());
    json::field(out, "name", name);
    fields::write(out, scratch, Encoding::Json, 3, put);
    out.push(b'}');
}

fn link_to(out: &mut Vec<u8>, scratch: &mut Vec<u8>, link: &Link) {
    let slot = wire::Slot::open(out, wire::delimited(13), 1);
    out.extend_from_slice(&ids(link.trace_id, link.span_id));
    wire::text(out, wire::delimited(3), link.trace_state.as_deref().unwrap_or_default());
    fields::write(out, scratch, Encoding::Protobuf, 4, |to| to.attributes(&link.attributes));
    slot.close(out);
}

fn json_ids(out: &mut Vec<u8>, trace_id: TraceId, span_id: SpanId, trace_state: Option<&str>) {
    json::name(out, "traceId");
    json::hex(out, &trace_id.to_hex());
    json::name(out, "spanId");
    json::hex(out, &span_id.to_hex());
    json::field(out, "traceState", trace_state.unwrap_or_default());
}

/// The beginning of an element of a list.
fn json_element(out: &mut Vec<u8>) {
    if out.last() != Some(&b'[') {
        out.push(b',');
    }
    out.push(b'{');
}

fn json_link(out: &mut Vec<u8>, scratch: &mut Vec<u8>, link: &Link) {
    json_element(out);
    json_ids(out, link.trace_id, link.span_id, link.trace_state.as_deref());
    fields::write(out, scratch, Encoding::Json, 4, |to| to.attributes(&link.attributes));
    out.push(b'}');
}
