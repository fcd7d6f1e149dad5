//! Every request of the fixtures, held against the vendor's description of its API.
//!
//! The description of July 2026 does not know the type `log` yet, which Braintrust's clients write since; it is taken for
//! another here. The description lets names pass that it does not have, so that a misspelt one would pass, too: all names
//! are held against those that it has, but for the few that only Braintrust's clients know, which are listed.

use obs_braintrust::{BraintrustExporter, LogRowStyle};
use obs_core::{Exporter, Signal};
use obs_testkit::fixtures;
use obs_testkit::openapi::Spec;
use serde_json::{Value, json};

use crate::server;

/// The body with a type that the description knows, and without what this reader of JSON cannot read.
fn known(body: &str) -> Value {
    let mut body = server::lenient(body);
    for row in body.get_mut("events").and_then(Value::as_array_mut).into_iter().flatten() {
        if row["span_attributes"]["type"] == "log" {
            row["span_attributes"]["type"] = json!("task");
        }
    }
    body
}

/// Names that the description lacks, and Braintrust's clients write.
const BESIDE: [(&str, &[&str]); 3] = [
    ("/span_attributes", &["log_level"]),
    ("/context", &["span_origin"]),
    (
        "/metrics",
        &[
            "prompt_cached_tokens",
            "prompt_cache_creation_tokens",
            "prompt_cache_creation_5m_tokens",
            "prompt_cache_creation_1h_tokens",
            "prompt_audio_tokens",
            "prompt_image_tokens",
            "completion_reasoning_tokens",
            "completion_audio_tokens",
            "completion_image_tokens",
            "time_to_first_token",
            "estimated_cost",
        ],
    ),
];

/// The names of a request that neither the description nor the list has.
fn unknown(spec: &Spec, path: &str, body: &Value) -> Vec<String> {
    let (component, list) = match (path.contains("/experiment/"), path.ends_with("/insert")) {
        (false, true) => ("InsertProjectLogsEvent", "events"),
        (true, true) => ("InsertExperimentEvent", "events"),
        (false, false) => ("FeedbackProjectLogsItem", "feedback"),
        (true, false) => ("FeedbackExperimentItem", "feedback"),
    };
    let own = &spec.component(component).unwrap()["properties"];
    let places = [
        ("", own),
        ("/metrics", &own["metrics"]["properties"]),
        ("/context", &own["context"]["properties"]),
        ("/span_attributes", &spec.component("SpanAttributes").unwrap()["properties"]),
    ];
    let mut unknown: Vec<String> =
        body.as_object().unwrap().keys().filter(|name| *name != list).cloned().collect();
    for row in body[list].as_array().unwrap() {
        for (place, described) in &places {
            let beside = BESIDE.iter().find(|(of, _)| of == place).map_or(&[][..], |(_, names)| names);
            let names =
                row.pointer(place).and_then(Value::as_object).into_iter().flat_map(|found| found.keys());
            let known = |name: &&String| described.get(*name).is_some() || beside.contains(&name.as_str());
            unknown.extend(names.filter(|name| !known(name)).map(|name| format!("{place}/{name}")));
        }
    }
    unknown
}

#[test]
fn a_misspelt_name_is_found() {
    let Some(spec) = obs_testkit::openapi::shared("braintrust-openapi.json") else { return };
    let row = json!({"id": "a", "outptu": 1, "metrics": {"strat": 1}, "span_attributes": {"nmae": "x"}});
    let found = unknown(&spec, "/v1/project_logs/p/insert", &json!({"events": [row]}));
    assert_eq!(found, ["/outptu", "/metrics/strat", "/span_attributes/nmae"]);
    let item = json!({"id": "a", "score": {}});
    assert_eq!(unknown(&spec, "/v1/experiment/e/feedback", &json!({"feedback": [item]})), ["/score"]);
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
            if request.path != "/v1/project" {
                assert_eq!(unknown(&spec, &request.path, &body), Vec::<String>::new(), "{}", request.path);
            }
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
