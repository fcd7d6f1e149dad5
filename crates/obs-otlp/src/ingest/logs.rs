//! Logs.

use std::collections::HashSet;
use std::str::FromStr;

use obs_core::{Attributes, Level, Log, Payload, Record, SpanId, SpanRef, Str, Timestamp, TraceId, Value};
use opentelemetry_proto::tonic::logs::v1 as wire;

use super::collect::Source;
use super::draft::Draft;
use super::value::{payload, value};
use super::{pairs, scores, spans};
use crate::conventions::{self, Field};
use crate::encode::genai::names;

/// One log, or the reason why it is refused; an evaluation result becomes a score.
pub(super) fn convert(
    record: &wire::LogRecord,
    source: &mut Source,
    records: &mut Vec<Record>,
) -> Result<(), String> {
    let observed = record.observed_time_unix_nano;
    let time = if record.time_unix_nano == 0 { observed } else { record.time_unix_nano };
    let (level, severity) = level(record);
    let (message, data) = body(record)?;
    let mut log = Log::new(Timestamp::from_nanos(time), level, message);
    log.data = data;
    log.event_name = Some(&record.event_name).filter(|name| !name.is_empty()).map(Str::from);
    log.span = span(record)?;
    log.resource = source.resource.clone();

    let mut fields = Attributes::new();
    let mut rest = Vec::new();
    let keys: HashSet<&str> = record.attributes.iter().map(|pair| pair.key.as_str()).collect();
    let mut told = pairs::pairs(&record.attributes)?;
    if log.data.is_none() {
        log.data = document(&mut told);
    }
    for (key, value) in told {
        if let Some((key, value)) = take(&mut log, key, value, &keys, &mut fields) {
            rest.push((key, value));
        }
    }
    let mut draft = Draft::of_context(rest);
    let left = draft.finish(source.scope_name());
    log.context = source.context(draft.context);
    log.attributes = fields;
    for (key, value) in left {
        log.attributes.insert(key, value);
    }
    for (key, value) in severity {
        log.attributes.insert(key, value);
    }
    if observed != time && observed != 0 {
        log.attributes.insert("log.observed_time_unix_nano", observed);
    }
    spans::note(&mut log.attributes, "otel.dropped_attributes_count", record.dropped_attributes_count);
    records.push(scores::of_log(&log).unwrap_or(Record::Log(log)));
    Ok(())
}

/// Takes the document that our own writer puts beside the message, and what it says of its form.
fn document(told: &mut Vec<(Str, Value)>) -> Option<Payload> {
    let position = |told: &[(Str, Value)], name: &str| {
        told.iter().position(|(key, value)| key.as_str() == name && value.as_str().is_some())
    };
    let (_, data) = told.remove(position(told, names::LOG_DATA)?);
    let mime = position(told, names::LOG_DATA_MIME).map(|at| told.remove(at).1);
    Some(match (&data, mime.as_ref().and_then(Value::as_str)) {
        (Value::Str(text), Some("text/plain")) => Payload::text(text.clone()),
        (Value::Str(text), Some("application/json")) => {
            Payload::from_json(text).unwrap_or_else(|| Payload::text(text.clone()))
        }
        (data, _) => payload(data),
    })
}

/// Takes what is the log's own; gives back what may be of its context.
///
/// A prefix is dropped only if the rest is not the name of another attribute.
fn take(
    log: &mut Log,
    key: Str,
    value: Value,
    keys: &HashSet<&str>,
    fields: &mut Attributes,
) -> Option<(Str, Value)> {
    let Some(meaning) = conventions::lookup(&key) else { return Some((key, value)) };
    match meaning.field {
        Field::EventName if log.event_name.is_none() && value.as_str().is_some() => {
            log.event_name = super::value::name(&value);
            None
        }
        Field::LogAttribute if !keys.contains(meaning.rest) => {
            fields.push(Str::copied(meaning.rest), value);
            None
        }
        Field::LogTraceId => again(log.span.map(|span| span.trace_id), &value, |trace_id: TraceId| {
            log.span = Some(SpanRef { trace_id, span_id: None });
        })
        .then_some((key, value)),
        Field::LogSpanId => {
            let known = log.span.and_then(|span| span.span_id);
            let span = &mut log.span;
            again(known, &value, |span_id: SpanId| {
                if let Some(span) = span {
                    span.span_id = Some(span_id);
                }
            })
            .then_some((key, value))
        }
        _ => Some((key, value)),
    }
}

/// Takes an id that is said again as text; `true` if it must be kept because it says something else.
fn again<T: FromStr + PartialEq>(known: Option<T>, value: &Value, set: impl FnOnce(T)) -> bool {
    match (known, value.as_str().and_then(|text| text.parse().ok())) {
        (Some(known), Some(id)) => known != id,
        (None, Some(id)) => {
            set(id);
            false
        }
        (_, None) => true,
    }
}

/// A text is the message; anything structured is the data, and its event's name or own message the message.
fn body(record: &wire::LogRecord) -> Result<(Str, Option<Payload>), String> {
    let body = value(record.body.as_ref()).map_err(|why| format!("body: {why}"))?;
    Ok(match body {
        Value::Null => (Str::EMPTY, None),
        Value::Str(text) => (text, None),
        Value::Map(fields) => {
            let message = fields.get("message").and_then(Value::as_str).map(Str::copied).unwrap_or_default();
            (message, Some(payload(&Value::Map(fields))))
        }
        body => (Str::EMPTY, Some(payload(&body))),
    })
}

/// The level, and what the severity says beyond it.
fn level(record: &wire::LogRecord) -> (Level, Vec<(&'static str, Value)>) {
    let (number, text) = (record.severity_number, record.severity_text.as_str());
    let named = Level::from_str(text).ok();
    let level = if number == 0 { named.unwrap_or(Level::Info) } else { Level::from_severity_number(number) };
    let mut beyond = Vec::new();
    if number != 0 && number != i32::from(level.severity_number()) {
        beyond.push(("log.severity_number", Value::from(number)));
    }
    if !text.is_empty() && named != Some(level) {
        beyond.push(("log.severity_text", Value::Str(Str::copied(text))));
    }
    (level, beyond)
}

fn span(record: &wire::LogRecord) -> Result<Option<SpanRef>, String> {
    let empty = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
    if empty(&record.trace_id) {
        return Ok(None);
    }
    let trace_id = spans::trace_id(&record.trace_id, "traceId")?;
    let span_id =
        if empty(&record.span_id) { None } else { Some(spans::span_id(&record.span_id, "spanId")?) };
    Ok(Some(SpanRef { trace_id, span_id }))
}
