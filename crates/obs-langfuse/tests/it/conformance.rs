//! The contract, as the testkit has it, for both ways that observations can take.

use std::sync::Arc;

use async_trait::async_trait;
use obs_core::{Descriptor, Exporter, Signal};
use obs_langfuse::{DESCRIPTOR, Ingestion, LangfuseConfig, LangfuseExporter};
use obs_testkit::CaptureServer;
use obs_testkit::conformance::{ConfigCheck, Harness, Observed, Setup};
use serde_json::{Value, json};

use crate::support::{Bench, INGESTION, PUBLIC_KEY, SCORES, SECRET_KEY, decoded, events, is_feedback};

/// What a harness has: the exporter, and the server it sends to.
struct Parts {
    server: CaptureServer,
    exporter: Arc<LangfuseExporter>,
}

impl Parts {
    async fn start(setup: Setup, ingestion: Ingestion) -> Self {
        let arrays = setup == Setup::Everything;
        let Bench { server, exporter } =
            Bench::with(|config| config.with_ingestion(ingestion).with_score_batch(arrays)).await;
        Self { server, exporter: Arc::new(exporter) }
    }

    fn observe(&self) -> Observed {
        let mut observed = Observed::default();
        for request in self.server.requests() {
            observed.writes += 1;
            observed.bytes.extend_from_slice(&request.body);
            match &*request.path {
                SCORES => match request.json().unwrap() {
                    Value::Array(scores) => {
                        for score in &scores {
                            observed.records[judged(score)] += 1;
                        }
                    }
                    score => observed.records[judged(&score)] += 1,
                },
                INGESTION => {
                    for event in events(&request.body) {
                        match &*event.kind {
                            "trace-create" => {}
                            "event-create" => observed.records[Signal::Logs.index()] += 1,
                            "score-create" => observed.records[judged(&event.body())] += 1,
                            _ => observed.records[Signal::Traces.index()] += 1,
                        }
                    }
                }
                _ => {
                    for span in decoded(&request.body) {
                        let signal = if span.is_log() { Signal::Logs } else { Signal::Traces };
                        observed.records[signal.index()] += 1;
                    }
                }
            }
        }
        observed
    }
}

fn judged(score: &Value) -> usize {
    if is_feedback(score) { Signal::Feedback.index() } else { Signal::Scores.index() }
}

macro_rules! harness {
    ($name:ident, $ingestion:expr) => {
        struct $name(Parts);

        #[async_trait]
        impl Harness for $name {
            fn descriptor() -> Descriptor {
                DESCRIPTOR
            }

            fn config() -> Option<ConfigCheck> {
                Some(ConfigCheck::of::<LangfuseConfig>(json!({
                    "public_key": PUBLIC_KEY,
                    "secret_key": SECRET_KEY,
                    "region": "us",
                    "log_name": "log",
                    "logs_without_trace": "own_trace",
                    "feedback_prefix": "feedback_",
                    "score_batch": true,
                    "score_concurrency": 4,
                    "scores_per_minute": 30,
                    "max_request_size": "4MiB",
                })))
            }

            async fn start(setup: Setup) -> Self {
                Self(Parts::start(setup, $ingestion).await)
            }

            fn exporter(&self) -> Arc<dyn Exporter> {
                self.0.exporter.clone()
            }

            async fn observe(&self) -> Observed {
                self.0.observe()
            }

            fn secrets(&self) -> Vec<String> {
                vec![PUBLIC_KEY.to_owned(), SECRET_KEY.to_owned()]
            }
        }
    };
}

mod otlp {
    use super::*;

    harness!(Otlp, Ingestion::Otlp);
    obs_testkit::conformance!(Otlp);
}

mod legacy {
    use super::*;

    harness!(Legacy, Ingestion::Legacy);
    obs_testkit::conformance!(Legacy);
}
