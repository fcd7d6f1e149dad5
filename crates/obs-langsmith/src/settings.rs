//! What the parts of the exporter take from the config.

use std::collections::BTreeMap;

use obs_core::Error;
use obs_http::{Auth, Compression, HttpConfig};
use uuid::Uuid;

use crate::config::FeedbackTransport;
use crate::endpoint::app_of;
use crate::payloads::Hidden;
use crate::{LangsmithConfig, Region, RunIds};

impl LangsmithConfig {
    /// The HTTP options with the key, the workspace and the endpoint in them.
    pub(crate) fn client_config(&self) -> Result<HttpConfig, Error> {
        if self.api_key.expose().trim().is_empty() {
            return Err(Error::config("api_key", "not set; set it, or the variable LANGSMITH_API_KEY"));
        }
        if self.project.trim().is_empty() {
            return Err(Error::config(
                "project",
                "empty; set the project's name, or leave it out for `default`",
            ));
        }
        if self.http.auth != Auth::None {
            return Err(Error::config("auth", "LangSmith takes an API key; set it as `api_key`"));
        }
        let elsewhere = !self.http.endpoint.is_empty() && !self.region.is_at(&self.http.endpoint);
        if self.region != Region::Us && elsewhere {
            return Err(Error::config("region", "`endpoint` is set, too; remove one of them"));
        }
        let number =
            self.categories.iter().flat_map(|(score, words)| words.iter().map(move |word| (score, word)));
        if let Some((score, (word, _))) = number.into_iter().find(|(_, (_, number))| !number.is_finite()) {
            let message =
                format!("the number of `{word}` of `{score}` is none that JSON has; set a finite one");
            return Err(Error::config("categories", message));
        }
        let http = self.http.clone().with_auth(Auth::header("x-api-key", self.api_key.clone()));
        let http = http.with_default_endpoint(self.region.endpoint());
        let known = http.headers.keys().any(|name| name.eq_ignore_ascii_case("x-tenant-id"));
        Ok(match &self.workspace_id {
            Some(workspace) if !known => http.with_header("X-Tenant-Id", workspace.clone()),
            _ => http,
        })
    }
}

/// What mapping needs of the config: nothing secret.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) project: String,
    pub(crate) project_id: Option<Uuid>,
    pub(crate) workspace_id: Option<String>,
    /// Where the pages are.
    pub(crate) app: Option<String>,
    pub(crate) run_ids: RunIds,
    pub(crate) post_on_start: bool,
    pub(crate) hidden: Hidden,
    pub(crate) feedback_transport: FeedbackTransport,
    pub(crate) feedback_prefix: String,
    pub(crate) feedback_config: bool,
    pub(crate) extend_trace_retention: Option<bool>,
    pub(crate) categories: BTreeMap<String, BTreeMap<String, f64>>,
    /// What the user says; else the server does.
    pub(crate) compression: Option<Compression>,
}

impl Settings {
    pub(crate) fn of(config: LangsmithConfig, endpoint: &str) -> Self {
        let app = config.app_url.map(|app| app.trim_end_matches('/').to_owned());
        Self {
            project: config.project,
            project_id: config.project_id,
            app: app.or_else(|| app_of(endpoint)),
            workspace_id: config.workspace_id,
            run_ids: config.run_ids,
            post_on_start: config.post_on_start,
            hidden: Hidden { inputs: config.hide_inputs, outputs: config.hide_outputs },
            feedback_transport: config.feedback_transport,
            feedback_prefix: config.feedback_prefix,
            feedback_config: config.feedback_config,
            extend_trace_retention: config.extend_trace_retention,
            categories: config.categories,
            compression: config.http.compression,
        }
    }
}
