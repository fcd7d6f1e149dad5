//! Langfuse's OTLP and scores.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value::StringValue;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use serde_json::{Value, json};

use super::*;
use crate::platform::Kind;

const HEADERS: &[(&str, &str)] = &[
    ("authorization", "Basic cGs6c2s="),
    ("content-type", "application/x-protobuf"),
    ("x-langfuse-ingestion-version", "4"),
];

fn pair(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(StringValue(value.into())) });
    KeyValue { key: format!("langfuse.observation.{key}"), value, ..KeyValue::default() }
}

fn span() -> Span {
    Span {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        parent_span_id: vec![3; 8],
        name: "chat".into(),
        start_time_unix_nano: 1_500_000,
        end_time_unix_nano: 2_500_000,
        attributes: vec![
            pair("type", "generation"),
            pair("usage_details", r#"{"input": 5, "input_cached_tokens": 2, "output": 3, "total": 10}"#),
            pair("cost_details", r#"{"total": 0.25}"#),
        ],
        ..Span::default()
    }
}

fn sent(spans: Vec<Span>) -> Captured {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    let export = ExportTraceServiceRequest { resource_spans };
    request("/api/public/otel/v1/traces", HEADERS, export.encode_to_vec())
}

#[test]
fn exclusive_buckets_add_up_to_the_inclusive_total() {
    let event = Span {
        attributes: vec![pair("type", "event"), pair("input", "\"order found\""), pair("level", "warn")],
        ..span()
    };
    let decoded = decode("langfuse", &[sent(vec![span(), event])]);
    assert_eq!(decoded.faults, Vec::<String>::new());
    let [generation, log] = &decoded.items[..] else { panic!("{:?}", decoded.items) };
    assert_eq!((generation.number("input_tokens"), generation.number("output_tokens")), (7.0, 3.0));
    assert_eq!(
        (generation.id.as_str(), generation.text("parent")),
        ("0202020202020202", Some("0303030303030303"))
    );
    assert_eq!((log.kind, log.id.as_str()), (Kind::Log, "0303030303030303 order found"));
    assert_eq!((log.number("millis"), log.text("level")), (1.5, Some("WARNING")));
}

#[test]
fn a_broken_rule_of_spans_is_named() {
    let cases: [(&str, Span); 3] = [
        ("has no valid ids", Span { span_id: vec![0; 8], ..span() }),
        ("a parent of zeros", Span { parent_span_id: vec![0; 8], ..span() }),
        ("ends before it begins", Span { end_time_unix_nano: 1, ..span() }),
    ];
    for (said, span) in cases {
        let faults = faults("langfuse", sent(vec![span]));
        assert!(faults.contains(said), "{said}: {faults}");
    }
    let old = Captured { headers: sent(vec![]).headers[..2].to_vec(), ..sent(vec![]) };
    assert!(faults("langfuse", old).contains("x-langfuse-ingestion-version is not 4"));
    assert!(faults("langfuse", request("/api/public/ingestion", HEADERS, "{}")).contains("not of the API"));
}

#[test]
fn a_broken_rule_of_scores_is_named() {
    let good = json!({
        "id": "s", "name": "fit", "value": 1, "dataType": "BOOLEAN", "traceId": "t", "observationId": "o",
        "timestamp": "2026-01-01T00:00:00Z",
    });
    let cases: [Case; 5] = [
        ("not of its type", |body| body["value"] = json!(true)),
        ("not of its type", |body| body["dataType"] = json!("CATEGORICAL")),
        ("it has no time", |body| body["timestamp"] = json!(null)),
        ("not exactly one target", |body| body["sessionId"] = json!("s")),
        ("not exactly one target", |body| body["traceId"] = json!(null)),
    ];
    let sent = |body: &Value| request("/api/public/scores", HEADERS, body.to_string());
    each_breaks(&cases, &good, |body| decode("langfuse", &[sent(body)]));
    let decoded = decode("langfuse", &[sent(&json!([good, good]))]);
    assert_eq!(decoded.items.len(), 2);
    assert_eq!(decoded.items[0].text("target"), Some("observation o of t"));
}
