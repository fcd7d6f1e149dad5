//! Servers that answer as the vendors do, and remember what they were asked.

use anyhow::Result;
use obs_core::Env;
use obs_pipeline::DestinationSpec;
use obs_testkit::{Answer, CaptureServer, Captured};
use serde_json::{Value, json};

use crate::live;
use crate::platform::Platform;
use crate::platform::braintrust::Braintrust;
use crate::platform::langfuse::Langfuse;
use crate::platform::langsmith::Langsmith;

/// A platform and the server that stands in for it.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) platform: &'static dyn Platform,
    pub(crate) server: CaptureServer,
    variables: Vec<(&'static str, String)>,
}

impl Stage {
    /// The exporter, configured by the vendor's variables.
    pub(crate) fn destination(&self) -> Result<DestinationSpec> {
        live::destination(self.platform.name(), self.env())
    }

    /// The vendor's variables, which lead to the server.
    pub(crate) fn env(&self) -> Env {
        Env::of(self.variables.clone())
    }
}

/// The id of the project at those platforms that have one.
pub(crate) const PROJECT: &str = "019c0000-0000-7000-8000-000000000001";

type Answers = fn(&Captured) -> Option<Answer>;

/// Each platform, how it answers, and the variables that lead to it.
const STAGES: [(&dyn Platform, Answers, &[&str], &str); 3] = [
    (&Langfuse, langfuse, &["LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"], "LANGFUSE_BASE_URL"),
    (&Braintrust, braintrust, &["BRAINTRUST_API_KEY"], "BRAINTRUST_API_URL"),
    (&Langsmith, langsmith, &["LANGSMITH_API_KEY"], "LANGSMITH_ENDPOINT"),
];

/// One server for each platform; what it does not know it answers with 404.
pub(crate) async fn start() -> Result<Vec<Stage>> {
    let mut stages = Vec::new();
    for (platform, answers, keys, address) in STAGES {
        let server = CaptureServer::start().await;
        server.answer_always(Answer::status(404));
        server.answer_with(answers);
        let mut variables: Vec<_> = keys.iter().map(|key| (*key, "key-of-nobody".to_owned())).collect();
        variables.push((address, server.url()));
        stages.push(Stage { platform, server, variables });
    }
    Ok(stages)
}

fn langfuse(request: &Captured) -> Option<Answer> {
    match asked(request) {
        ("POST", "/api/public/otel/v1/traces") => Some(Answer::json(&json!({}))),
        ("POST", "/api/public/scores") => Some(Answer::json(&json!({ "id": request.json()?["id"] }))),
        ("GET", "/api/public/projects") => {
            Some(Answer::json(&json!({ "data": [{ "id": PROJECT, "name": "p" }] })))
        }
        _ => None,
    }
}

fn braintrust(request: &Captured) -> Option<Answer> {
    match asked(request) {
        ("POST", "/v1/project") => {
            let name = request.json()?["name"].clone();
            Some(Answer::json(&json!({ "id": PROJECT, "org_id": PROJECT, "name": name })))
        }
        ("POST", path) => match path.strip_prefix(&format!("/v1/project_logs/{PROJECT}/"))? {
            "insert" => {
                let body = request.json()?;
                let ids: Vec<_> = body["events"].as_array()?.iter().map(|row| row["id"].clone()).collect();
                Some(Answer::json(&json!({ "row_ids": ids })))
            }
            "feedback" => Some(Answer::json(&json!({ "status": "success" }))),
            _ => None,
        },
        _ => None,
    }
}

fn langsmith(request: &Captured) -> Option<Answer> {
    match asked(request) {
        ("GET", "/info") => Some(Answer::json(&info())),
        ("GET", "/sessions") => {
            Some(Answer::json(&json!([{ "id": PROJECT, "tenant_id": PROJECT, "name": "default" }])))
        }
        ("POST", "/runs/multipart" | "/runs/batch") => Some(Answer::status(202).with_json(&json!({}))),
        ("POST", "/feedback") => Some(Answer::json(&request.json()?)),
        _ => None,
    }
}

fn info() -> Value {
    json!({
        "version": "0.16.2",
        "batch_ingest_config": {
            "use_multipart_endpoint": true, "scale_up_qsize_trigger": 1000, "scale_up_nthreads_limit": 16,
            "scale_down_nempty_trigger": 4, "size_limit": 100, "size_limit_bytes": 20_971_520,
        },
        "instance_flags": { "gzip_body_enabled": true, "zstd_compression_enabled": true },
    })
}

fn asked(request: &Captured) -> (&str, &str) {
    (request.method.as_str(), request.path.as_str())
}
