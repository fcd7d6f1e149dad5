//! What a user gives.

use obs_core::suggest::{LANE, error_elsewhere};
use obs_core::units::Bytes;
use obs_core::{Env, Error, Secret};
use obs_http::HttpConfig;
use serde::{Deserialize, Deserializer};

use crate::{Region, env};

/// Where records go and what they become there; both the shape in a file and the builder.
///
/// An unknown field is refused with the nearest name.
///
/// ```
/// use obs_langfuse::{LangfuseConfig, Region};
///
/// let built = LangfuseConfig::new("pk-lf-1", "sk-lf-1").with_region(Region::Us).with_environment("staging");
/// let read: LangfuseConfig = serde_json::from_str(
///     r#"{"public_key": "pk-lf-1", "secret_key": "sk-lf-1", "region": "us", "environment": "staging"}"#,
/// )?;
/// assert_eq!(read, built);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", default)]
#[non_exhaustive]
pub struct LangfuseConfig {
    /// The project's public key, `pk-lf-…`; required.
    pub public_key: Secret,
    /// The project's secret key, `sk-lf-…`; required.
    pub secret_key: Secret,
    /// The region of Langfuse Cloud, `eu` by default; it counts where no `endpoint` is set.
    pub region: Region,
    /// The deployment environment of records that name none themselves.
    pub environment: Option<String>,
    /// The release of the application for records that name none themselves.
    pub release: Option<String>,
    /// Which way observations take: `otlp` by default; `legacy` is for self-hosted servers before 3.22, and nothing else
    /// takes it any more.
    pub ingestion: Ingestion,
    /// The path of the OTLP endpoint; Langfuse's own by default, since only a gateway before it has another.
    pub traces_path: String,
    /// The most bytes of a request with spans or logs by OTLP, before compression; `4MiB` by default, and no more takes effect.
    ///
    /// A gateway may take less: nginx takes `1MiB`, after compression, unless it is told otherwise.
    pub max_request_size: Bytes,
    /// What the observations are called that logs become; `log` by default, one name for all, by which Langfuse filters.
    pub log_name: String,
    /// What becomes of a log that was made outside of any trace: `drop` by default, counted as rejected, since such a log
    /// would be a trace of its own, and be billed and listed so.
    pub logs_without_trace: LogsWithoutTrace,
    /// What stands before the kind of a feedback in the name of its score; `feedback_` by default, so that it is told from
    /// scores of the same name.
    pub feedback_prefix: String,
    /// Whether scores go as arrays; off by default, because servers before autumn 2026 take one a request.
    pub score_batch: bool,
    /// How many requests with scores are under way at once, at least 1; 4 by default, since each carries one score.
    pub score_concurrency: usize,
    /// The most requests with scores in a minute; none by default, where the server's refusals and their waits are obeyed.
    pub scores_per_minute: Option<u32>,
    /// Where requests go and how.
    #[serde(flatten)]
    pub http: HttpConfig,
}

/// Which way observations take to Langfuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ingestion {
    /// The OTLP endpoint; scores by the API for scores.
    #[default]
    Otlp,
    /// The endpoint for batches of events that Langfuse 4 and Langfuse Cloud have given up; scores too.
    Legacy,
}

/// What becomes of a log that was made outside of any trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogsWithoutTrace {
    /// It is rejected with the reason, and counted.
    #[default]
    Drop,
    /// It becomes a trace of its own, whose id is made of what the log says.
    OwnTrace,
}

impl Default for LangfuseConfig {
    fn default() -> Self {
        Self {
            public_key: Secret::new(""),
            secret_key: Secret::new(""),
            region: Region::Eu,
            environment: None,
            release: None,
            ingestion: Ingestion::Otlp,
            traces_path: "/api/public/otel/v1/traces".to_owned(),
            max_request_size: Bytes::new(4 << 20),
            log_name: "log".to_owned(),
            logs_without_trace: LogsWithoutTrace::Drop,
            feedback_prefix: "feedback_".to_owned(),
            score_batch: false,
            score_concurrency: 4,
            scores_per_minute: None,
            http: HttpConfig::default(),
        }
    }
}

/// What other clients of Langfuse call an option, and what to do instead.
const ELSEWHERE: &[(&str, &str)] = &[
    ("api_key", "Langfuse has two keys; write `public_key` and `secret_key` instead"),
    ("token", "Langfuse has two keys; write `public_key` and `secret_key` instead"),
    ("additional_headers", "write `headers` instead"),
    ("batch_size", LANE),
    ("flush_at", LANE),
    ("flush_interval", LANE),
    ("flush_interval_seconds", LANE),
    ("max_retries", LANE),
    ("realtime", LANE),
    ("sample_rate", "sampling belongs to the pipeline, and can be set for a destination there"),
    ("tracing_enabled", "it belongs to the pipeline: `OBS_ENABLED`"),
    ("debug", "obs tells what it does as `tracing` events under `obs::`"),
];

