//! What a user gives.

use std::collections::BTreeMap;

use obs_core::{Env, Error, Secret};
use obs_http::{Auth, Compression, HttpConfig};
use serde::{Deserialize, Deserializer};
use uuid::Uuid;

use crate::endpoint::web_of;
use crate::payloads::Hidden;
use crate::{Region, RunIds};

/// Where the user sets the key, for messages.
pub(crate) const KEY: &str = "`api_key` (LANGSMITH_API_KEY)";

/// How runs, scores and feedback go to LangSmith; both the shape in a file and the builder.
///
/// The options of [`HttpConfig`] stand beside these, and an unknown one is refused with the nearest name.
/// Batching, sampling and retrying are options of the destination's lane, not of this exporter.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(remote = "Self", default)]
#[non_exhaustive]
pub struct LangsmithConfig {
    /// The API key of LangSmith; required.
    pub api_key: Secret,
    /// Which of LangSmith's installations has the account; `us` by default, and `endpoint` wins.
    pub region: Region,
    /// The project that runs go to; `default` by default, as LangSmith has it. The first run makes it.
    pub project: String,
    /// The project's id, where it is known: feedback needs it, and else asks for it once by the project's name.
    pub project_id: Option<Uuid>,
    /// The workspace's id, which a key of a whole organisation needs.
    pub workspace_id: Option<String>,
    /// Where the pages of a self-hosted LangSmith are, for `trace_url`; by default what stands before `/api` in
    /// `endpoint`.
    pub web_url: Option<String>,
    /// How ids of runs follow from ids of spans; `otel_padded` by default, LangSmith's own rule for spans that come by
    /// OTLP.
    pub run_ids: RunIds,
    /// Whether a run is sent when it starts, and once more when it ends.
    ///
    /// Off by default: LangSmith counts each as an event of its hourly limits, and a run that is sent once is whole
    /// whatever becomes of the process in between. On, runs can be watched while they are under way.
    pub post_on_start: bool,
    /// Whether inputs stay here, instructions and queries too; off by default.
    pub hide_inputs: bool,
    /// Whether outputs stay here, decisions and retrieved documents too; off by default.
    pub hide_outputs: bool,
    /// How scores and feedback travel.
    pub feedback_transport: FeedbackTransport,
    /// What stands before the kind of a person's feedback in its key, such as `feedback_`; nothing by default.
    pub feedback_prefix: String,
    /// Whether feedback tells what the values of its key can be; on by default. The first one of a key defines it.
    pub feedback_config: bool,
    /// Whether feedback makes LangSmith keep the trace for longer, which costs; by default what the account says.
    pub extend_trace_retention: Option<bool>,
    /// The numbers of words, by the name of the score and then by the word: `{"quality": {"good": 1, "bad": 0}}`.
    /// A word without a number is shown, and neither compared nor averaged.
    pub categories: BTreeMap<String, BTreeMap<String, f64>>,
    /// Endpoint, timeouts, compression, proxy and the like. Without `compression` it follows what the server says it
    /// takes.
    #[serde(flatten)]
    pub http: HttpConfig,
}

/// How scores and feedback travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedbackTransport {
    /// As parts of multipart bodies where the trace's root is known and the server takes them, else one request each.
    /// The default.
    #[default]
    Auto,
    /// As parts wherever the trace's root is known, whatever the server says.
    Multipart,
    /// One request each, for servers older than 0.8.10: they take no parts of feedback.
    Single,
}

impl Default for LangsmithConfig {
    fn default() -> Self {
        Self {
            api_key: Secret::new(""),
            region: Region::Us,
            project: "default".to_owned(),
            project_id: None,
            workspace_id: None,
            web_url: None,
            run_ids: RunIds::OtelPadded,
            post_on_start: false,
            hide_inputs: false,
            hide_outputs: false,
            feedback_transport: FeedbackTransport::Auto,
            feedback_prefix: String::new(),
            feedback_config: true,
            extend_trace_retention: None,
            categories: BTreeMap::new(),
            http: HttpConfig::default(),
        }
    }
}

impl LangsmithConfig {
    /// The names of this struct's own options.
    const OWN: &[&str] = &[
        "api_key",
        "region",
        "project",
        "project_id",
        "workspace_id",
        "web_url",
        "run_ids",
        "post_on_start",
        "hide_inputs",
        "hide_outputs",
        "feedback_transport",
        "feedback_prefix",
        "feedback_config",
        "extend_trace_retention",
        "categories",
    ];

    /// Runs, scores and feedback with this key, to the project `default` in the United States.
    pub fn new(api_key: impl Into<Secret>) -> Self {
        Self { api_key: api_key.into(), ..Self::default() }
    }

