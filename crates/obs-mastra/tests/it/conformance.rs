//! The laws of an exporter.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use obs_core::{Batch, Descriptor, Exporter, Signal};
use obs_mastra::{DESCRIPTOR, MastraConfig, MastraExporter};
use obs_testkit::conformance::{ConfigCheck, Harness, Observed, Setup};
use obs_testkit::{CaptureServer, fixtures};
use serde_json::json;

use crate::server;

struct Bench {
    server: CaptureServer,
    exporter: Arc<MastraExporter>,
    /// The ids of all scores there are, to tell those that went as feedback.
    scores: HashSet<String>,
}

#[async_trait]
impl Harness for Bench {
    fn descriptor() -> Descriptor {
        DESCRIPTOR
    }

    fn config() -> Option<ConfigCheck> {
        Some(ConfigCheck::of::<MastraConfig>(json!({
            "access_token": server::TOKEN, "project_id": "support", "max_request_size": "1MiB", "timeout": "3s",
        })))
    }

    async fn start(_: Setup) -> Self {
        let server = CaptureServer::start().await;
        let exporter = Arc::new(server::exporter(&server));
        let batches = [
            fixtures::batch(Signal::Scores),
            fixtures::nasty(Signal::Scores),
            fixtures::trace_batches().swap_remove(2),
        ];
        let ids = batches.iter().flat_map(|batch| {
            let Batch::Scores(scores) = batch else { panic!("no scores") };
            scores.iter().map(|score| score.id.to_string()).collect::<Vec<_>>()
        });
        Self { server, exporter, scores: ids.collect() }
    }

    fn exporter(&self) -> Arc<dyn Exporter> {
        self.exporter.clone()
    }

    async fn observe(&self) -> Observed {
        let mut observed = Observed::default();
        for request in self.server.requests() {
            observed.writes += 1;
            observed.bytes.extend(request.body);
        }
        for (route, item) in server::items(&self.server) {
            let signal = match route.as_str() {
                "spans" if item["isEvent"] == true => continue,
                "spans" => Signal::Traces,
                "logs" => Signal::Logs,
                "metrics" => Signal::Metrics,
                "scores" => Signal::Scores,
                "feedback" if self.scores.contains(item["feedbackId"].as_str().unwrap()) => Signal::Scores,
                "feedback" => Signal::Feedback,
                other => panic!("no route: {other}"),
            };
            observed.records[signal.index()] += 1;
        }
        observed
    }

    fn secrets(&self) -> Vec<String> {
        vec![server::TOKEN.to_owned()]
    }
}

obs_testkit::conformance!(Bench);
