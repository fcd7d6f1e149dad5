//! Every request of the fixtures, held against the vendor's description of its API.
//!
//! The description of July 2026 does not know the type `log` yet, which Braintrust's clients write since; it is taken for
//! another here, and nothing else is.

use obs_braintrust::{BraintrustExporter, LogRowStyle};
use obs_core::{Exporter, Signal};
use obs_testkit::fixtures;
use serde_json::{Value, json};

use crate::server;

/// The body with a type that the description knows, and without what this reader of JSON cannot read.
fn known(body: &str) -> Value {
    let mut body = server::lenient(body);
    for row in body["events"].as_array_mut().into_iter().flatten() {
        if row["span_attributes"]["type"] == "log" {
            row["span_attributes"]["type"] = json!("task");
        }
    }
    body
}

#[tokio::test]
async fn every_request_is_as_described() {
    let Some(spec) = obs_testkit::openapi::shared("braintrust-openapi.json") else { return };
    let styles = [LogRowStyle::LogRow, LogRowStyle::ChildSpan];
    let mut held = 0;
    for style in styles {
        let server = server::start().await;
        let exporter = BraintrustExporter::new(server::config(&server).with_log_row_style(style)).unwrap();
        for batch in fixtures::all().into_iter().chain(fixtures::trace_batches()) {
            if batch.signal() != Signal::Metrics {
                exporter.export(&batch).await.unwrap();
            }
        }
        for request in server.take_requests() {
            let body = known(std::str::from_utf8(&request.body).unwrap());
            let checked = spec.check(&request.method, &request.path, "application/json", &body);
            assert_eq!(checked, Ok(()), "{} {}", request.method, request.path);
            held += 1;
        }
    }
    assert!(held > 40, "{held} requests");
}

#[test]
fn the_server_of_these_tests_answers_as_described() {
    let Some(spec) = obs_testkit::openapi::shared("braintrust-openapi.json") else { return };
    let insert = format!("/v1/project_logs/{}/insert", server::PROJECT);
    let answer = json!({"row_ids": ["00f067aa0ba902b7"]});
    assert_eq!(spec.check_answer("POST", &insert, 200, &answer), Ok(()));
}
