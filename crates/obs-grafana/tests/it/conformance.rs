//! The contract, as the testkit has it, for both ways that metrics and logs can take.

use std::sync::Arc;

use async_trait::async_trait;
use obs_core::{Descriptor, Exporter, Signal};
use obs_grafana::{DESCRIPTOR, GrafanaConfig, GrafanaExporter};
use obs_testkit::CaptureServer;
use obs_testkit::conformance::{ConfigCheck, Harness, Observed, Setup};
use serde_json::json;

use crate::otlp;
use crate::prom;
use crate::support::{API_KEY, Bench, INSTANCE_ID, OTLP, WRITE, streams};

/// What a harness has: the exporter, and the server it sends to.
struct Parts {
    server: CaptureServer,
    exporter: Arc<GrafanaExporter>,
}

impl Parts {
    fn of(Bench { server, exporter }: Bench) -> Self {
        Self { server, exporter: Arc::new(exporter) }
    }

    fn observe(&self) -> Observed {
        let mut observed = Observed::default();
        for request in self.server.requests() {
            observed.writes += 1;
            if request.path == WRITE {
                let written = prom::decoded(&request.body);
                written.assert_valid();
                observed.bytes.extend(written.text().into_bytes());
                observed.records[Signal::Metrics.index()] += written.points();
                continue;
            }
            observed.bytes.extend_from_slice(&request.body);
            for entry in streams(&request).iter().flat_map(|stream| &stream.values) {
                let is = |key: &str, value: &str| entry.2.get(key).is_some_and(|found| found == value);
                let signal = match is("event_name", "gen_ai.evaluation.result") {
                    true if is("obs_evaluation_kind", "feedback") => Signal::Feedback,
                    true => Signal::Scores,
                    false => Signal::Logs,
                };
                observed.records[signal.index()] += 1;
            }
            if request.path.starts_with(OTLP) {
                for (signal, count) in otlp::counts(&request) {
                    observed.records[signal.index()] += count;
                }
            }
        }
        observed
    }
}

macro_rules! harness {
    ($name:ident, $start:ident) => {
        struct $name(Parts);

        #[async_trait]
        impl Harness for $name {
            fn descriptor() -> Descriptor {
                DESCRIPTOR
            }

            fn config() -> Option<ConfigCheck> {
                Some(ConfigCheck::of::<GrafanaConfig>(json!({
                    "zone": "prod-eu-west-2",
                    "instance_id": INSTANCE_ID,
                    "api_key": API_KEY,
                    "logs": "loki",
                    "metrics": "remote_write",
                    "tempo_endpoint": "http://tempo:4318",
                    "tempo_user_id": "1",
                    "mimir_endpoint": "http://mimir:9009",
                    "mimir_user_id": "2",
                    "loki_endpoint": "http://loki:3100",
                    "loki_user_id": "3",
                    "tenant": "team-a",
                    "loki_labels": ["service.name", "level"],
                    "loki_line": "json",
                    "histograms": "base2_exponential_bucket_histogram",
                    "conventions": "gen_ai",
                    "service_name": "chat",
                    "service_namespace": "shop",
                    "service_instance_id": "i-1",
                    "resource_attributes": {"host.name": "h"},
                    "grafana_url": "https://stack.grafana.net",
                    "tempo_datasource": "tempo",
                })))
            }

            async fn start(_: Setup) -> Self {
                Self(Parts::of(Bench::$start().await))
            }

            fn exporter(&self) -> Arc<dyn Exporter> {
                self.0.exporter.clone()
            }

            async fn observe(&self) -> Observed {
                self.0.observe()
            }

            fn secrets(&self) -> Vec<String> {
                vec![API_KEY.to_owned()]
            }
        }
    };
}

mod gateway {
    use super::*;

    harness!(Gateway, gateway);
    obs_testkit::conformance!(Gateway);
}

mod direct {
    use super::*;

    harness!(Direct, direct);
    obs_testkit::conformance!(Direct);
}
