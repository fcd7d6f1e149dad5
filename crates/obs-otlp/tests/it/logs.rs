//! Logs.

use obs_core::{Level, Payload, Value};
use obs_otlp::ingest;
use serde_json::json;

use crate::request::{TRACE, attributes, logs, read};

fn request(record: &serde_json::Value) -> serde_json::Value {
    json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]})
}

fn log(record: &serde_json::Value) -> obs_core::Log {
    let ingested = read(&request(record));
    logs(&ingested).pop().unwrap().clone()
}

#[test]
fn severity_is_a_number_a_name_or_both() {
    let level = |number: serde_json::Value, text: &str| {
        let log = log(&json!({"timeUnixNano": "5", "severityNumber": number, "severityText": text}));
        (log.level, log.attributes.len())
    };
    assert_eq!(level(json!(9), "INFO"), (Level::Info, 0));
    assert_eq!(level(json!("SEVERITY_NUMBER_WARN"), "warning"), (Level::Warn, 0));
    assert_eq!(level(json!("ERROR"), ""), (Level::Error, 0));
    assert_eq!(level(json!(0), "fatal"), (Level::Fatal, 0));
    assert_eq!(level(json!(null), ""), (Level::Info, 0));
    assert_eq!(level(json!(10), "INFO2"), (Level::Info, 2), "what a level cannot say is kept");
    assert_eq!(level(json!(17), "SEVERE"), (Level::Error, 1));
}

#[test]
fn a_body_is_a_message_or_data() {
    let body = |body: serde_json::Value| {
        let log = log(&json!({"timeUnixNano": 5, "body": body}));
        (log.message.as_str().to_owned(), log.data)
    };
    assert_eq!(body(json!({"stringValue": "hi"})), ("hi".into(), None));
    assert_eq!(body(json!(null)), (String::new(), None));
    assert_eq!(body(json!({"intValue": 7})), (String::new(), Payload::from_json("7")));
    let fields = attributes(&[("message", json!("hi")), ("n", json!(1))]);
    let expected = Payload::from_json(r#"{"message":"hi","n":1}"#);
    assert_eq!(body(json!({"kvlistValue": {"values": fields}})), ("hi".into(), expected));
}

#[test]
fn times_span_event_and_context_are_kept() {
    let log = log(&json!({
        "observedTimeUnixNano": "9", "timeUnixNano": "5", "traceId": TRACE, "spanId": "00000000000000a6",
        "eventName": "tick", "droppedAttributesCount": 2,
        "attributes": attributes(&[
            ("mastra.log.attempt", json!(1)), ("attempt", json!(2)), ("mastra.log.n", json!(3)), ("mastra.metadata.userId", json!("u")),
            ("session.id", json!("s")), ("mastra.traceId", json!(TRACE)), ("mastra.spanId", json!("00000000000000a6")),
            ("exception.type", json!("E")), ("gen_ai.input.messages", json!("[]")),
        ]),
    }));
    assert_eq!((log.time.as_nanos(), log.event_name.as_deref()), (5, Some("tick")));
    assert_eq!(log.span.unwrap().span_id.unwrap().get(), 0xa6);
    assert_eq!((log.context.user_id.as_deref(), log.context.session_id.as_deref()), (Some("u"), Some("s")));
    let json = serde_json::to_string(&log.attributes).unwrap();
    let expected = r#"{"n":3,"mastra.log.attempt":1,"attempt":2,"exception.type":"E","gen_ai.input.messages":"[]","log.observed_time_unix_nano":9,"otel.dropped_attributes_count":2}"#;
    assert_eq!(json, expected);
}

#[test]
fn ids_may_stand_in_attributes_and_need_not_stand_at_all() {
    let pairs = attributes(&[
        ("mastra.traceId", json!(TRACE)),
        ("mastra.spanId", json!("00000000000000a6")),
        ("event.name", json!("e")),
    ]);
    let told = log(&json!({"observedTimeUnixNano": 5, "attributes": pairs}));
    assert_eq!(told.span.unwrap().span_id.unwrap().get(), 0xa6);
    assert_eq!((told.time.as_nanos(), told.event_name.as_deref(), told.attributes.len()), (5, Some("e"), 0));
    let without = log(&json!({"timeUnixNano": 5, "traceId": "0".repeat(32), "spanId": "0".repeat(16)}));
    assert_eq!(without.span, None);
    let odd = log(&json!({"timeUnixNano": 5, "attributes": attributes(&[("mastra.traceId", json!("odd"))])}));
    assert_eq!(odd.attributes.get("mastra.traceId").and_then(Value::as_str), Some("odd"));
    let bad = request(&json!({"traceId": "0af7"}));
    let ingested = ingest::json(&bad.to_string()).unwrap();
    assert_eq!(ingested.refused[0].place, "resourceLogs[0].scopeLogs[0].logRecords[0]");
}
