//! The test agent: what it is started with, and how it is asked.

use anyhow::{Context, Result};
use obs_core::Signal;
use serde_json::Value;

use super::{found, normal};
use crate::e2e::Scene;
use crate::e2e::api::Api;
use crate::e2e::fact::Fact;
use crate::e2e::install::Program;
use crate::e2e::stage::free_ports;

const NAME: &str = "ddapm-test-agent";

/// A running test agent.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(super) api: Api,
    /// Where it takes what Datadog's own clients send, and tells all requests.
    pub(crate) own: u16,
    pub(super) http: u16,
    pub(super) grpc: u16,
}

/// What it has of a signal.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) facts: Vec<Fact>,
    pub(super) requests: usize,
}

impl Agent {
    pub(crate) fn start(scene: &Scene) -> Result<Self> {
        let [own, http, grpc] = free_ports()?;
        let words = format!(
            "--host 127.0.0.1 --port {own} --otlp-http-port {http} --otlp-grpc-port {grpc} --snapshot-dir . \
             --disable-llmobs-data-forwarding"
        );
        let words: Vec<_> = words.split_whitespace().map(ToOwned::to_owned).collect();
        scene.stage.start(NAME, scene.shelf.path(Program::Agent)?, &words, &[])?;
        let agent = Self { api: Api::on(http)?, own, http, grpc };
        scene.stage.ready(NAME, async || agent.api.answers("/test/session/traces").await)?;
        Ok(agent)
    }

    /// All that it was sent of a signal since it was cleared.
    ///
    /// It reads every request anew, so that one that it cannot read fails all of them.
    pub(super) async fn found(&self, signal: Signal) -> Result<Found> {
        let answer = self.api.json(&format!("/test/session/{signal}")).await?;
        let requests = answer.as_array().context("the test agent gave no list of requests")?;
        let read = match signal {
            Signal::Traces => found::spans,
            Signal::Metrics => found::points,
            _ => found::logs,
        };
        let facts =
            requests.iter().cloned().map(normal::normal).flat_map(|request: Value| read(&request)).collect();
        Ok(Found { facts, requests: requests.len() })
    }

    pub(super) async fn clear(&self) -> Result<()> {
        self.api.text(obs_http::Request::get("/test/session/clear")).await.map(drop)
    }
}
