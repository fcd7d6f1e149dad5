//! The contract, as the testkit has it, over both ways of sending.

use std::sync::Arc;

use async_trait::async_trait;
use obs_core::{Descriptor, Exporter, Signal};
use obs_langsmith::{DESCRIPTOR, LangsmithConfig, LangsmithExporter};
use obs_testkit::CaptureServer;
use obs_testkit::conformance::{ConfigCheck, Harness, Observed, Setup};
use serde_json::json;

use super::bench;

/// A header of the user's own.
const HEADER: &str = "gateway-secret-0123456789";

/// What tells feedback from scores, which are the same at LangSmith.
const PREFIX: &str = "said_";

struct Bench {
    server: CaptureServer,
    exporter: Arc<LangsmithExporter>,
}

impl Bench {
    fn of(server: CaptureServer) -> Self {
        let mut config = bench::config(&server);
        config.http = config.http.with_header("x-gateway", HEADER);
        config.feedback_prefix = PREFIX.into();
        Self { exporter: Arc::new(LangsmithExporter::new(config).unwrap()), server }
    }

    fn observe(&self) -> Observed {
        let requests = self.server.requests();
        let mut records = [0; Signal::COUNT];
        for sent in bench::sent(&requests) {
            let signal = match sent.verb.as_str() {
                "feedback" if sent.json["key"].as_str().unwrap().starts_with(PREFIX) => Signal::Feedback,
                "feedback" => Signal::Scores,
                _ => Signal::Traces,
            };
            records[signal.index()] += 1;
        }
        let bytes = requests.iter().flat_map(|request| request.body.clone()).collect();
        Observed { records, writes: requests.len(), bytes }
    }
}

macro_rules! harness {
    ($name:ident, $server:path) => {
        struct $name(Bench);

        #[async_trait]
        impl Harness for $name {
            fn descriptor() -> Descriptor {
                DESCRIPTOR
            }

            fn config() -> Option<ConfigCheck> {
                Some(ConfigCheck::of::<LangsmithConfig>(json!({
                    "api_key": bench::KEY, "region": "eu", "project": "support", "run_ids": "trace_root",
                    "post_on_start": true, "hide_inputs": true, "feedback_transport": "single",
                    "project_id": bench::PROJECT, "timeout": "3s", "categories": {"quality": {"good": 1.0}},
                })))
            }

            async fn start(_: Setup) -> Self {
                Self(Bench::of($server().await))
            }

            fn exporter(&self) -> Arc<dyn Exporter> {
                self.0.exporter.clone()
            }

            async fn observe(&self) -> Observed {
                self.0.observe()
            }

            fn secrets(&self) -> Vec<String> {
                vec![bench::KEY.into(), HEADER.into()]
            }
        }
    };
}

mod multipart {
    use super::*;

    harness!(Multipart, bench::server);
    obs_testkit::conformance!(Multipart);
}

mod batch {
    use super::*;

    harness!(Batch, bench::old_server);
    obs_testkit::conformance!(Batch);
}
