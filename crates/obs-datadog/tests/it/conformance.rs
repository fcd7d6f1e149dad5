//! The contract, as the testkit has it, for three ways that traces can take.

use std::sync::Arc;

use async_trait::async_trait;
use obs_core::{Batch, Descriptor, Exporter, Metric, MetricValue, Signal};
use obs_datadog::{DESCRIPTOR, DatadogConfig, DatadogExporter};
use obs_testkit::conformance::{ConfigCheck, Harness, Observed, Setup};
use obs_testkit::{CaptureServer, fixtures};
use serde_json::{Value, json};

use crate::otlp;
use crate::server::{self, APP_KEY, KEY, OTLP};

/// What a harness has: the exporter, and the server it sends to.
struct Parts {
    server: CaptureServer,
    exporter: Arc<DatadogExporter>,
}

impl Parts {
    async fn of(config: impl FnOnce(&CaptureServer) -> DatadogConfig) -> Self {
        let server = server::start().await;
        let exporter = Arc::new(server::exporter_of(config(&server)));
        Self { server, exporter }
    }

    fn observe(&self) -> Observed {
        let mut observed = Observed::default();
        for request in self.server.requests() {
            if request.method == "GET" || request.body.is_empty() {
                continue;
            }
            observed.writes += 1;
            observed.bytes.extend_from_slice(&request.body);
            if request.path == OTLP {
                observed.records[Signal::Traces.index()] += otlp::spans(&request).len();
                continue;
            }
            let body = server::body(&request);
            let listed = |list: &Value| list.as_array().map_or(0, Vec::len);
            observed.records[Signal::Traces.index()] += server::spans(&request).len();
            observed.records[Signal::Metrics.index()] +=
                body["series"].as_array().into_iter().flatten().map(records_of_point).sum::<usize>();
            if request.path == "/api/v2/logs" {
                observed.records[Signal::Logs.index()] += listed(&body);
            }
            for evaluation in server::evaluations(&request) {
                let is_feedback = evaluation["event_kind"] == "feedback";
                let signal = if is_feedback { Signal::Feedback } else { Signal::Scores };
                observed.records[signal.index()] += 1;
            }
        }
        observed
    }
}

/// For how many records a point stands: gauges of one series within one second are one point, and the fixtures have some.
fn records_of_point(series: &Value) -> usize {
    let Batch::Metrics(metrics) = fixtures::nasty(Signal::Metrics) else { unreachable!() };
    let same = |metric: &&Metric| {
        let is_number = matches!(metric.value, MetricValue::Gauge(value) if value.is_finite());
        is_number && metric.labels.iter().next().is_none() && series["metric"] == metric.name.as_str()
    };
    metrics.iter().filter(same).count().max(1)
}

fn full() -> Value {
    json!({
        "api_key": KEY,
        "app_key": APP_KEY,
        "site": "datadoghq.eu",
        "mode": "otlp_intake",
        "ml_app": "support",
        "agent_url": "http://localhost:8126",
        "otlp_endpoint": "https://otlp.example.com",
        "otlp_source": "llmobs",
        "logs_endpoint": "https://logs.example.com",
        "service": "chat",
        "env": "staging",
        "version": "1.2.3",
        "hostname": "host-1",
        "tags": ["team:platform"],
        "tag_keys": ["tier"],
        "apm_config": {"service": "chat", "env": "staging", "version": "1.2.3"},
        "metrics_config": {"namespace": "acme", "tags": ["team:platform"]},
        "custom_metrics": {
            "rate": {"metric_name": "acme.rate", "metric_type": "rate", "source_field": "per_second"}
        },
        "ddsource": "rust",
        "trace_id_format": "dec64",
        "official_client": false,
        "timeout": "3s",
    })
}

macro_rules! harness {
    ($name:ident, $config:expr) => {
        struct $name(Parts);

        #[async_trait]
        impl Harness for $name {
            fn descriptor() -> Descriptor {
                DESCRIPTOR
            }

            fn config() -> Option<ConfigCheck> {
                Some(ConfigCheck::of::<DatadogConfig>(full()))
            }

            async fn start(_: Setup) -> Self {
                Self(Parts::of($config).await)
            }

            fn exporter(&self) -> Arc<dyn Exporter> {
                self.0.exporter.clone()
            }

            async fn observe(&self) -> Observed {
                self.0.observe()
            }

            fn secrets(&self) -> Vec<String> {
                vec![KEY.to_owned(), APP_KEY.to_owned()]
            }
        }
    };
}

mod llmobs {
    use super::*;

    harness!(Llmobs, server::config);
    obs_testkit::conformance!(Llmobs);
}

mod agent {
    use super::*;

    harness!(Agent, |server| server::config(server).with_agent_url(server.url()));
    obs_testkit::conformance!(Agent);
}

mod otlp_agent {
    use super::*;

    harness!(OtlpAgent, server::otlp_agent);
    obs_testkit::conformance!(OtlpAgent);
}
