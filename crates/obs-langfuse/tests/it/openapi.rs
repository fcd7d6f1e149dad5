//! Payloads against Langfuse's own description of its API, where that is at hand.

use obs_core::{Batch, LlmGeneration, Signal, Span, SpanRecord, SpanType};
use obs_langfuse::{Ingestion, LogsWithoutTrace};
use obs_testkit::fixtures;
use obs_testkit::openapi::{Spec, shared};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::{Value, json};

use crate::support::{Bench, Event, INGESTION, SCORES, TRACES, events};

const FILE: &str = "langfuse-openapi.yml";

/// Every request of all fixtures that are not nasty in depth, by path and body.
async fn bodies(ingestion: Ingestion, score_batch: bool) -> Vec<(String, Vec<u8>)> {
    let bench = Bench::with(|config| {
        config
            .with_ingestion(ingestion)
            .with_score_batch(score_batch)
            .with_logs_without_trace(LogsWithoutTrace::OwnTrace)
    })
    .await;
    for batch in fixtures::all().into_iter().chain(fixtures::trace_batches()) {
        if batch.signal() != Signal::Metrics {
            bench.export(&obs_testkit::conformance::input(&batch, &obs_langfuse::DESCRIPTOR)).await.unwrap();
        }
    }
    bench.server.take_requests().into_iter().map(|request| (request.path, request.body)).collect()
}

fn check(spec: &Spec, path: &str, body: &Value) {
    if let Err(faults) = spec.check("POST", path, "application/json", body) {
        let shown: String = body.to_string().chars().take(2_000).collect();
        panic!("{path}: {}\n{shown}", faults.into_iter().take(5).collect::<Vec<_>>().join("\n"));
    }
}

#[tokio::test]
async fn requests_with_spans_are_as_described() {
    let Some(spec) = shared(FILE) else { return };
    let mut checked = 0;
    for (path, body) in bodies(Ingestion::Otlp, false).await.into_iter().filter(|(path, _)| path == TRACES) {
        let mut request = serde_json::to_value(ExportTraceServiceRequest::decode(&*body).unwrap()).unwrap();
        numbers(&mut request);
        check(&spec, &path, &request);
        checked += 1;
    }
    assert!(checked >= 4, "{checked}");
}

/// The description has integers as numbers; in OTLP's JSON they are text, which the server reads, too.
fn numbers(value: &mut Value) {
    match value {
        Value::Object(map) => map.iter_mut().for_each(|(key, value)| match value.as_str() {
            Some(text) if key == "intValue" => *value = text.parse::<i64>().unwrap().into(),
            _ => numbers(value),
        }),
        Value::Array(values) => values.iter_mut().for_each(numbers),
        _ => {}
    }
}

#[tokio::test]
async fn scores_and_feedback_are_as_described() {
    let Some(spec) = shared(FILE) else { return };
    let mut checked = 0;
    for (path, body) in bodies(Ingestion::Otlp, false).await.into_iter().filter(|(path, _)| path == SCORES) {
        check(&spec, &path, &serde_json::from_slice(&body).unwrap());
        checked += 1;
    }
    assert!(checked > 100, "{checked}");
    // The description is of servers before arrays: each score of one is what it has for a score.
    let (mut arrays, mut alone) = (0, 0);
    for (path, body) in bodies(Ingestion::Otlp, true).await.into_iter().filter(|(path, _)| path == SCORES) {
        match serde_json::from_slice(&body).unwrap() {
            Value::Array(scores) => {
                assert!(scores.len() > 1);
                for score in &scores {
                    check(&spec, &path, score);
                }
                arrays += 1;
            }
            score => {
                check(&spec, &path, &score);
                alone += 1;
            }
        }
    }
    assert!(arrays >= 4, "{arrays} arrays, {alone} alone");
}

#[tokio::test]
async fn batches_of_events_are_as_described() {
    let Some(spec) = shared(FILE) else { return };
    let (mut checked, mut parameters) = (0, 0);
    let mut all = bodies(Ingestion::Legacy, false).await;
    all.push((INGESTION.to_owned(), structured_parameters().await));
    for (path, body) in all {
        assert_eq!(path, INGESTION);
        for mut event in events(&body).iter().map(Event::shallow) {
            let given = event["body"].get_mut("modelParameters").and_then(Value::as_object_mut);
            if let Some(given) = given {
                // The description's alternatives for a parameter take whole numbers twice, and so never.
                given.retain(|_, value| value.as_f64().is_none_or(|number| number.fract() != 0.0));
                parameters += given.len();
            }
            check(&spec, &path, &json!({ "batch": [event] }));
            checked += 1;
        }
    }
    assert!(checked > 200 && parameters > 10, "{checked} events, {parameters} parameters");
}

/// The batch for an old server of a model call whose parameters have parts.
async fn structured_parameters() -> Vec<u8> {
    let mut call = LlmGeneration::default();
    let nested: obs_core::Value =
        serde_json::from_value(json!({"type": "json_schema", "schema": {"strict": true}})).unwrap();
    call.parameters.other.insert("response_format", nested);
    call.parameters.other.insert("stop_sequences", obs_core::Value::List(vec!["END".into()]));
    call.parameters.other.insert("seed", obs_core::Value::Null);
    let mut span = Span::new(fixtures::trace_id(1), fixtures::span_id(1), "chat", fixtures::at(0));
    (span.end, span.span_type) = (Some(fixtures::at(1)), SpanType::LlmGeneration(call));
    let bench = Bench::with(|config| config.with_ingestion(Ingestion::Legacy)).await;
    bench.export(&Batch::Traces([SpanRecord::Ended(span)].into_iter().collect())).await.unwrap();
    bench.server.take_requests().remove(0).body
}
