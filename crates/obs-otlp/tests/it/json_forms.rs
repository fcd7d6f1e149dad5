//! The forms of JSON that real exporters write.

use obs_core::{Record, SpanKind, Status, Value};
use obs_otlp::ingest::{self, IngestError};
use serde_json::json;

use crate::request::{TRACE, only_span, read, spans};

fn base() -> serde_json::Value {
    json!({"traceId": TRACE, "spanId": "00000000000000a6", "name": "s", "startTimeUnixNano": "1", "endTimeUnixNano": "2"})
}

fn with(field: &str, value: serde_json::Value) -> obs_core::Span {
    let mut span = base();
    span[field] = value;
    only_span(&read(&spans(&[span])))
}

#[test]
fn ids_are_hex_in_either_case_or_base64() {
    for id in [TRACE, &TRACE.to_uppercase(), "CvdlGRbNQ92ESOshHIAxnA=="] {
        assert_eq!(with("traceId", json!(id)).trace_id.to_string(), TRACE, "{id}");
    }
    for id in ["00000000000000a6", "00000000000000A6", "AAAAAAAAAKY="] {
        assert_eq!(with("spanId", json!(id)).span_id.get(), 0xa6, "{id}");
    }
    for parent in [json!(""), json!(null), json!("0000000000000000")] {
        assert!(with("parentSpanId", parent).is_root());
    }
}

#[test]
fn a_span_gets_its_own_name_back() {
    let own = json!([{"key": "obs.span.name", "value": {"stringValue": "look up the order"}}]);
    let span = with("attributes", own);
    assert_eq!((span.name.as_str(), span.attributes.len()), ("look up the order", 0));
    let other = with("attributes", json!([{"key": "obs.span.name", "value": {"intValue": "1"}}]));
    assert_eq!((other.name.as_str(), other.attributes.len()), ("s", 1));
}

#[test]
fn enums_are_numbers_or_names() {
    for kind in [json!(3), json!("3"), json!("SPAN_KIND_CLIENT"), json!("CLIENT"), json!("client")] {
        assert_eq!(with("kind", kind.clone()).kind, SpanKind::Client, "{kind}");
    }
    for code in [json!(2), json!("STATUS_CODE_ERROR"), json!("Error")] {
        assert_eq!(with("status", json!({"code": code})).status, Status::Error, "{code}");
    }
    assert_eq!(with("status", json!({})).status, Status::Unset);
}

#[test]
fn whole_numbers_are_numbers_or_text() {
    for time in [json!(1), json!("1"), json!(1.0), json!(" 1")] {
        assert_eq!(with("startTimeUnixNano", time.clone()).start.as_nanos(), 1, "{time}");
    }
    assert_eq!(with("startTimeUnixNano", json!("18446744073709551615")).start.as_nanos(), u64::MAX);
}

#[test]
fn values_of_every_kind_are_read() {
    let value = |value: serde_json::Value| {
        with("attributes", json!([{"key": "k", "value": value}])).attributes.get("k").cloned().unwrap()
    };
    assert_eq!(value(json!({"intValue": "-7"})), Value::I64(-7));
    assert_eq!(value(json!({"intValue": 7})), Value::I64(7));
    assert_eq!(value(json!({"doubleValue": 1})), Value::F64(1.0));
    assert_eq!(value(json!({"doubleValue": "Infinity"})), Value::F64(f64::INFINITY));
    assert!(matches!(value(json!({"doubleValue": "NaN"})), Value::F64(number) if number.is_nan()));
    assert_eq!(value(json!({"boolValue": "true"})), Value::Bool(true));
    assert_eq!(value(json!({"bytesValue": "AQI="})), Value::Str("AQI=".into()));
    assert_eq!(value(json!({"arrayValue": {}})), Value::List(vec![]));
    assert_eq!(value(json!({"kvlistValue": {"values": []}})), Value::Map(obs_core::Attributes::new()));
    assert_eq!(value(json!({})), Value::Null);
    assert_eq!(value(json!(null)), Value::Null);
    assert_eq!(value(json!({"stringValue": null, "intValue": 1})), Value::I64(1));
}

#[test]
fn names_may_be_the_protobufs_own_and_unknown_ones_are_passed_over() {
    let request = json!({"resource_spans": [{"scope_spans": [{"spans": [{
        "trace_id": TRACE, "span_id": "00000000000000a6", "start_time_unix_nano": 1, "end_time_unix_nano": 2,
        "attributes": [{"key": "k", "value": {"int_value": 1}}], "novelty": {"a": [1]},
    }]}]}], "novelty": true});
    assert_eq!(only_span(&read(&request)).attributes.get("k"), Some(&Value::I64(1)));
}

#[test]
fn one_body_may_hold_several_signals() {
    let request = json!({
        "resourceSpans": [{"scopeSpans": [{"spans": [base()]}]}],
        "resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": 1}]}]}],
        "resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m", "gauge": {"dataPoints": [{"asInt": 1}]}}]}]}],
    });
    let ingested = read(&request);
    assert!(matches!(&ingested.records[..], [Record::Span(_), Record::Log(_), Record::Metric(_)]));
}

#[test]
fn what_is_no_request_is_an_error() {
    for body in ["{}", "[]", "7", "\"resourceSpans\"", "{\"spans\":[]}"] {
        assert!(matches!(ingest::json(body), Err(IngestError::NotOtlp)), "{body}");
    }
    for body in ["", "{", "{\"resourceSpans\":[NaN]}"] {
        assert!(matches!(ingest::json(body), Err(IngestError::Json(_))), "{body}");
    }
}

#[test]
fn a_broken_level_refuses_only_what_is_below_it() {
    let request = json!({"resourceSpans": [
        7,
        {"resource": {"attributes": [{"key": 1}]}, "scopeSpans": [{"spans": [base()]}]},
        {"scopeSpans": {}},
        {"scopeSpans": [{"scope": []}, {"spans": "x"}, {"spans": [base()]}]},
    ]});
    let ingested = ingest::json(&request.to_string()).unwrap();
    assert_eq!(ingested.records.len(), 1);
    let places: Vec<&str> = ingested.refused.iter().map(|refused| refused.place.as_str()).collect();
    assert_eq!(
        places,
        [
            "resourceSpans[0]",
            "resourceSpans[1]",
            "resourceSpans[2].scopeSpans",
            "resourceSpans[3].scopeSpans[0]",
            "resourceSpans[3].scopeSpans[1].spans",
        ]
    );
}
