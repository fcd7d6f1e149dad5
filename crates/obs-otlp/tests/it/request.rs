//! Small requests, and what comes of them.

use obs_core::{Log, Metric, Record, Score, Span, Trace, TraceId};
use obs_otlp::ingest::{self, Ingested};
use serde_json::{Value, json};

/// A trace id that tests use where any will do.
pub(crate) const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Reads a request in which nothing may be refused.
#[track_caller]
pub(crate) fn read(request: &Value) -> Ingested {
    let ingested = ingest::json(&request.to_string()).unwrap();
    assert_eq!(ingested.refused, []);
    ingested
}

/// Attributes in OTLP's form; a value that is an object is taken as it is.
pub(crate) fn attributes(pairs: &[(&str, Value)]) -> Value {
    let value = |value: &Value| match value {
        Value::String(text) => json!({"stringValue": text}),
        Value::Bool(value) => json!({"boolValue": value}),
        Value::Number(number) if number.is_f64() => json!({"doubleValue": number}),
        Value::Number(number) => json!({"intValue": number.to_string()}),
        Value::Array(values) => {
            let values: Vec<Value> = values.iter().map(|value| json!({"stringValue": value})).collect();
            json!({"arrayValue": {"values": values}})
        }
        other => other.clone(),
    };
    pairs.iter().map(|(key, of)| json!({"key": key, "value": value(of)})).collect()
}

/// A request of one scope with these spans.
pub(crate) fn spans(spans: &[Value]) -> Value {
    json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})
}

/// A span with this id and these attributes.
pub(crate) fn span(id: u64, pairs: &[(&str, Value)]) -> Value {
    json!({
        "traceId": TRACE, "spanId": format!("{id:016x}"), "name": "s", "kind": 1,
        "startTimeUnixNano": "1768478400000000000", "endTimeUnixNano": "1768478401000000000",
        "attributes": attributes(pairs),
    })
}

/// What becomes of one span with these attributes.
#[track_caller]
pub(crate) fn one(pairs: &[(&str, Value)]) -> Span {
    only_span(&read(&spans(&[span(1, pairs)])))
}

/// The only record, a span.
#[track_caller]
pub(crate) fn only_span(ingested: &Ingested) -> Span {
    match ingested.records.as_slice() {
        [Record::Span(record)] => record.span().clone(),
        other => panic!("not one span: {other:?}"),
    }
}

/// The logs among the records.
pub(crate) fn logs(ingested: &Ingested) -> Vec<&Log> {
    ingested.records.iter().filter_map(|r| if let Record::Log(log) = r { Some(log) } else { None }).collect()
}

/// The metrics among the records.
pub(crate) fn metrics(ingested: &Ingested) -> Vec<&Metric> {
    ingested.records.iter().filter_map(|r| if let Record::Metric(m) = r { Some(m) } else { None }).collect()
}

/// The scores among the records.
pub(crate) fn scores(ingested: &Ingested) -> Vec<&Score> {
    ingested.records.iter().filter_map(|r| if let Record::Score(s) = r { Some(s) } else { None }).collect()
}

/// Everything of one trace, as a reader would return it.
pub(crate) fn trace(records: &[Record], trace_id: TraceId) -> Trace {
    let mut trace = Trace::new(trace_id);
    for record in records {
        match record {
            Record::Span(record) if record.span().trace_id == trace_id => {
                trace.spans.push(record.span().clone());
            }
            Record::Log(log) if log.span.is_some_and(|span| span.trace_id == trace_id) => {
                trace.logs.push(log.clone());
            }
            Record::Score(score) if score.target.trace_id() == Some(trace_id) => {
                trace.scores.push(score.clone());
            }
            _ => {}
        }
    }
    trace.spans.sort_by_key(|span| span.start);
    trace
}
