//! A server that answers as Braintrust does, and an exporter that sends there.

use std::collections::BTreeMap;

use obs_braintrust::{BraintrustConfig, BraintrustExporter};
use obs_core::{Batch, Exporter, Feedback, Log, Receipt, Score, SpanRecord};
use obs_testkit::{Answer, CaptureServer, Captured};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// The key of every test.
pub(crate) const KEY: &str = "sk-planted-braintrust-key";
/// The project's id that the server has.
pub(crate) const PROJECT: &str = "7f1ad2a8-2c2f-4d6c-9b8e-5f7f6a1c0d11";
/// An experiment's id.
pub(crate) const EXPERIMENT: &str = "3d52c1c2-89b4-4898-bd6b-8785fd73fc44";

/// Starts a server that knows every project and experiment.
pub(crate) async fn start() -> CaptureServer {
    let server = CaptureServer::start().await;
    server.answer_with(|request| Some(answer(request)));
    server
}

fn answer(request: &Captured) -> Answer {
    let body = lenient(&String::from_utf8_lossy(&request.body));
    Answer::json(&match request.path.rsplit('/').next() {
        Some("insert") => json!({ "row_ids": rows(&body).map(|row| row["id"].clone()).collect::<Vec<_>>() }),
        Some("feedback") => json!({ "status": "success" }),
        Some("project") if request.method == "POST" => {
            json!({ "id": PROJECT, "org_id": EXPERIMENT, "name": body["name"] })
        }
        _ => json!({ "objects": [] }),
    })
}

fn rows(body: &Value) -> impl Iterator<Item = &Value> {
    body["events"].as_array().into_iter().flatten()
}

/// JSON that may nest deeper and hold greater numbers than this reader's, which become texts.
pub(crate) fn lenient(json: &str) -> Value {
    if let Ok(value) = serde_json::from_str(json) {
        return value;
    }
    if let Ok(fields) = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(json) {
        return fields.into_iter().map(|(name, value)| (name, lenient(value.get()))).collect();
    }
    match serde_json::from_str::<Vec<Box<RawValue>>>(json) {
        Ok(items) => items.iter().map(|item| lenient(item.get())).collect(),
        Err(_) => Value::from(json),
    }
}

/// A configuration for it.
pub(crate) fn config(server: &CaptureServer) -> BraintrustConfig {
    BraintrustConfig::new(KEY).with_project("support").with_endpoint(server.url())
}

/// An exporter to it.
pub(crate) fn exporter(server: &CaptureServer) -> BraintrustExporter {
    BraintrustExporter::new(config(server)).unwrap()
}

/// What was inserted: the path and the row, in the order of arrival.
pub(crate) fn inserted(server: &CaptureServer) -> Vec<(String, Value)> {
    listed(server, "/insert", "events")
}

/// What feedback was given: the path and the item, in the order of arrival.
pub(crate) fn fed_back(server: &CaptureServer) -> Vec<(String, Value)> {
    listed(server, "/feedback", "feedback")
}

fn listed(server: &CaptureServer, end: &str, list: &str) -> Vec<(String, Value)> {
    let requests = server.requests();
    let posts = requests.iter().filter(|request| request.path.ends_with(end));
    let items = posts.flat_map(|request| {
        let body = lenient(std::str::from_utf8(&request.body).unwrap());
        body[list]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| (request.path.clone(), item.clone()))
            .collect::<Vec<_>>()
    });
    items.collect()
}

/// Sends a batch with the ordinary configuration and gives back what was inserted and fed back.
pub(crate) async fn sent(batch: Batch) -> Sent {
    sent_with(batch, |config| config).await
}

/// The same with another configuration.
pub(crate) async fn sent_with(
    batch: Batch,
    change: impl FnOnce(BraintrustConfig) -> BraintrustConfig,
) -> Sent {
    let server = start().await;
    let exporter = BraintrustExporter::new(change(config(&server))).unwrap();
    let receipt = exporter.export(&batch).await.unwrap();
    let only = |found: Vec<(String, Value)>| found.into_iter().map(|(_, item)| item).collect();
    Sent { rows: only(inserted(&server)), items: only(fed_back(&server)), receipt, server }
}

/// What came of a batch.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) rows: Vec<Value>,
    pub(crate) items: Vec<Value>,
    pub(crate) receipt: Receipt,
    pub(crate) server: CaptureServer,
}

impl Sent {
    /// The only row.
    #[track_caller]
    pub(crate) fn row(&self) -> &Value {
        assert_eq!(self.rows.len(), 1, "{:#?}", self.rows);
        &self.rows[0]
    }

    /// The only item of feedback.
    #[track_caller]
    pub(crate) fn item(&self) -> &Value {
        assert_eq!(self.items.len(), 1, "{:#?}", self.items);
        &self.items[0]
    }
}

/// Spans that ended, as a batch.
pub(crate) fn ended(spans: impl IntoIterator<Item = obs_core::Span>) -> Batch {
    Batch::Traces(spans.into_iter().map(SpanRecord::Ended).collect())
}

/// Logs as a batch.
pub(crate) fn logs(logs: impl IntoIterator<Item = Log>) -> Batch {
    Batch::Logs(logs.into_iter().collect())
}

/// Scores as a batch.
pub(crate) fn scores(scores: impl IntoIterator<Item = Score>) -> Batch {
    Batch::Scores(scores.into_iter().collect())
}

/// Feedback as a batch.
pub(crate) fn feedback(feedback: impl IntoIterator<Item = Feedback>) -> Batch {
    Batch::Feedback(feedback.into_iter().collect())
}
