//! The contract, as the testkit has it.

use std::sync::Arc;

use async_trait::async_trait;
use obs_core::{Descriptor, Exporter, Signal};
use obs_testkit::conformance::{ConfigCheck, Harness, Observed, Setup};
use obs_webhook::{DESCRIPTOR, WebhookConfig, WebhookExporter};
use serde_json::{Value, json};
use tempfile::TempDir;

/// An exporter that writes to a file of its own.
struct WebhookHarness {
    dir: TempDir,
    exporter: Arc<WebhookExporter>,
}

#[async_trait]
impl Harness for WebhookHarness {
    fn descriptor() -> Descriptor {
        DESCRIPTOR
    }

    fn config() -> Option<ConfigCheck> {
        Some(ConfigCheck::of::<WebhookConfig>(json!({ "path": "requests.jsonl" })))
    }

    async fn start(_: Setup) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let exporter = WebhookExporter::new(WebhookConfig::new(dir.path().join("requests.jsonl"))).unwrap();
        Self { dir, exporter: Arc::new(exporter) }
    }

    fn exporter(&self) -> Arc<dyn Exporter> {
        self.exporter.clone()
    }

    async fn observe(&self) -> Observed {
        let bytes = std::fs::read(self.dir.path().join("requests.jsonl")).unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        let requests: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let mut records = [0; Signal::COUNT];
        records[Signal::Traces.index()] =
            requests.iter().map(|request| request["spans"].as_array().unwrap().len()).sum();
        Observed { records, writes: requests.len(), bytes }
    }

    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }
}

obs_testkit::conformance!(WebhookHarness);
