//! Prometheus and VictoriaMetrics, which are asked in the same language.

use std::fmt::Write as _;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use serde_json::Value;

use super::samples::{Sample, of_query};
use crate::e2e::Scene;
use crate::e2e::api::Api;
use crate::e2e::install::Program;
use crate::e2e::stage::free_ports;

/// A running server that is asked for series.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) api: Api,
    /// Where remote write goes.
    pub(super) write: String,
}

impl Server {
    /// A Prometheus that scrapes these targets, each under the name of its job, and takes remote writes.
    pub(super) fn prometheus(scene: &Scene, jobs: &[(&str, SocketAddr)], features: &str) -> Result<Self> {
        let [port] = free_ports()?;
        let name = Program::Prometheus.name();
        let mut config = "global: { scrape_interval: 1s, scrape_timeout: 1s }\nscrape_configs:\n".to_owned();
        for (job, address) in jobs {
            let _ =
                writeln!(config, "  - {{ job_name: {job}, static_configs: [{{ targets: ['{address}'] }}] }}");
        }
        let file = scene.stage.folder(name)?.join("prometheus.yml");
        std::fs::write(&file, config).with_context(|| format!("{} cannot be written", file.display()))?;
        let words = format!(
            "--config.file=prometheus.yml --storage.tsdb.path=data-{port} --web.listen-address=127.0.0.1:{port} \
             --web.enable-remote-write-receiver --enable-feature={features} --log.level=warn"
        );
        Self::start(scene, Program::Prometheus, &words, port, "/-/ready")
    }

    /// A VictoriaMetrics that shows at once what it has taken.
    pub(super) fn victoria(scene: &Scene) -> Result<Self> {
        let [port] = free_ports()?;
        let words = format!(
            "-storageDataPath=data -httpListenAddr=127.0.0.1:{port} -search.latencyOffset=0s -search.disableCache \
             -loggerLevel=WARN"
        );
        Self::start(scene, Program::Victoria, &words, port, "/health")
    }

    fn start(scene: &Scene, program: Program, words: &str, port: u16, health: &str) -> Result<Self> {
        let words: Vec<_> = words.split_whitespace().map(ToOwned::to_owned).collect();
        scene.stage.start(program.name(), scene.shelf.path(program)?, &words, &[])?;
        let api = Api::on(port)?;
        scene.stage.ready(program.name(), async || api.answers(health).await)?;
        let write = format!("{}/api/v1/write", api.base());
        Ok(Self { api, write })
    }

    /// The last sample of each series that this selects.
    pub(super) async fn samples(&self, selector: &str) -> Result<Vec<Sample>> {
        of_query(&self.query(selector).await?)
    }

    pub(super) async fn query(&self, query: &str) -> Result<Value> {
        self.api.ask("/api/v1/query", &[("query", query)]).await.with_context(|| format!("the query {query}"))
    }
}
