//! A server that answers as Datadog does, and exporters that send there.

use std::collections::BTreeMap;

use obs_core::{Batch, Error, Exporter, Feedback, Receipt, Score, Span, SpanRecord};
use obs_datadog::{DatadogConfig, DatadogExporter, Mode};
use obs_testkit::fixtures::at;
use obs_testkit::{Answer, CaptureServer, Captured};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// The key of every test.
pub(crate) const KEY: &str = "planted-datadog-api-key";
/// The application key of every test, which must stand nowhere.
pub(crate) const APP_KEY: &str = "planted-datadog-app-key";

pub(crate) const SPANS: &str = "/api/intake/llm-obs/v1/trace/spans";
pub(crate) const EVALUATIONS: &str = "/api/intake/llm-obs/v2/eval-metric";
pub(crate) const AGENT_SPANS: &str = "/evp_proxy/v2/api/v2/llmobs";
pub(crate) const AGENT_EVALUATIONS: &str = "/evp_proxy/v2/api/intake/llm-obs/v2/eval-metric";
pub(crate) const OTLP: &str = "/v1/traces";

/// Starts a server that takes everything.
pub(crate) async fn start() -> CaptureServer {
    let server = CaptureServer::start().await;
    server.answer_with(|request| {
        Some(match request.path.as_str() {
            "/api/v1/validate" => Answer::json(&json!({ "valid": true })),
            OTLP | "/info" => Answer::status(200),
            _ => Answer::status(202),
        })
    });
    server
}

/// A configuration for it.
pub(crate) fn config(server: &CaptureServer) -> DatadogConfig {
    DatadogConfig::new(KEY).with_app_key(APP_KEY).with_ml_app("support").with_endpoint(server.url())
}

/// A configuration that sends traces to APM.
pub(crate) fn otlp_agent(server: &CaptureServer) -> DatadogConfig {
    config(server).with_mode(Mode::OtlpAgent).with_otlp_endpoint(server.url())
}

/// An exporter whose clock shows a time just after the fixtures'.
pub(crate) fn exporter_of(config: DatadogConfig) -> DatadogExporter {
    DatadogExporter::new(config).unwrap().with_clock(|| at(60_000_000))
}

/// An exporter to it.
pub(crate) fn exporter(server: &CaptureServer) -> DatadogExporter {
    exporter_of(config(server))
}

/// What came of a batch.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) server: CaptureServer,
    pub(crate) receipt: Receipt,
}

/// Sends a batch with the ordinary configuration.
pub(crate) async fn sent(batch: Batch) -> Sent {
    sent_with(batch, |config, _| config).await
}

/// The same with another configuration.
pub(crate) async fn sent_with(
    batch: Batch,
    change: impl FnOnce(DatadogConfig, &CaptureServer) -> DatadogConfig,
) -> Sent {
    let server = start().await;
    let exporter = exporter_of(change(config(&server), &server));
    let receipt = exporter.export(&batch).await.unwrap();
    Sent { server, receipt }
}

/// What an export failed with, where the server answers so.
pub(crate) async fn failed(batch: Batch, answer: Answer) -> Error {
    let server = CaptureServer::start().await;
    server.answer_always(answer);
    exporter(&server).export(&batch).await.unwrap_err()
}

impl Sent {
    /// The spans that arrived, in either form.
    pub(crate) fn spans(&self) -> Vec<Value> {
        self.server.requests().iter().flat_map(spans).collect()
    }

    /// The evaluations that arrived.
    pub(crate) fn evaluations(&self) -> Vec<Value> {
        self.server.requests().iter().flat_map(evaluations).collect()
    }

    /// The only span.
    #[track_caller]
    pub(crate) fn span(&self) -> Value {
        let mut spans = self.spans();
        assert_eq!(spans.len(), 1, "{spans:#?}");
        spans.remove(0)
    }

    /// The only evaluation.
    #[track_caller]
    pub(crate) fn evaluation(&self) -> Value {
        let mut evaluations = self.evaluations();
        assert_eq!(evaluations.len(), 1, "{evaluations:#?}");
        evaluations.remove(0)
    }

    /// Why the only rejection was made.
    #[track_caller]
    pub(crate) fn reason(&self) -> &str {
        assert_eq!(self.receipt.rejected.len(), 1, "{:#?}", self.receipt);
        &self.receipt.rejected[0].reason
    }
}

/// The spans of a request.
pub(crate) fn spans(request: &Captured) -> Vec<Value> {
    let body = body(request);
    let list = |list: &Value| list.as_array().unwrap().clone();
    match request.path.as_str() {
        SPANS => list(&body["data"]["attributes"]["spans"]),
        AGENT_SPANS => {
            body.as_array().unwrap().iter().flat_map(|envelope| list(&envelope["spans"])).collect()
        }
        _ => Vec::new(),
    }
}

/// The evaluations of a request.
pub(crate) fn evaluations(request: &Captured) -> Vec<Value> {
    match request.path.as_str() {
        EVALUATIONS | AGENT_EVALUATIONS => {
            body(request)["data"]["attributes"]["metrics"].as_array().unwrap().clone()
        }
        _ => Vec::new(),
    }
}

/// The body of a request as JSON.
pub(crate) fn body(request: &Captured) -> Value {
    lenient(std::str::from_utf8(&request.body).unwrap())
}

/// JSON, in which a document that this reader takes no deeper or no greater number of is a text.
pub(crate) fn lenient(json: &str) -> Value {
    if let Ok(value) = serde_json::from_str(json) {
        return value;
    }
    if let Ok(items) = serde_json::from_str::<Vec<Box<RawValue>>>(json) {
        return items.iter().map(|item| lenient(item.get())).collect();
    }
    match serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(json) {
        Ok(fields) => fields.into_iter().map(|(name, value)| (name, lenient(value.get()))).collect(),
        Err(_) => Value::from(json),
    }
}

/// Spans that ended, as a batch.
pub(crate) fn ended(spans: impl IntoIterator<Item = Span>) -> Batch {
    Batch::Traces(spans.into_iter().map(SpanRecord::Ended).collect())
}

/// Scores as a batch.
pub(crate) fn scores(scores: impl IntoIterator<Item = Score>) -> Batch {
    Batch::Scores(scores.into_iter().collect())
}

/// Feedback as a batch.
pub(crate) fn feedback(feedback: impl IntoIterator<Item = Feedback>) -> Batch {
    Batch::Feedback(feedback.into_iter().collect())
}
