//! Payloads of all fixtures against LangSmith's OpenAPI description, where it is at hand.

use obs_core::{Batch, Exporter, Signal};
use obs_langsmith::{FeedbackTransport, LangsmithExporter};
use obs_testkit::openapi::{self, Spec};
use obs_testkit::{CaptureServer, Captured, fixtures};
use serde_json::Value;

use super::bench;

fn ours() -> impl Iterator<Item = Batch> {
    let taken = [Signal::Traces, Signal::Scores, Signal::Feedback];
    fixtures::all()
        .into_iter()
        .chain(fixtures::trace_batches())
        .filter(move |batch| taken.contains(&batch.signal()))
}

async fn requests(server: &CaptureServer, transport: FeedbackTransport) -> Vec<Captured> {
    let config = bench::config(server).with_feedback_transport(transport).with_extend_trace_retention(false);
    let exporter = LangsmithExporter::new(config).unwrap();
    for batch in ours() {
        exporter.export(&batch).await.unwrap();
    }
    server.take_requests()
}

#[track_caller]
fn holds(checked: Result<(), Vec<String>>, value: &Value) {
    if let Err(faults) = checked {
        panic!("{}\n{:.600}", faults.join("\n"), value.to_string());
    }
}

fn spec() -> Option<Spec> {
    openapi::shared("langsmith-openapi.json")
}

#[tokio::test]
async fn parts_of_multipart_bodies_are_runs_and_feedback() {
    let Some(spec) = spec() else { return };
    let server = bench::server().await;
    let sent = bench::sent(&requests(&server, FeedbackTransport::Auto).await);
    assert!(sent.len() > 140, "{}", sent.len());
    for sent in &sent {
        let schema = if sent.verb == "feedback" { "FeedbackCreateSchema" } else { "runs.Run" };
        holds(spec.check_component(schema, &sent.json), &sent.json);
        let known = &spec.component(schema).unwrap()["properties"];
        let unknown = sent.json.as_object().unwrap().keys().filter(|name| known.get(name.as_str()).is_none());
        let unknown: Vec<_> = unknown.filter(|name| !BEYOND.contains(&name.as_str())).collect();
        assert!(unknown.is_empty(), "{schema} has no {unknown:?}");
    }
}

/// Names that the description lacks and LangSmith's SDKs send.
const BEYOND: [&str; 1] = ["extend_trace_retention"];

#[tokio::test]
async fn bodies_of_json_are_what_their_endpoints_take() {
    let Some(spec) = spec() else { return };
    let server = bench::old_server().await;
    let mut checked = (0, 0);
    for request in requests(&server, FeedbackTransport::Single).await {
        match (request.path.as_str(), request.json()) {
            ("/runs/batch", Some(body)) => {
                holds(spec.check("POST", "/runs/batch", "application/json", &body), &body);
                checked.0 += 1;
            }
            ("/feedback", Some(body)) => {
                holds(spec.check("POST", "/api/v1/feedback", "application/json", &body), &body);
                checked.1 += 1;
            }
            // The nasty documents are beyond this reader, and stand in the test above.
            _ => {}
        }
    }
    assert!(checked.0 > 0 && checked.1 > 40, "{checked:?}");
}

/// What the README says the description lacks: the endpoint for multipart has its parts as bytes.
#[tokio::test]
async fn the_paths_that_are_asked_are_described() {
    let Some(spec) = spec() else { return };
    let server = bench::server().await;
    let sessions = serde_json::json!([]);
    assert_eq!(spec.check_answer("GET", "/api/v1/sessions", 200, &sessions), Ok(()));
    assert_eq!(spec.check_answer("GET", "/api/v1/info", 200, &bench::info()), Ok(()));
    drop(server);
}
