//! The contract, as the testkit has it, for both ways that metrics can take.

use std::sync::Arc;

use async_trait::async_trait;
use obs_core::{Descriptor, Exporter, Signal};
use obs_newrelic::{DESCRIPTOR, NewRelicConfig, NewRelicExporter};
use obs_testkit::CaptureServer;
use obs_testkit::conformance::{ConfigCheck, Harness, Observed, Setup};
use serde_json::json;

use crate::otlp;
use crate::support::{Bench, KEY, events, points};

/// What a harness has: the exporter, and the server it sends to.
struct Parts {
    server: CaptureServer,
    exporter: Arc<NewRelicExporter>,
}

impl Parts {
    fn of(Bench { server, exporter }: Bench) -> Self {
        Self { server, exporter: Arc::new(exporter) }
    }

    fn observe(&self) -> Observed {
        let mut observed = Observed::default();
        for request in self.server.requests() {
            observed.writes += 1;
            observed.bytes.extend_from_slice(&request.body);
            if let Some((signal, count)) = otlp::count(&request) {
                observed.records[signal.index()] += count;
            }
            observed.records[Signal::Metrics.index()] += points(&request).len();
            for event in events(&request) {
                match event["eventType"].as_str().unwrap() {
                    "LlmEvaluation" => observed.records[Signal::Scores.index()] += 1,
                    "LlmFeedbackMessage" => observed.records[Signal::Feedback.index()] += 1,
                    // Events of one's own are beside what is counted.
                    _ => {}
                }
            }
        }
        observed
    }
}

macro_rules! harness {
    ($name:ident, $everything:expr) => {
        struct $name(Parts);

        #[async_trait]
        impl Harness for $name {
            fn descriptor() -> Descriptor {
                DESCRIPTOR
            }

            fn config() -> Option<ConfigCheck> {
                Some(ConfigCheck::of::<NewRelicConfig>(json!({
                    "license_key": KEY,
                    "account_id": "1234567",
                    "region": "US",
                    "metrics_api": "metric",
                    "metrics_api_url": "https://metric-api.newrelic.com/metric/v1",
                    "events_api_url": "https://insights-collector.newrelic.com/v1/accounts/{account_id}/events",
                    "event_types": {"ProfileTrace": {"attributes": ["function_name"]}},
                    "score_event_type": "Score",
                    "feedback_event_type": "Feedback",
                    "common_attributes": {"environment": "production"},
                    "histograms": "explicit_bucket_histogram",
                    "conventions": "gen_ai",
                    "service_name": "shop",
                    "service_instance_id": "i-1",
                    "max_request_size": "1MB",
                })))
            }

            async fn start(setup: Setup) -> Self {
                Self(Parts::of(match setup {
                    Setup::Defaults => Bench::alone().await,
                    Setup::Everything => $everything.await,
                }))
            }

            fn exporter(&self) -> Arc<dyn Exporter> {
                self.0.exporter.clone()
            }

            async fn observe(&self) -> Observed {
                self.0.observe()
            }

            fn secrets(&self) -> Vec<String> {
                vec![KEY.to_owned()]
            }
        }
    };
}

mod by_otlp {
    use super::*;

    harness!(
        ByOtlp,
        Bench::with(|config| config
            .with_event_type("Custom", ["order", "requests.total", "latency.explicit", "temperature"]))
    );
    obs_testkit::conformance!(ByOtlp);
}

mod by_metric_api {
    use super::*;

    harness!(ByMetricApi, Bench::native());
    obs_testkit::conformance!(ByMetricApi);
}
