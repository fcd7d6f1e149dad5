//! What a user gives.

use obs_core::suggest::{LANE, error_elsewhere};
use obs_core::units::Bytes;
use obs_core::{Env, Error, Secret};
use obs_http::HttpConfig;
use serde::{Deserialize, Deserializer};

use crate::env;

/// Where records go; both the shape in a file and the builder.
///
/// An unknown field is refused with the nearest name.
///
/// ```
/// use obs_mastra::MastraConfig;
///
/// let built = MastraConfig::new("token-1").with_project_id("support");
/// let read: MastraConfig =
///     serde_json::from_str(r#"{"access_token": "token-1", "project_id": "support"}"#)?;
/// assert_eq!(read, built);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", default)]
#[non_exhaustive]
pub struct MastraConfig {
    /// The platform's access token; required.
    pub access_token: Secret,
    /// The project that records go to: letters, digits, `-` and `_`. None by default: then it is the one that the token
    /// is for.
    pub project_id: Option<String>,
    /// The most bytes of a request, `4MiB` by default: the platform documents no limit, and this much every backend takes
    /// that obs knows. What it answers with 413 is halved all the same.
    pub max_request_size: Bytes,
    /// Where requests go and how; the endpoint is `https://observability.mastra.ai` by default, or the full address of a
    /// route for spans, which ends in `/spans/publish`.
    #[serde(flatten)]
    pub http: HttpConfig,
}

impl Default for MastraConfig {
    fn default() -> Self {
        Self {
            access_token: Secret::new(""),
            project_id: None,
            max_request_size: Bytes::new(4 << 20),
            http: HttpConfig::default(),
        }
    }
}

/// The name of the token in messages.
pub(crate) const TOKEN: &str = "`access_token` (MASTRA_PLATFORM_ACCESS_TOKEN)";

impl MastraConfig {
    /// The names of this struct's own options.
    const OWN: &[&str] = &["access_token", "project_id", "max_request_size"];

    /// Sends with this token to the platform.
    pub fn new(access_token: impl Into<Secret>) -> Self {
        Self { access_token: access_token.into(), ..Self::default() }
    }

    /// Reads `MASTRA_PLATFORM_ACCESS_TOKEN` (or `MASTRA_CLOUD_ACCESS_TOKEN`), and where they are set `MASTRA_PROJECT_ID`
    /// and `MASTRA_CLOUD_TRACES_ENDPOINT` (or `MASTRA_PLATFORM_OBSERVABILITY_ENDPOINT`): an origin, or the full address of
    /// the route for spans.
    ///
    /// # Errors
    /// A configuration error that names the variable that is not set.
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

    /// Sets the project that records go to.
    #[must_use]
    pub fn with_project_id(self, project_id: impl Into<String>) -> Self {
        Self { project_id: Some(project_id.into()), ..self }
    }

    /// Sends to a collector of your own.
    #[must_use]
    pub fn with_endpoint(self, endpoint: impl Into<String>) -> Self {
        Self { http: self.http.with_endpoint(endpoint), ..self }
    }

    /// Sets the most bytes of a request.
    #[must_use]
    pub fn with_max_request_size(self, max_request_size: impl Into<Bytes>) -> Self {
        Self { max_request_size: max_request_size.into(), ..self }
    }

    /// Sets where requests go and how.
    #[must_use]
    pub fn with_http(self, http: HttpConfig) -> Self {
        Self { http, ..self }
    }
}

impl<'de> Deserialize<'de> for MastraConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(HttpConfig::beside(Self::OWN, deserializer))
            .map_err(|error| error_elsewhere(error, ELSEWHERE))
    }
}

/// What to do where several addresses are given.
const ONE_ENDPOINT: &str =
    "all signals go below one `endpoint`; make an exporter of its own for a signal that goes elsewhere";

/// What Mastra's own exporter calls an option, and what to do instead.
const ELSEWHERE: &[(&str, &str)] = &[
    ("accessToken", "write `access_token` instead"),
    ("projectId", "write `project_id` instead"),
    ("tracesEndpoint", "write `endpoint` instead, which may be a full address that ends in `/spans/publish`"),
    (
        "traces_endpoint",
        "write `endpoint` instead, which may be a full address that ends in `/spans/publish`",
    ),
    ("logsEndpoint", ONE_ENDPOINT),
    ("logs_endpoint", ONE_ENDPOINT),
    ("metricsEndpoint", ONE_ENDPOINT),
    ("metrics_endpoint", ONE_ENDPOINT),
    ("scoresEndpoint", ONE_ENDPOINT),
    ("scores_endpoint", ONE_ENDPOINT),
    ("feedbackEndpoint", ONE_ENDPOINT),
    ("feedback_endpoint", ONE_ENDPOINT),
    ("resolveFromEnv", "the environment is read where the configuration says so, and nowhere else"),
    ("resolve_from_env", "the environment is read where the configuration says so, and nowhere else"),
    ("maxBatchSize", LANE),
    ("max_batch_size", LANE),
    ("maxBatchWaitMs", LANE),
    ("max_batch_wait_ms", LANE),
    ("maxRetries", LANE),
    ("max_retries", LANE),
    ("batch_size", LANE),
    ("flush_interval", LANE),
    ("flush_interval_seconds", LANE),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_mastra_s_exporter_are_answered_with_ours() {
        for (option, instead) in ELSEWHERE {
            let json = format!(r#"{{"access_token": "token-1", "{option}": 30}}"#);
            let error = serde_json::from_str::<MastraConfig>(&json).unwrap_err().to_string();
            assert!(error.contains(option) && error.contains(instead), "{error}");
        }
        let nearest = serde_json::from_str::<MastraConfig>(r#"{"project": "a"}"#).unwrap_err();
        assert!(nearest.to_string().contains("did you mean `project_id`?"), "{nearest}");
    }

    #[test]
    fn law_6_the_token_is_not_shown() {
        assert!(!format!("{:?}", MastraConfig::new("token-planted")).contains("planted"));
    }
}
