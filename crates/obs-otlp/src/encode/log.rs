//! One log record.

use obs_core::{Level, Log, SpanRef, Timestamp};

use super::value::{STRING, any};
use super::{Encoding, Fields, fields, json, wire};

/// What was sampled, as a log within a trace is.
const SAMPLED: u8 = 1;

/// What stands in an OTLP log record beside its attributes.
#[derive(Debug, Clone, Copy)]
pub struct LogParts<'a> {
    /// When it happened.
    pub time: Timestamp,
    /// When it was seen; OpenTelemetry wants it always, and it is the same where a record is made as it happens.
    pub observed: Timestamp,
    /// How severe it is, as a number from 1 to 24; zero is left out.
    pub severity_number: u8,
    /// How severe it is, in a word; the empty one is left out.
    pub severity_text: &'a str,
    /// What it says; the empty text is left out.
    pub body: &'a str,
    /// The name of the event that it tells of; the empty one is left out.
    pub event_name: &'a str,
    /// The trace and span that it was made under; `None` leaves both ids empty.
    pub span: Option<SpanRef>,
    /// W3C trace flags; left out without a trace.
    pub trace_flags: u8,
}

impl<'a> LogParts<'a> {
    /// The log's own; a log within a trace is sampled, for outside of sampled traces it names none.
    #[inline]
    pub fn of(log: &'a Log) -> Self {
        Self {
            body: &log.message,
            event_name: log.event_name.as_deref().unwrap_or_default(),
            span: log.span,
            ..Self::new(log.time, log.level)
        }
    }

    /// A record of this time and level, and nothing else.
    #[inline]
    pub fn new(time: Timestamp, level: Level) -> Self {
        Self {
            time,
            observed: time,
            severity_number: level.severity_number(),
            severity_text: severity_text(level),
            body: "",
            event_name: "",
            span: None,
            trace_flags: SAMPLED,
        }
    }

    fn flags(&self) -> u32 {
        if self.span.is_some() { self.trace_flags.into() } else { 0 }
    }

    /// Appends the record's message.
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
        wire::nanos(out, wire::fixed64(1), self.time.as_nanos());
        if self.severity_number != 0 {
            wire::number(out, wire::varint(2), self.severity_number.into());
        }
        wire::text(out, wire::delimited(3), self.severity_text);
        if !self.body.is_empty() {
            wire::head(out, wire::delimited(5), wire::field_len(self.body.len()));
            wire::bytes(out, STRING, self.body.as_bytes());
        }
        fields::write(out, scratch, Encoding::Protobuf, 6, attributes);
        wire::fixed32(out, wire::four_bytes(8), self.flags());
        if let Some(span) = self.span {
            wire::bytes(out, wire::delimited(9), &span.trace_id.to_bytes());
            if let Some(span_id) = span.span_id {
                wire::bytes(out, wire::delimited(10), &span_id.to_bytes());
            }
        }
        wire::nanos(out, wire::fixed64(11), self.observed.as_nanos());
        wire::text(out, wire::delimited(12), self.event_name);
    }

    fn json(&self, out: &mut Vec<u8>, scratch: &mut Vec<u8>, attributes: impl FnOnce(&mut Fields<'_>)) {
        out.push(b'{');
        json::name(out, "timeUnixNano");
        json::quoted(out, self.time.as_nanos());
        json::name(out, "observedTimeUnixNano");
        json::quoted(out, self.observed.as_nanos());
        if self.severity_number != 0 {
            json::name(out, "severityNumber");
            json::number(out, self.severity_number.into());
        }
        json::field(out, "severityText", self.severity_text);
        if !self.body.is_empty() {
            json::name(out, "body");
            any(out, "stringValue", |out| json::text(out, self.body));
        }
        fields::write(out, scratch, Encoding::Json, 6, attributes);
        if self.flags() != 0 {
            json::name(out, "flags");
            json::number(out, self.flags());
        }
        if let Some(span) = self.span {
            json::name(out, "traceId");
            json::hex(out, &span.trace_id.to_hex());
            if let Some(span_id) = span.span_id {
                json::name(out, "spanId");
                json::hex(out, &span_id.to_hex());
            }
        }
        json::field(out, "eventName", self.event_name);
        out.push(b'}');
    }
}

/// The level's name as OpenTelemetry prints it.
const fn severity_text(level: Level) -> &'static str {
    match level {
        Level::Trace => "TRACE",
        Level::Debug => "DEBUG",
        Level::Info => "INFO",
        Level::Warn => "WARN",
        Level::Error => "ERROR",
        Level::Fatal => "FATAL",
    }
}
