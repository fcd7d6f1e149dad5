//! The contract, as the testkit has it, for both ways of writing over HTTP.

use std::sync::Arc;

use async_trait::async_trait;
use obs_core::{Descriptor, Exporter, Signal};
use obs_otel::{DESCRIPTOR, OtelConfig, OtelExporter, Protocol};
use obs_testkit::CaptureServer;
use obs_testkit::conformance::{ConfigCheck, Harness, Observed, Setup};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use serde_json::json;

use crate::support::{Bench, Sent, TOKEN, attribute, speaking};

/// What a harness has: the exporter, and the server it sends to.
struct Parts {
    server: CaptureServer,
    exporter: Arc<OtelExporter>,
}

impl Parts {
    async fn start(protocol: Protocol) -> Self {
        let Bench { server, exporter } = Bench::with(speaking(protocol)).await;
        Self { server, exporter: Arc::new(exporter) }
    }

    fn observe(&self) -> Observed {
        let mut observed = Observed::default();
        for request in self.server.requests() {
            observed.writes += 1;
            observed.bytes.extend_from_slice(&request.body);
            for (signal, count) in Sent::of(&request).counts() {
                observed.records[signal.index()] += count;
            }
        }
        observed
    }
}

impl Sent {
    /// How many records of each signal it has.
    pub(crate) fn counts(&self) -> Vec<(Signal, usize)> {
        match self {
            Self::Traces(request) => {
                let scopes = request.resource_spans.iter().flat_map(|of| &of.scope_spans);
                vec![(Signal::Traces, scopes.map(|scope| scope.spans.len()).sum())]
            }
            Self::Metrics(request) => {
                let scopes = request.resource_metrics.iter().flat_map(|of| &of.scope_metrics);
                let points = scopes.flat_map(|scope| &scope.metrics).map(|metric| match &metric.data {
                    Some(Data::Gauge(data)) => data.data_points.len(),
                    Some(Data::Sum(data)) => data.data_points.len(),
                    Some(Data::Histogram(data)) => data.data_points.len(),
                    Some(Data::ExponentialHistogram(data)) => data.data_points.len(),
                    other => panic!("obs has no such points: {other:?}"),
                });
                vec![(Signal::Metrics, points.sum())]
            }
            Self::Logs(request) => {
                let scopes = request.resource_logs.iter().flat_map(|of| &of.scope_logs);
                let records = scopes.flat_map(|scope| &scope.log_records);
                records.map(|record| (signal_of(record), 1)).collect()
            }
        }
    }
}

/// What a log record stands for.
fn signal_of(record: &LogRecord) -> Signal {
    match attribute(&record.attributes, "obs.evaluation.kind") {
        Some(_) => Signal::Feedback,
        None if record.event_name == "gen_ai.evaluation.result" => Signal::Scores,
        None => Signal::Logs,
    }
}

macro_rules! harness {
    ($name:ident, $protocol:expr) => {
        struct $name(Parts);

        #[async_trait]
        impl Harness for $name {
            fn descriptor() -> Descriptor {
                DESCRIPTOR
            }

            fn config() -> Option<ConfigCheck> {
                Some(ConfigCheck::of::<OtelConfig>(json!({
                    "endpoint": "http://localhost:4318",
                    "protocol": "http/json",
                    "service_name": "shop",
                    "service_version": "1.0.0",
                    "service_namespace": "prod",
                    "resource_attributes": {"host.name": "web-01", "process.pid": 7},
                    "conventions": "both",
                    "span_name_prefix": "shop",
                    "create_child_spans": true,
                    "temporality": "delta",
                    "metrics": {"endpoint": "http://localhost:4318/v1/metrics", "timeout": "3s"},
                    "max_request_size": "1MiB",
                })))
            }

            async fn start(_: Setup) -> Self {
                Self(Parts::start($protocol).await)
            }

            fn exporter(&self) -> Arc<dyn Exporter> {
                self.0.exporter.clone()
            }

            async fn observe(&self) -> Observed {
                self.0.observe()
            }

            fn secrets(&self) -> Vec<String> {
                vec![TOKEN.to_owned()]
            }
        }
    };
}

mod protobuf {
    use super::*;

    harness!(Protobuf, Protocol::HttpProtobuf);
    obs_testkit::conformance!(Protobuf);
}

mod in_json {
    use super::*;

    harness!(InJson, Protocol::HttpJson);
    obs_testkit::conformance!(InJson);
}
