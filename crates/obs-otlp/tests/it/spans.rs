//! What every span has, whatever its convention: status, errors, events, links, flags.

use std::sync::Arc;

use obs_core::{Record, SpanKind, SpanRecord, Status, Value};
use obs_otlp::ingest;
use serde_json::json;

use crate::request::{TRACE, attributes, one, only_span, read, span, spans};

fn failed(
    pairs: &[(&str, serde_json::Value)],
    exception: Option<serde_json::Value>,
    message: &str,
) -> obs_core::Span {
    let mut value = span(1, pairs);
    value["status"] = json!({"code": 2, "message": message});
    if let Some(attributes) = exception {
        value["events"] = json!([{"name": "exception", "timeUnixNano": "7", "attributes": attributes}]);
    }
    only_span(&read(&spans(&[value])))
}

#[test]
fn an_error_is_put_together_from_exception_attributes_and_status() {
    let exception = attributes(&[
        ("exception.type", json!("TimeoutError")),
        ("exception.message", json!("too slow")),
        ("exception.stacktrace", json!("at main")),
        ("exception.escaped", json!(true)),
    ]);
    let span = failed(&[("error.type", json!("TimeoutError"))], Some(exception), "TimeoutError: too slow");
    let error = span.error.unwrap();
    assert_eq!((error.error_type.as_deref(), error.message.as_str()), (Some("TimeoutError"), "too slow"));
    assert_eq!(error.stack.as_deref(), Some("at main"));
    assert_eq!(error.details.get("status.message").and_then(Value::as_str), Some("TimeoutError: too slow"));
    assert_eq!((span.status, span.attributes.len()), (Status::Error, 0));
    assert_eq!(
        (span.events.len(), span.events[0].attributes.len()),
        (1, 1),
        "the event keeps its time and the rest"
    );

    let bare = failed(&[], None, "no luck").error.unwrap();
    assert_eq!((bare.error_type.as_deref(), bare.message.as_str(), bare.details.len()), (None, "no luck", 0));
    let silent = failed(&[], None, "").error.unwrap();
    assert_eq!(silent.message, "");
    let unknown =
        failed(&[("error.type", json!("unknown"))], Some(attributes(&[("exception.type", json!("E"))])), "m");
    assert_eq!(unknown.error.unwrap().error_type.as_deref(), Some("E"));
}

#[test]
fn a_handled_exception_stays_an_event() {
    let mut value = span(1, &[]);
    value["status"] = json!({"code": 1, "message": "fine"});
    value["events"] = json!([{"name": "exception", "timeUnixNano": 7, "attributes": attributes(&[("exception.type", json!("E"))])}]);
    let span = only_span(&read(&spans(&[value])));
    assert_eq!((span.status, &span.error, span.events[0].attributes.len()), (Status::Ok, &None, 1));
    assert_eq!(span.attributes.get("otel.status_description").and_then(Value::as_str), Some("fine"));
}

#[test]
fn kind_flags_state_links_and_counts_are_kept() {
    let mut value = span(2, &[("http.route", json!("/"))]);
    value["kind"] = json!(3);
    value["parentSpanId"] = json!("00000000000000ff");
    value["flags"] = json!(0x301);
    value["traceState"] = json!("a=1");
    value["droppedEventsCount"] = json!(4);
    value["links"] = json!([{"traceId": TRACE, "spanId": "0000000000000009", "traceState": "b=2", "attributes": attributes(&[("why", json!("retry"))])}]);
    let span = only_span(&read(&spans(&[value])));
    assert_eq!((span.kind, span.remote_parent, span.trace_flags), (SpanKind::Client, true, 1));
    assert_eq!(span.trace_state.as_deref(), Some("a=1"));
    assert_eq!(span.parent_span_id.unwrap().get(), 0xff);
    assert_eq!(
        span.attributes,
        obs_core::Attributes::from_iter([
            ("http.route", Value::from("/")),
            ("otel.dropped_events_count", Value::I64(4))
        ])
    );
    let link = &span.links[0];
    assert_eq!((link.span_id.get(), link.trace_state.as_deref()), (9, Some("b=2")));
    assert_eq!(link.attributes.get("why").and_then(Value::as_str), Some("retry"));
}

#[test]
fn a_span_without_an_end_has_only_started() {
    let mut value = span(1, &[]);
    value["endTimeUnixNano"] = json!(0);
    let ingested = read(&spans(&[value]));
    assert!(matches!(&ingested.records[..], [Record::Span(SpanRecord::Started(span))] if span.end.is_none()));
}

