//! Nothing that anyone may send makes ingest panic, and what it makes can be written and read back.

use obs_core::Record;
use obs_otlp::ingest::{self, Kind, link};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::request::{TRACE, read, span, spans};

/// Any JSON, in which the field names of OTLP and of the conventions are likely.
fn any_json() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "resourceSpans",
        "scopeSpans",
        "spans",
        "resource",
        "scope",
        "attributes",
        "key",
        "value",
        "stringValue",
        "intValue",
        "doubleValue",
        "arrayValue",
        "kvlistValue",
        "values",
        "bytesValue",
        "traceId",
        "spanId",
        "parentSpanId",
        "startTimeUnixNano",
        "endTimeUnixNano",
        "kind",
        "status",
        "code",
        "events",
        "links",
        "name",
        "flags",
        "resourceLogs",
        "scopeLogs",
        "logRecords",
        "body",
        "severityNumber",
        "resourceMetrics",
        "scopeMetrics",
        "metrics",
        "gauge",
        "sum",
        "histogram",
        "exponentialHistogram",
        "summary",
        "dataPoints",
        "asInt",
        "asDouble",
        "bucketCounts",
        "explicitBounds",
        "quantileValues",
        "exemplars",
        "timeUnixNano",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(Value::from(TRACE)),
        Just(Value::from("00000000000000a6")),
    ];
    leaf.prop_recursive(8, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(key.clone().prop_map(String::from), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// An attribute of some convention, with a value of any kind.
fn attribute() -> impl Strategy<Value = Value> {
    let names: Vec<&str> = obs_otlp::conventions::ATTRIBUTES.iter().map(|row| row.name).collect();
    let value = prop_oneof![
        "[\\[\\]{}\":a-z0-9, -]{0,24}".prop_map(|text| json!({"stringValue": text})),
        any::<i64>().prop_map(|number| json!({"intValue": number})),
        any::<f64>().prop_map(|number| json!({"doubleValue": number.to_string()})),
        Just(json!({"boolValue": true})),
        any_json().prop_map(|any| json!({"arrayValue": {"values": [{"stringValue": any.to_string()}, {}]}})),
    ];
    (prop::sample::select(names), "[a-z0-9.]{0,12}", value).prop_map(|(name, rest, value)| {
        json!({"key": name.replace("{type}", "workflow_sleep").replace('*', &rest), "value": value})
    })
}

fn every_record_can_be_read_back(records: &[Record]) -> Result<(), TestCaseError> {
    for record in records {
        let mut line = Vec::new();
        record.write_line(&mut line).unwrap();
        let line = String::from_utf8(line).unwrap();
        let mut again = Vec::new();
        Record::from_line(&line).unwrap().write_line(&mut again).unwrap();
        prop_assert_eq!(String::from_utf8(again).unwrap(), line);
    }
    Ok(())
}

#[test]
fn documents_of_any_depth_in_attributes_can_be_read_back() {
    for depth in [1, 32, 33, 126, 127, 128] {
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let named = format!("{{\"a\":{deep}}}");
        let pairs: Vec<(&str, Value)> = obs_otlp::conventions::ATTRIBUTES
            .iter()
            .filter(|row| !row.name.contains(['*', '{']))
            .map(|row| (row.name, json!(if row.name == "metadata" { &named } else { &deep })))
            .collect();
        for operation in
            ["chat", "embeddings", "retrieval", "invoke_agent", "execute_tool", "search_memory", "none"]
        {
            let mut pairs = pairs.clone();
            pairs.push(("gen_ai.operation.name", json!(operation)));
            every_record_can_be_read_back(&read(&spans(&[span(1, &pairs)])).records).unwrap();
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}") {
        let _ = ingest::json(&text);
    }

    #[test]
    fn any_json_is_read_or_refused(body in any_json()) {
        for body in [body.clone(), json!({"resourceSpans": body}), json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [body]}]}]})] {
            if let Ok(mut ingested) = ingest::json(&body.to_string()) {
                link(&mut ingested.records);
                every_record_can_be_read_back(&ingested.records)?;
            }
        }
    }

    #[test]
    fn any_attributes_make_a_span(attributes in prop::collection::vec(attribute(), 0..12), row in prop::sample::select(obs_otlp::conventions::TYPES)) {
        let mut attributes = attributes;
        attributes.push(json!({"key": row.attribute, "value": {"stringValue": row.value}}));
        let span = json!({"traceId": TRACE, "spanId": "00000000000000a6", "startTimeUnixNano": 5, "endTimeUnixNano": 6, "attributes": attributes,
            "events": [{"name": "gen_ai.choice", "attributes": attributes}, {"name": "gen_ai.evaluation.result", "attributes": attributes}]});
        let body = json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]});
        let ingested = ingest::json(&body.to_string()).unwrap();
        prop_assert_eq!(&ingested.refused, &[]);
        every_record_can_be_read_back(&ingested.records)?;
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for kind in [Kind::Traces, Kind::Logs, Kind::Metrics] {
            if let Ok(ingested) = ingest::protobuf(kind, &bytes) {
                every_record_can_be_read_back(&ingested.records)?;
            }
        }
    }
}
