//! What a user gives.

use std::collections::BTreeMap;

use obs_core::Secret;
use obs_http::HttpConfig;
use serde::{Deserialize, Deserializer};
use uuid::Uuid;

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
    /// Which of LangSmith's installations has the account; `us` by default.
    /// With an `endpoint` elsewhere it is refused.
    pub region: Region,
    /// The project that runs go to; `default` by default, as LangSmith has it. The first run makes it.
    pub project: String,
    /// The project's id, which wins over its name: runs name it, and feedback, which else asks for it once by the name.
    pub project_id: Option<Uuid>,
    /// The workspace's id, which a key of a whole organisation needs.
    pub workspace_id: Option<String>,
    /// Where the pages of a self-hosted LangSmith are, for `trace_url`; by default what stands before `/api` in
    /// `endpoint`.
    pub app_url: Option<String>,
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
            app_url: None,
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
        "app_url",
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

    /// Sets the project by its id.
    #[must_use]
    pub fn with_project_id(self, project_id: Uuid) -> Self {
        Self { project_id: Some(project_id), ..self }
    }

    /// Sets the workspace's id.
    #[must_use]
    pub fn with_workspace_id(self, workspace_id: impl Into<String>) -> Self {
        Self { workspace_id: Some(workspace_id.into()), ..self }
    }

    /// Sets where the pages are.
    #[must_use]
    pub fn with_app_url(self, app_url: impl Into<String>) -> Self {
        Self { app_url: Some(app_url.into()), ..self }
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

    /// Sets whether inputs stay here.
    #[must_use]
    pub fn with_hide_inputs(self, hide_inputs: bool) -> Self {
        Self { hide_inputs, ..self }
    }

    /// Sets whether outputs stay here.
    #[must_use]
    pub fn with_hide_outputs(self, hide_outputs: bool) -> Self {
        Self { hide_outputs, ..self }
    }

    /// Sets how scores and feedback travel.
    #[must_use]
    pub fn with_feedback_transport(self, feedback_transport: FeedbackTransport) -> Self {
        Self { feedback_transport, ..self }
    }

    /// Sets what stands before the kind of a person's feedback.
    #[must_use]
    pub fn with_feedback_prefix(self, feedback_prefix: impl Into<String>) -> Self {
        Self { feedback_prefix: feedback_prefix.into(), ..self }
    }

    /// Sets whether feedback tells what the values of its key can be.
    #[must_use]
    pub fn with_feedback_config(self, feedback_config: bool) -> Self {
        Self { feedback_config, ..self }
    }

    /// Sets whether feedback makes LangSmith keep the trace for longer.
    #[must_use]
    pub fn with_extend_trace_retention(self, extend_trace_retention: bool) -> Self {
        Self { extend_trace_retention: Some(extend_trace_retention), ..self }
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
}

impl<'de> Deserialize<'de> for LangsmithConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(HttpConfig::beside(Self::OWN, deserializer))
    }
}