#[test]
fn the_resource_is_shared_and_speaks_for_its_traces() {
    let request = json!({"resourceSpans": [{
        "resource": {"attributes": attributes(&[
            ("service.name", json!("svc")), ("service.version", json!("1.2")), ("deployment.environment.name", json!("prod")),
        ])},
        "schemaUrl": "https://schema",
        "scopeSpans": [{"scope": {"name": "lib", "version": "3"}, "spans": [
            span(1, &[]), span(2, &[]), span(3, &[("deployment.environment", json!("own"))]),
        ]}],
    }]});
    let ingested = read(&request);
    let spans: Vec<_> = ingested
        .records
        .iter()
        .map(|record| match record {
            Record::Span(record) => record.span(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(spans.iter().all(|span| Arc::ptr_eq(&span.resource, &spans[0].resource)));
    assert!(Arc::ptr_eq(&spans[0].context, &spans[1].context));
    assert_eq!(spans[0].resource.service_name(), Some("svc"));
    let scope = spans[0].resource.scope.as_ref().unwrap();
    assert_eq!((scope.name.as_str(), scope.version.as_deref()), ("lib", Some("3")));
    assert_eq!(
        (spans[0].context.environment.as_deref(), spans[0].context.release.as_deref()),
        (Some("prod"), Some("1.2"))
    );
    assert_eq!(spans[2].context.environment.as_deref(), Some("own"));
    assert!(spans[0].resource.attributes.get("otel.schema_url").is_some());
}

#[test]
fn a_bad_span_is_refused_with_its_place_and_the_rest_is_read() {
    let bad = |field: &str, value: serde_json::Value| {
        let mut span = span(1, &[]);
        span[field] = value;
        span
    };
    let all = [
        (
            bad("traceId", json!("00000000000000000000000000000000")),
            "traceId must be 16 bytes and not all zero, it has 16 bytes, all zero",
        ),
        (bad("traceId", json!("0af7")), "traceId must be 32 hex digits, it is \"0af7\""),
        (bad("traceId", json!(7)), "traceId must be text, it is 7"),
        (bad("spanId", json!("")), "spanId must be 8 bytes and not all zero, it has 0 bytes"),
        (bad("parentSpanId", json!("xyz")), "parentSpanId must be 16 hex digits, it is \"xyz\""),
        (
            bad("startTimeUnixNano", json!(null)),
            "startTimeUnixNano is missing: a span needs the time it began",
        ),
        (
            bad("startTimeUnixNano", json!("soon")),
            "startTimeUnixNano must be a whole number, not negative, it is \"soon\"",
        ),
        (
            bad("kind", json!("SPAN_KIND_ODD")),
            "kind must be one of OTLP's numbers or names for it, it is \"SPAN_KIND_ODD\"",
        ),
        (bad("kind", json!(77)), "kind 77 is none of OTLP's span kinds, 0 to 5"),
        (bad("attributes", json!({"a": 1})), "attributes must be a list, it is an object"),
        (
            bad("attributes", json!([{"key": "a", "value": {"intValue": "x"}}])),
            "attributes[0].value.intValue must be a whole number, it is \"x\"",
        ),
        (
            bad("events", json!([{"timeUnixNano": -1}])),
            "events[0].timeUnixNano must be a whole number, not negative, it is -1",
        ),
        (
            bad("links", json!([{"traceId": TRACE}])),
            "links[0].spanId must be 8 bytes and not all zero, it has 0 bytes",
        ),
        (json!("no span"), "it must be an object, it is \"no span\""),
    ];
    let mut group: Vec<_> = all.iter().map(|(span, _)| span.clone()).collect();
    group.push(span(2, &[]));
    let ingested = ingest::json(&spans(&group).to_string()).unwrap();
    assert_eq!(ingested.records.len(), 1);
    assert_eq!(ingested.refused.len(), all.len());
    for (at, (refused, (_, reason))) in ingested.refused.iter().zip(&all).enumerate() {
        assert_eq!(refused.to_string(), format!("resourceSpans[0].scopeSpans[0].spans[{at}]: {reason}"));
    }
}

#[test]
fn limits_refuse_the_record_alone() {
    let many: Vec<_> = (0..=ingest::MAX_ATTRIBUTES)
        .map(|at| json!({"key": at.to_string(), "value": {"intValue": 1}}))
        .collect();
    let mut crowded = span(1, &[]);
    crowded["attributes"] = json!(many);
    let ingested = ingest::json(&spans(&[crowded, span(2, &[])]).to_string()).unwrap();
    assert_eq!((ingested.records.len(), ingested.refused.len()), (1, 1));
    assert!(ingested.refused[0].reason.contains("at most 10000"), "{}", ingested.refused[0]);
    let deep = format!("{{\"resourceSpans\":{}{}}}", "[".repeat(200), "]".repeat(200));
    assert!(ingest::json(&deep).unwrap_err().to_string().contains("recursion limit"));
    let large = " ".repeat(ingest::MAX_BODY_BYTES + 1);
    assert!(ingest::json(&large).unwrap_err().to_string().contains("split it"));
}

#[test]
fn what_no_convention_knows_stays_in_its_order() {
    let span = one(&[
        ("z", json!(1)),
        ("user.id", json!("u")),
        ("a", json!(["x"])),
        ("m", json!({"kvlistValue": {"values": attributes(&[("k", json!(true))])}})),
    ]);
    let json = serde_json::to_string(&span.attributes).unwrap();
    assert_eq!(json, r#"{"z":1,"a":["x"],"m":{"k":true}}"#);
}