impl LangfuseConfig {
    /// The names of this struct's own options.
    const OWN: &[&str] = &[
        "public_key",
        "secret_key",
        "region",
        "environment",
        "release",
        "ingestion",
        "traces_path",
        "max_request_size",
        "log_name",
        "logs_without_trace",
        "feedback_prefix",
        "score_batch",
        "score_concurrency",
        "scores_per_minute",
    ];

    /// Sends to the project of these keys, in Langfuse Cloud's region in the European Union.
    pub fn new(public_key: impl Into<Secret>, secret_key: impl Into<Secret>) -> Self {
        Self { public_key: public_key.into(), secret_key: secret_key.into(), ..Self::default() }
    }

    /// Reads `LANGFUSE_PUBLIC_KEY` and `LANGFUSE_SECRET_KEY`, and where they are set `LANGFUSE_BASE_URL` (or its older names
    /// `LANGFUSE_HOST` and `LANGFUSE_BASEURL`), `LANGFUSE_TRACING_ENVIRONMENT`, `LANGFUSE_RELEASE` (or what a build system
    /// sets), `LANGFUSE_TIMEOUT` in seconds, `LANGFUSE_OTEL_COMPRESSION`, `LANGFUSE_OTEL_TRACES_EXPORT_PATH` and
    /// `LANGFUSE_OTEL_MAX_BATCH_SIZE_BYTES`.
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

    /// Sets the region of Langfuse Cloud.
    #[must_use]
    pub fn with_region(self, region: Region) -> Self {
        Self { region, ..self }
    }

    /// Sends to a server of your own.
    #[must_use]
    pub fn with_endpoint(self, endpoint: impl Into<String>) -> Self {
        Self { http: self.http.with_endpoint(endpoint), ..self }
    }

    /// Sets the environment of records that name none themselves.
    #[must_use]
    pub fn with_environment(self, environment: impl Into<String>) -> Self {
        Self { environment: Some(environment.into()), ..self }
    }

    /// Sets the release for records that name none themselves.
    #[must_use]
    pub fn with_release(self, release: impl Into<String>) -> Self {
        Self { release: Some(release.into()), ..self }
    }

    /// Sets which way observations take.
    #[must_use]
    pub fn with_ingestion(self, ingestion: Ingestion) -> Self {
        Self { ingestion, ..self }
    }

    /// Sets the path of the OTLP endpoint.
    #[must_use]
    pub fn with_traces_path(self, path: impl Into<String>) -> Self {
        Self { traces_path: path.into(), ..self }
    }

    /// Sets the most bytes of a request with spans or logs; more than `4MiB` takes no effect.
    #[must_use]
    pub fn with_max_request_size(self, max_request_size: impl Into<Bytes>) -> Self {
        Self { max_request_size: max_request_size.into(), ..self }
    }

    /// Sets what the observations are called that logs become.
    #[must_use]
    pub fn with_log_name(self, name: impl Into<String>) -> Self {
        Self { log_name: name.into(), ..self }
    }

    /// Sets what becomes of logs that were made outside of any trace.
    #[must_use]
    pub fn with_logs_without_trace(self, logs_without_trace: LogsWithoutTrace) -> Self {
        Self { logs_without_trace, ..self }
    }

    /// Sets what stands before the kind of a feedback in the name of its score.
    #[must_use]
    pub fn with_feedback_prefix(self, prefix: impl Into<String>) -> Self {
        Self { feedback_prefix: prefix.into(), ..self }
    }

    /// Sets whether scores go as arrays.
    #[must_use]
    pub fn with_score_batch(self, score_batch: bool) -> Self {
        Self { score_batch, ..self }
    }

    /// Sets how many requests with scores are under way at once.
    #[must_use]
    pub fn with_score_concurrency(self, score_concurrency: usize) -> Self {
        Self { score_concurrency, ..self }
    }

    /// Sets the most requests with scores in a minute.
    #[must_use]
    pub fn with_scores_per_minute(self, requests: u32) -> Self {
        Self { scores_per_minute: Some(requests), ..self }
    }

    /// Sets where requests go and how.
    #[must_use]
    pub fn with_http(self, http: HttpConfig) -> Self {
        Self { http, ..self }
    }
}

impl<'de> Deserialize<'de> for LangfuseConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(HttpConfig::beside(Self::OWN, deserializer))
            .map_err(|error| error_elsewhere(error, ELSEWHERE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(json: &str) -> String {
        serde_json::from_str::<LangfuseConfig>(json).unwrap_err().to_string()
    }

    #[test]
    fn options_of_other_clients_are_answered_with_their_place() {
        assert!(refused(r#"{"api_key": "k"}"#).contains("`public_key` and `secret_key`"));
        assert!(refused(r#"{"flush_interval_seconds": 3}"#).contains("lane"));
        assert!(refused(r#"{"base_url": "https://h"}"#).contains("`endpoint`"));
        assert!(refused(r#"{"secretkey": "k"}"#).contains("did you mean `secret_key`?"));
    }

    #[test]
    fn law_6_keys_stay_out_of_debug() {
        let told = format!("{:?}", LangfuseConfig::new("pk-lf-1234", "sk-lf-1234"));
        assert!(!told.contains("-lf-1234"), "{told}");
    }
}
