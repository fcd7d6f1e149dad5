//! Payloads against Langfuse's own description of its API, where that is at hand.

use obs_core::Signal;
use obs_langfuse::{Ingestion, LogsWithoutTrace};
use obs_testkit::fixtures;
use obs_testkit::openapi::{Spec, shared};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::Value;

use crate::support::{Bench, INGESTION, SCORES, TRACES};

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
    for (path, body) in bodies(Ingestion::Otlp, false).await.into_iter().filter(|(path, _)| path == TRACES) {
        let mut request = serde_json::to_value(ExportTraceServiceRequest::decode(&*body).unwrap()).unwrap();
        numbers(&mut request);
        check(&spec, &path, &request);
    }
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
    for (path, body) in bodies(Ingestion::Otlp, true).await.into_iter().filter(|(path, _)| path == SCORES) {
        match serde_json::from_slice(&body).unwrap() {
            Value::Array(scores) => scores.iter().for_each(|score| check(&spec, &path, score)),
            score => check(&spec, &path, &score),
        }
    }
}

#[tokio::test]
async fn batches_of_events_are_as_described() {
    let Some(spec) = shared(FILE) else { return };
    let mut checked = 0;
    for (path, body) in bodies(Ingestion::Legacy, false).await {
        assert_eq!(path, INGESTION);
        // Documents may nest deeper in a request than `serde_json` reads; such a batch is not looked at.
        let Ok(mut batch) = serde_json::from_slice::<Value>(&body) else { continue };
        for event in batch["batch"].as_array_mut().unwrap() {
            // The description's alternatives for a parameter take integers twice, and so never.
            if let Some(parameters) = event["body"].as_object_mut() {
                parameters.remove("modelParameters");
            }
        }
        check(&spec, &path, &batch);
        checked += 1;
    }
    assert!(checked >= 8, "{checked}");
}
