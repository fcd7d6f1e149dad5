//! What a user gives.

use obs_core::suggest::{LANE, error_elsewhere};
use obs_core::units::Bytes;
use obs_core::{Env, Error, Secret};
use obs_http::HttpConfig;
use serde::{Deserialize, Deserializer};

use crate::{LogRowStyle, Region, ScoreSource, env};

/// Where records go and what they become there; both the shape in a file and the builder.
///
/// An unknown field is refused with the nearest name.
///
/// ```
/// use obs_braintrust::{BraintrustConfig, Region};
///
/// let built = BraintrustConfig::new("sk-1").with_project("support").with_region(Region::Eu);
/// let read: BraintrustConfig =
///     serde_json::from_str(r#"{"api_key": "sk-1", "project": "support", "region": "eu"}"#)?;
/// assert_eq!(read, built);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", default)]
#[non_exhaustive]
pub struct BraintrustConfig {
    /// The API key, `sk-…`; required.
    pub api_key: Secret,
    /// The region of the data plane, `us` by default; it counts where no `endpoint` is set.
    pub region: Region,
    /// The project's name; Braintrust makes the project where there is none of that name. `obs` by default, so that a key
    /// is enough to see something, and nothing is mixed into a project that is there already.
    pub project: String,
    /// The project's id in place of its name, a UUID.
    pub project_id: Option<String>,
    /// The experiment that everything goes to in place of a project's logs, a UUID.
    pub experiment_id: Option<String>,
    /// The organisation's name, for keys of several ones and for addresses of traces.
    pub org_name: Option<String>,
    /// The address of the application, for addresses of traces and for `resolve_api_url`;
    /// `https://www.braintrust.dev` by default.
    pub app_url: String,
    /// Whether to ask the application for the organisation's data plane, where no `endpoint` is set; off by default,
    /// because it costs a request to another host, and the region says the same for all but self-hosted data planes.
    pub resolve_api_url: bool,
    /// Whether a span is shown from its start on; on by default, because Braintrust merges the two rows into one and a
    /// long run is then seen while it runs. Off, each span is written once, at its end, which halves the requests.
    pub post_on_start: bool,
    /// What logs become, `log_row` by default.
    pub log_row_style: LogRowStyle,
    /// Where scores are said to come from; `api` by default, because scorers are programs, where Braintrust's own default
    /// is `external`.
    pub score_source: ScoreSource,
    /// What stands before the kind of a feedback in the name of its score; nothing by default, because Braintrust names
    /// feedback by its type.
    pub feedback_prefix: String,
    /// The most bytes that the data plane takes in one request, `6MiB` by default as Braintrust's own clients have it;
    /// requests of several rows are kept to half of it.
    pub max_request_size: Bytes,
    /// The name of the environment that the program runs in, for the rows' origin.
    pub environment_name: Option<String>,
    /// The kind of that environment, such as `server` or `ci`.
    pub environment_type: Option<String>,
    /// Where requests go and how.
    #[serde(flatten)]
    pub http: HttpConfig,
}

impl Default for BraintrustConfig {
    fn default() -> Self {
        Self {
            api_key: Secret::new(""),
            region: Region::Us,
            project: "obs".to_owned(),
            project_id: None,
            experiment_id: None,
            org_name: None,
            app_url: "https://www.braintrust.dev".to_owned(),
            resolve_api_url: false,
            post_on_start: true,
            log_row_style: LogRowStyle::LogRow,
            score_source: ScoreSource::Api,
            feedback_prefix: String::new(),
            max_request_size: Bytes::new(6 << 20),
            environment_name: None,
            environment_type: None,
            http: HttpConfig::default(),
        }
    }
}

/// The name of the key in messages.
pub(crate) const KEY: &str = "`api_key` (BRAINTRUST_API_KEY)";

impl BraintrustConfig {
    /// The names of this struct's own options.
    const OWN: &[&str] = &[
        "api_key",
        "region",
        "project",
        "project_id",
        "experiment_id",
        "org_name",
        "app_url",
        "resolve_api_url",
        "post_on_start",
        "log_row_style",
        "score_source",
        "feedback_prefix",
        "max_request_size",
        "environment_name",
        "environment_type",
    ];

    /// Sends with this key to the project `obs`, in the United States.
    pub fn new(api_key: impl Into<Secret>) -> Self {
        Self { api_key: api_key.into(), ..Self::default() }
    }

