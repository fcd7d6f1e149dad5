//! What the tests share: an exporter over a server on this machine, and readers of what arrives there.

use std::collections::BTreeMap;

use obs_core::{Batch, Descriptor, Error, Exporter, Receipt};
use obs_grafana::{GrafanaConfig, GrafanaExporter, LogsVia, MetricsVia};
use obs_testkit::{CaptureServer, Captured, conformance};
use serde::Deserialize;

use crate::prom::{self, WriteRequest};

pub(crate) const INSTANCE_ID: &str = "12345678";
pub(crate) const API_KEY: &str = "glc_0123456789abcdef";
pub(crate) const LOKI_USER: &str = "87654321";
pub(crate) const MIMIR_USER: &str = "55554444";
pub(crate) const LOKI: &str = "/loki/api/v1/push";
pub(crate) const WRITE: &str = "/api/v1/write";
pub(crate) const OTLP: &str = "/otlp/v1/";

/// An exporter and the server it sends to.
pub(crate) struct Bench {
    pub(crate) server: CaptureServer,
    pub(crate) exporter: GrafanaExporter,
}

impl Bench {
    /// By the gateway, as Grafana Cloud has it.
    pub(crate) async fn gateway() -> Self {
        Self::with(|config| config).await
    }

    /// Logs by Loki's push API and metrics by remote write.
    pub(crate) async fn direct() -> Self {
        Self::direct_with(|config| config).await
    }

    /// [`Bench::direct`] with what `set` makes of the config.
    pub(crate) async fn direct_with(set: impl FnOnce(GrafanaConfig) -> GrafanaConfig) -> Self {
        let server = CaptureServer::start().await;
        let config = config(&server)
            .with_logs(LogsVia::Loki)
            .with_loki(server.url(), LOKI_USER)
            .with_metrics(MetricsVia::RemoteWrite)
            .with_mimir(format!("{}{WRITE}", server.url()), MIMIR_USER);
        let exporter = GrafanaExporter::new(set(config)).unwrap();
        Self { server, exporter }
    }

    pub(crate) async fn with(set: impl FnOnce(GrafanaConfig) -> GrafanaConfig) -> Self {
        let server = CaptureServer::start().await;
        let exporter = GrafanaExporter::new(set(config(&server))).unwrap();
        Self { server, exporter }
    }

    pub(crate) async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        self.exporter.export(batch).await
    }

    /// The batch as the pipeline hands it over.
    pub(crate) fn input(&self, batch: &Batch) -> Batch {
        let descriptor: &Descriptor = self.exporter.descriptor();
        conformance::input(batch, descriptor)
    }

    /// What of a batch arrives by remote write.
    pub(crate) async fn written(&self, batch: &Batch) -> Vec<WriteRequest> {
        self.export(batch).await.unwrap();
        let requests = self.server.take_requests();
        requests
            .iter()
            .filter(|request| request.path == WRITE)
            .map(|request| prom::decoded(&request.body))
            .collect()
    }

    /// What of a batch arrives by Loki's push API.
    pub(crate) async fn pushed(&self, batch: &Batch) -> Vec<Stream> {
        self.export(batch).await.unwrap();
        self.server.take_requests().iter().flat_map(streams).collect()
    }
}

fn config(server: &CaptureServer) -> GrafanaConfig {
    GrafanaConfig::new(INSTANCE_ID, API_KEY)
        .with_endpoint(format!("{}/otlp", server.url()))
        .with_service_name("obs-test")
        .with_service_instance_id("instance-1")
}

/// A stream as Loki reads it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stream {
    pub(crate) stream: BTreeMap<String, String>,
    pub(crate) values: Vec<Entry>,
}

/// An entry as Loki reads it: the time as text, the line, and pairs of texts alone.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Entry(pub(crate) String, pub(crate) String, pub(crate) BTreeMap<String, String>);

impl Entry {
    pub(crate) fn nanos(&self) -> u64 {
        self.0.parse().unwrap()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Push {
    streams: Vec<Stream>,
}

/// The streams of a request, held to what Loki demands.
pub(crate) fn streams(request: &Captured) -> Vec<Stream> {
    if request.path != LOKI {
        return Vec::new();
    }
    let push: Push = serde_json::from_slice(&request.body).unwrap();
    for Stream { stream, values } in &push.streams {
        assert!(!stream.is_empty() && stream.len() <= 15, "{stream:?}");
        assert!(values.is_sorted_by_key(Entry::nanos), "entries of {stream:?} are not in order");
        for Entry(_, line, pairs) in values {
            assert!(line.len() <= 256 << 10, "a line of {} bytes", line.len());
            let bytes: usize = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
            assert!(bytes <= 64 << 10 && pairs.len() <= 128, "{bytes} bytes in {} pairs", pairs.len());
        }
        for (name, value) in stream {
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{name}");
            assert!(value.len() <= 2_048 && !value.is_empty(), "{name}");
        }
    }
    push.streams
}