    /// Sets the installation.
    #[must_use]
    pub fn with_region(self, region: Region) -> Self {
        Self { region, ..self }
    }

    /// Sets the address of a self-hosted LangSmith: `https://HOST/api/v1`.
    #[must_use]
    pub fn with_endpoint(self, endpoint: impl Into<String>) -> Self {
        Self { http: self.http.with_endpoint(endpoint), ..self }
    }

    /// Sets the project.
    #[must_use]
    pub fn with_project(self, project: impl Into<String>) -> Self {
        Self { project: project.into(), ..self }
    }

    /// Sets the workspace's id.
    #[must_use]
    pub fn with_workspace_id(self, workspace_id: impl Into<String>) -> Self {
        Self { workspace_id: Some(workspace_id.into()), ..self }
    }

    /// Sets how ids of runs follow from ids of spans.
    #[must_use]
    pub fn with_run_ids(self, run_ids: RunIds) -> Self {
        Self { run_ids, ..self }
    }

    /// Sets whether a run is sent when it starts, too.
    #[must_use]
    pub fn with_post_on_start(self, post_on_start: bool) -> Self {
        Self { post_on_start, ..self }
    }

    /// Sets how scores and feedback travel.
    #[must_use]
    pub fn with_feedback_transport(self, feedback_transport: FeedbackTransport) -> Self {
        Self { feedback_transport, ..self }
    }

    /// Sets the number of a word of a score.
    #[must_use]
    pub fn with_category(mut self, score: impl Into<String>, word: impl Into<String>, number: f64) -> Self {
        self.categories.entry(score.into()).or_default().insert(word.into(), number);
        self
    }

    /// Sets endpoint, timeouts, compression, proxy and the like.
    #[must_use]
    pub fn with_http(self, http: HttpConfig) -> Self {
        Self { http, ..self }
    }

    /// Reads the variables of LangSmith's SDKs, each as `LANGSMITH_…` and then as `LANGCHAIN_…`: `API_KEY`, `ENDPOINT`,
    /// `PROJECT` and then `SESSION`, `WORKSPACE_ID`, `HIDE_INPUTS`, `HIDE_OUTPUTS`, `DISABLE_RUN_COMPRESSION`.
    ///
    /// # Errors
    /// A configuration error that names the variable that is missing or cannot be read.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_vars(&Env::process())
    }

    /// As [`Self::from_env`], with `PREFIX_` before each variable's name.
    ///
    /// # Errors
    /// As [`Self::from_env`].
    pub fn from_env_prefixed(prefix: &str) -> Result<Self, Error> {
        Self::from_vars(&Env::process().prefixed(prefix))
    }

    /// As [`Self::from_env`], from this environment.
    ///
    /// # Errors
    /// As [`Self::from_env`].
    pub fn from_vars(env: &Env) -> Result<Self, Error> {
        let key = env.required(&["LANGSMITH_API_KEY", "LANGCHAIN_API_KEY"], "an API key of LangSmith")?;
        let mut config = Self::new(key);
        if let Some(endpoint) = env.first(&["LANGSMITH_ENDPOINT", "LANGCHAIN_ENDPOINT"])? {
            config.http.endpoint = endpoint;
        }
        let projects = ["LANGSMITH_PROJECT", "LANGCHAIN_PROJECT", "LANGSMITH_SESSION", "LANGCHAIN_SESSION"];
        if let Some(project) = env.first(&projects)? {
            config.project = project;
        }
        config.workspace_id = env.first(&["LANGSMITH_WORKSPACE_ID", "LANGCHAIN_WORKSPACE_ID"])?;
        config.hide_inputs = switch(env, "HIDE_INPUTS")?;
        config.hide_outputs = switch(env, "HIDE_OUTPUTS")?;
        if switch(env, "DISABLE_RUN_COMPRESSION")? {
            config.http.compression = Some(Compression::None);
        }
        Ok(config)
    }

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

/// A switch under either of its names.
fn switch(env: &Env, name: &str) -> Result<bool, Error> {
    for prefix in ["LANGSMITH", "LANGCHAIN"] {
        if let Some(on) = env.switch(&format!("{prefix}_{name}"))? {
            return Ok(on);
        }
    }
    Ok(false)
}

impl<'de> Deserialize<'de> for LangsmithConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(HttpConfig::beside(Self::OWN, deserializer))
    }
}

/// What mapping needs of the config: nothing secret.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) project: String,
    pub(crate) project_id: Option<Uuid>,
    pub(crate) web: Option<String>,
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
        let web = config.web_url.map(|web| web.trim_end_matches('/').to_owned());
        Self {
            project: config.project,
            project_id: config.project_id,
            web: web.or_else(|| web_of(endpoint)),
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