    /// Reads `BRAINTRUST_API_KEY`, and where they are set `BRAINTRUST_API_URL` (or `BRAINTRUST_ENDPOINT`),
    /// `BRAINTRUST_APP_URL`, `BRAINTRUST_ORG_NAME`, `BRAINTRUST_PARENT` (`project_name:…`, `project_id:…` or
    /// `experiment_id:…`; then `BRAINTRUST_DEFAULT_PROJECT_ID`, then `BRAINTRUST_DEFAULT_PROJECT_NAME`),
    /// `BRAINTRUST_HTTP_TIMEOUT` in seconds, `BRAINTRUST_MAX_REQUEST_SIZE` in bytes, `BRAINTRUST_ENVIRONMENT_NAME` and
    /// `BRAINTRUST_ENVIRONMENT_TYPE`.
    ///
    /// # Errors
    /// A configuration error that names the variable: a key that is not set, or a value that cannot be read.
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
        env::read(env)
    }

    /// Sets the region of the data plane.
    #[must_use]
    pub fn with_region(self, region: Region) -> Self {
        Self { region, ..self }
    }

    /// Sends to a data plane of your own.
    #[must_use]
    pub fn with_endpoint(self, endpoint: impl Into<String>) -> Self {
        Self { http: self.http.with_endpoint(endpoint), ..self }
    }

    /// Sets the project by its name.
    #[must_use]
    pub fn with_project(self, project: impl Into<String>) -> Self {
        Self { project: project.into(), ..self }
    }

    /// Sets the project by its id.
    #[must_use]
    pub fn with_project_id(self, project_id: impl Into<String>) -> Self {
        Self { project_id: Some(project_id.into()), ..self }
    }

    /// Sends everything to an experiment.
    #[must_use]
    pub fn with_experiment_id(self, experiment_id: impl Into<String>) -> Self {
        Self { experiment_id: Some(experiment_id.into()), ..self }
    }

    /// Sets the organisation's name.
    #[must_use]
    pub fn with_org_name(self, org_name: impl Into<String>) -> Self {
        Self { org_name: Some(org_name.into()), ..self }
    }

    /// Sets the address of the application.
    #[must_use]
    pub fn with_app_url(self, app_url: impl Into<String>) -> Self {
        Self { app_url: app_url.into(), ..self }
    }

    /// Sets whether to ask the application for the organisation's data plane.
    #[must_use]
    pub fn with_resolve_api_url(self, resolve_api_url: bool) -> Self {
        Self { resolve_api_url, ..self }
    }

    /// Sets whether a span is shown from its start on.
    #[must_use]
    pub fn with_post_on_start(self, post_on_start: bool) -> Self {
        Self { post_on_start, ..self }
    }

    /// Sets what logs become.
    #[must_use]
    pub fn with_log_row_style(self, log_row_style: LogRowStyle) -> Self {
        Self { log_row_style, ..self }
    }

    /// Sets where scores are said to come from.
    #[must_use]
    pub fn with_score_source(self, score_source: ScoreSource) -> Self {
        Self { score_source, ..self }
    }

    /// Sets what stands before the kind of a feedback in the name of its score.
    #[must_use]
    pub fn with_feedback_prefix(self, prefix: impl Into<String>) -> Self {
        Self { feedback_prefix: prefix.into(), ..self }
    }

    /// Sets the most bytes that the data plane takes in one request.
    #[must_use]
    pub fn with_max_request_size(self, max_request_size: impl Into<Bytes>) -> Self {
        Self { max_request_size: max_request_size.into(), ..self }
    }

    /// Sets the name of the environment that the program runs in.
    #[must_use]
    pub fn with_environment_name(self, name: impl Into<String>) -> Self {
        Self { environment_name: Some(name.into()), ..self }
    }

    /// Sets the kind of that environment.
    #[must_use]
    pub fn with_environment_type(self, kind: impl Into<String>) -> Self {
        Self { environment_type: Some(kind.into()), ..self }
    }

    /// Sets where requests go and how.
    #[must_use]
    pub fn with_http(self, http: HttpConfig) -> Self {
        Self { http, ..self }
    }
}

impl<'de> Deserialize<'de> for BraintrustConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(HttpConfig::beside(Self::OWN, deserializer))
            .map_err(|error| error_elsewhere(error, ELSEWHERE))
    }
}

/// What other clients of Braintrust call an option, and what to do instead.
const ELSEWHERE: &[(&str, &str)] = &[
    ("token", "write `api_key` instead"),
    ("api_url", "write `endpoint` instead"),
    ("project_name", "write `project` instead"),
    ("braintrust_logger", "there is no other logger here; the options say where records go"),
    ("tuning_parameters", "sampling and batching belong to the pipeline"),
    ("batch_size", LANE),
    ("flush_interval", LANE),
    ("flush_interval_seconds", LANE),
    ("max_retries", LANE),
    ("queue_size", LANE),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_other_clients_are_answered_with_ours() {
        for (option, instead) in [("project_name", "`project`"), ("flush_interval_seconds", "the lane")] {
            let json = format!(r#"{{"api_key": "sk-1", "{option}": 30}}"#);
            let error = serde_json::from_str::<BraintrustConfig>(&json).unwrap_err().to_string();
            assert!(error.contains(option) && error.contains(instead), "{error}");
        }
        let nearest = serde_json::from_str::<BraintrustConfig>(r#"{"log_row_stile": "log_row"}"#);
        assert!(nearest.unwrap_err().to_string().contains("did you mean `log_row_style`?"));
    }

    #[test]
    fn law_6_the_key_is_not_shown() {
        assert!(!format!("{:?}", BraintrustConfig::new("sk-planted")).contains("planted"));
    }
}
