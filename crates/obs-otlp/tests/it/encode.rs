//! The encoder against `opentelemetry-proto` with prost and with serde.

use std::sync::Arc;

use obs_core::{Attributes, Batch, Signal, Span, Timestamp, Value};
use obs_otlp::encode::{Chunk, Encoding, SpanParts, TraceRequests};
use obs_testkit::{arbitrary, fixtures};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;

use crate::bodies::{self, CUTS, max_bytes};
use crate::oracle;

fn encode(encoding: Encoding, spans: &[Span], max_items: usize, max_bytes: usize) -> Vec<Chunk> {
    // What is said to come changes nothing, be it true or not.
    let expected = if max_items.is_multiple_of(2) { spans.len() } else { usize::MAX };
    let mut requests = TraceRequests::new(encoding, max_items, max_bytes).expecting(expected);
    for (at, span) in spans.iter().enumerate() {
        let parts = SpanParts::of(span, span.end.unwrap_or(span.start));
        requests.push(at, &span.resource, &parts, |to| oracle::put(span, to));
    }
    requests.finish()
}

fn expected(spans: &[Span], records: &[usize]) -> ExportTraceServiceRequest {
    let spans: Vec<&Span> = records.iter().map(|at| &spans[*at]).collect();
    oracle::request(&spans)
}

fn check_protobuf(spans: &[Span], max_items: usize, max_bytes: usize) {
    let chunks = encode(Encoding::Protobuf, spans, max_items, max_bytes);
    let expected = |records: &[usize]| expected(spans, records);
    bodies::check_protobuf(spans.len(), (max_items, max_bytes), &chunks, expected);
}

fn check_json(spans: &[Span], max_items: usize, max_bytes: usize) {
    let chunks = encode(Encoding::Json, spans, max_items, max_bytes);
    let expected = |records: &[usize]| expected(spans, records);
    bodies::check_json(spans.len(), (max_items, max_bytes), &chunks, expected);
}

fn fixture_spans() -> Vec<Span> {
    [fixtures::batch(Signal::Traces), fixtures::nasty(Signal::Traces)]
        .into_iter()
        .flat_map(|batch| match batch {
            Batch::Traces(records) => records.iter().map(|record| record.span().clone()).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn every_fixture_is_encoded_as_prost_does() {
    for (items, bytes) in CUTS {
        check_protobuf(&fixture_spans(), items, bytes);
    }
}

#[test]
fn every_fixture_is_encoded_as_serde_does() {
    for (items, bytes) in CUTS {
        check_json(&fixture_spans(), items, bytes);
    }
}

fn spans() -> impl Strategy<Value = Vec<Span>> {
    let resources = vec(arbitrary::resource(), 1..3);
    let spans = vec((arbitrary::span(), any::<proptest::sample::Index>(), any::<bool>()), 0..6);
    (resources, spans).prop_map(|(resources, spans)| {
        let with_resource = |(mut span, index, own): (Span, proptest::sample::Index, bool)| {
            span.resource = resources[index.index(resources.len())].clone();
            if own {
                span.resource = Arc::new((*span.resource).clone());
            }
            span
        };
        spans.into_iter().map(with_resource).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_span_is_encoded_as_prost_does(spans in spans(), items in 0usize..5, bytes in max_bytes()) {
        check_protobuf(&spans, items, bytes);
    }

    #[test]
    fn any_span_is_encoded_as_serde_does(spans in spans(), items in 0usize..5, bytes in max_bytes()) {
        check_json(&spans, items, bytes);
    }
}

fn one(encoding: Encoding, put: impl FnOnce(&mut obs_otlp::encode::Fields<'_>)) -> Vec<u8> {
    let time = Timestamp::from_nanos(1);
    let parts = SpanParts::new(fixtures::trace_id(1), fixtures::span_id(1), "one", time, time);
    let mut requests = TraceRequests::new(encoding, 1, 0);
    requests.push(0, &Arc::default(), &parts, put);
    requests.finish().remove(0).body
}

fn json_attributes(put: impl FnOnce(&mut obs_otlp::encode::Fields<'_>)) -> serde_json::Value {
    let body: serde_json::Value = serde_json::from_slice(&one(Encoding::Json, put)).unwrap();
    body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"].clone()
}

#[test]
fn numbers_that_are_none_are_words_in_json() {
    let attributes = json_attributes(|to| {
        to.f64("nan", f64::NAN);
        to.f64("infinity", f64::INFINITY);
        to.value("minus", &Value::List(vec![f64::NEG_INFINITY.into()]));
        to.u64("large", u64::MAX);
    });
    let expected = serde_json::json!([
        {"key": "nan", "value": {"doubleValue": "NaN"}},
        {"key": "infinity", "value": {"doubleValue": "Infinity"}},
        {"key": "minus", "value": {"arrayValue": {"values": [{"doubleValue": "-Infinity"}]}}},
        {"key": "large", "value": {"doubleValue": 18_446_744_073_709_551_616.0}},
    ]);
    assert_eq!(attributes, expected);
}

/// Readers refuse the whole request where one value nests too deep.
#[test]
fn a_value_that_nests_too_deep_costs_nothing_but_its_form() {
    let nest = |value| Value::Map(Attributes::from_iter([("m", value)]));
    let deep = (0..500).fold(Value::Null, |value, _| nest(value));
    let body = one(Encoding::Protobuf, |to| to.value("deep", &deep));
    ExportTraceServiceRequest::decode(body.as_slice()).unwrap();
    let body = one(Encoding::Json, |to| to.value("deep", &deep));
    serde_json::from_slice::<ExportTraceServiceRequest>(&body).unwrap();
}

/// Where one attribute cannot be written, Mastra's exporter loses the span.
#[test]
fn what_does_not_serialise_costs_one_attribute_and_says_why() {
    let keys = std::collections::BTreeMap::from([((1, 2), 3)]);
    let attributes = json_attributes(|to| {
        to.json("bad", &keys);
        to.str("good", "kept");
    });
    let said = attributes[0]["value"]["stringValue"].as_str().unwrap();
    assert!(said.starts_with("not serialisable: "), "{said}");
    assert_eq!(attributes[1]["value"]["stringValue"], "kept");
}

#[test]
fn no_spans_are_no_requests() {
    assert_eq!(TraceRequests::new(Encoding::Protobuf, 1, 1).finish(), []);
}
