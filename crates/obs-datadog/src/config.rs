//! What a user gives.

use std::collections::BTreeMap;

use obs_core::suggest::{LANE, error_elsewhere};
use obs_core::{Env, Error, Secret, Str};
use obs_http::HttpConfig;
use serde::{Deserialize, Deserializer};

use crate::{Address, ApmConfig, CustomMetric, MetricsConfig, Mode, TraceIdFormat, env};

/// Where records go and what they become there; both the shape in a file and the builder.
///
/// An unknown field is refused with the nearest name.
/// `endpoint` stands in for `https://api.SITE`, and for the other hosts of the site where they are not set.
///
/// ```
/// use obs_datadog::{DatadogConfig, Mode};
///
/// let built = DatadogConfig::new("key-1").with_site("datadoghq.eu").with_ml_app("support").with_mode(Mode::Llmobs);
/// let read: DatadogConfig = serde_json::from_str(
///     r#"{"api_key": "key-1", "site": "datadoghq.eu", "ml_app": "support", "mode": "llmobs"}"#,
/// )?;
/// assert_eq!(read, built);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(remote = "Self", default)]
#[non_exhaustive]
pub struct DatadogConfig {
    /// The API key; required, unless an Agent takes what is sent: without one, logs and metrics are not taken.
    pub api_key: Secret,
    /// The application key. Nothing that is sent here needs one: it is kept for programs that share their configuration
    /// with other clients, and stands in no request.
    pub app_key: Option<Secret>,
    /// The site, as in the address of Datadog's pages; `datadoghq.com` by default.
    pub site: String,
    /// What traces become; `llmobs` by default.
    pub mode: Mode,
    /// The application in LLM Observability; by default the `service`, else `obs`, so that a key is enough to see
    /// something. In the OTLP modes scores and feedback are taken only where it is set.
    pub ml_app: Option<String>,
    /// An Agent that spans of LLM Observability and evaluations go through, such as `http://localhost:8126`; by default
    /// they go to the intake.
    pub agent_url: Option<Address>,
    /// Where OTLP goes: by default, in the mode `otlp_agent`, port 4318 of the Agent's host or of this machine. In the
    /// mode `otlp_intake` it is required. `/v1/traces` is added, unless it stands there.
    pub otlp_endpoint: Option<Address>,
    /// The value of `dd-otlp-source` in the mode `otlp_intake`, such as `llmobs`; by default it is not sent.
    pub otlp_source: Option<String>,
    /// Where logs go; by default `https://http-intake.logs.SITE`, or `endpoint` where that is set.
    pub logs_endpoint: Option<Address>,
    /// The service of records that say none.
    pub service: Option<Str>,
    /// The environment of records that say none.
    pub env: Option<Str>,
    /// The version of records that say none.
    pub version: Option<Str>,
    /// The host of records that say none.
    pub hostname: Option<Str>,
    /// Tags of everything that is sent, each `key:value`.
    pub tags: Vec<String>,
    /// Names of a trace's metadata that become tags of its spans, scores and feedback, because Datadog filters by tags
    /// faster than by metadata; none by default.
    pub tag_keys: Vec<String>,
    /// What APM knows the program by.
    pub apm_config: ApmConfig,
    /// What goes for all metrics.
    pub metrics_config: MetricsConfig,
    /// Metrics under names of one's own.
    pub custom_metrics: BTreeMap<String, CustomMetric>,
    /// The source of logs, by which Datadog chooses its pipeline; `obs` by default.
    pub ddsource: String,
    /// How logs name their trace; `hex128` by default.
    pub trace_id_format: TraceIdFormat,
    /// Whether logs, series and distributions go through Datadog's own client, off by default; it needs the crate's feature
    /// `official-client`. That client tells no `Retry-After`, and of the options of HTTP it heeds the addresses, the
    /// timeout and the compression alone; it is refused together with others.
    pub official_client: bool,
    /// Where requests go and how.
    #[serde(flatten)]
    pub http: HttpConfig,
}

impl Default for DatadogConfig {
    fn default() -> Self {
        Self {
            api_key: Secret::new(""),
            app_key: None,
            site: "datadoghq.com".to_owned(),
            mode: Mode::Llmobs,
            ml_app: None,
            agent_url: None,
            otlp_endpoint: None,
            otlp_source: None,
            logs_endpoint: None,
            service: None,
            env: None,
            version: None,
            hostname: None,
            tags: Vec::new(),
            tag_keys: Vec::new(),
            apm_config: ApmConfig::default(),
            metrics_config: MetricsConfig::default(),
            custom_metrics: BTreeMap::new(),
            ddsource: "obs".to_owned(),
            trace_id_format: TraceIdFormat::Hex128,
            official_client: false,
            http: HttpConfig::default(),
        }
    }
}

/// The name of the key in messages.
pub(crate) const KEY: &str = "`api_key` (DD_API_KEY)";

const SAMPLING: &str = "sampling belongs to the pipeline, and can be set for a destination there";

/// What other clients call an option, and what to do instead.
const ELSEWHERE: &[(&str, &str)] = &[
    ("api_key_secret", "write `api_key` instead, and let the configuration fill in the secret"),
    ("dd_api_key", "write `api_key` instead"),
    ("app", "write `ml_app` instead"),
    ("request_context_keys", "write `tag_keys` instead"),
    ("namespace", "write it into `metrics_config` instead"),
    ("environment", "write `env` instead"),
    ("service_name", "write `service` instead"),
    ("agent_host", "write `agent_url` instead, such as http://localhost:8126"),
    ("agentless", "leave `agent_url` out instead"),
    ("agentless_enabled", "leave `agent_url` out instead"),
    ("source", "write `ddsource` instead"),
    ("sample_rate", SAMPLING),
    ("batch_size", LANE),
    ("flush_interval", LANE),
    ("flush_interval_seconds", LANE),
    ("max_queue_size", LANE),
    ("max_retries", LANE),
    ("export_interval", LANE),
];

impl DatadogConfig {
    /// The names of this struct's own options.
    const OWN: &[&str] = &[
        "api_key",
        "app_key",
        "site",
        "mode",
        "ml_app",
        "agent_url",
        "otlp_endpoint",
        "otlp_source",
        "logs_endpoint",
        "service",
        "env",
        "version",
        "hostname",
        "tags",
        "tag_keys",
        "apm_config",
        "metrics_config",
        "custom_metrics",
        "ddsource",
        "trace_id_format",
        "official_client",
    ];

    /// Sends with this key to `datadoghq.com`.
    pub fn new(api_key: impl Into<Secret>) -> Self {
        Self { api_key: api_key.into(), ..Self::default() }
    }

    /// Sends traces, scores and feedback through this Agent, which has the key; logs and metrics are not taken without
    /// one.
    pub fn agent(agent_url: impl Into<Address>) -> Self {
        Self { agent_url: Some(agent_url.into()), ..Self::default() }
    }

    /// Reads `DD_API_KEY` (or `DATADOG_API_KEY`), and where they are set `DD_APP_KEY` (or `DATADOG_APP_KEY`), `DD_SITE`,
    /// `DD_SERVICE`, `DD_ENV`, `DD_VERSION`, `DD_TAGS`, `DD_HOSTNAME` and `DD_LLMOBS_ML_APP`.
    ///
    /// An Agent is `DD_TRACE_AGENT_URL`, or `DD_AGENT_HOST` with `DD_TRACE_AGENT_PORT`, 8126 by default; it is used where
    /// one of these is set, unless `DD_LLMOBS_AGENTLESS_ENABLED` is on. With that one off it is used in any case, by
    /// default on this machine. With `DD_LLMOBS_ENABLED` off, traces go to APM, by OTLP to the Agent.
    ///
    /// # Errors
    /// A configuration error that names the variable: neither a key nor an Agent, or a value that cannot be read.
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

    /// Sets the application key.
    #[must_use]
    pub fn with_app_key(self, app_key: impl Into<Secret>) -> Self {
        Self { app_key: Some(app_key.into()), ..self }
    }

    /// Sets the site.
    #[must_use]
    pub fn with_site(self, site: impl Into<String>) -> Self {
        Self { site: site.into(), ..self }
    }

    /// Sets what traces become.
    #[must_use]
    pub fn with_mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    /// Sets the application in LLM Observability.
    #[must_use]
    pub fn with_ml_app(self, ml_app: impl Into<String>) -> Self {
        Self { ml_app: Some(ml_app.into()), ..self }
    }

    /// Sets the Agent that spans of LLM Observability and evaluations go through.
    #[must_use]
    pub fn with_agent_url(self, agent_url: impl Into<Address>) -> Self {
        Self { agent_url: Some(agent_url.into()), ..self }
    }

    /// Sets where OTLP goes.
    #[must_use]
    pub fn with_otlp_endpoint(self, endpoint: impl Into<Address>) -> Self {
        Self { otlp_endpoint: Some(endpoint.into()), ..self }
    }

    /// Sets the value of `dd-otlp-source`.
    #[must_use]
    pub fn with_otlp_source(self, source: impl Into<String>) -> Self {
        Self { otlp_source: Some(source.into()), ..self }
    }

    /// Sets the address that stands in for `https://api.SITE`, and for the other hosts where they are not set.
    #[must_use]
    pub fn with_endpoint(self, endpoint: impl Into<String>) -> Self {
        Self { http: self.http.with_endpoint(endpoint), ..self }
    }

    /// Sets where logs go.
    #[must_use]
    pub fn with_logs_endpoint(self, endpoint: impl Into<Address>) -> Self {
        Self { logs_endpoint: Some(endpoint.into()), ..self }
    }

    /// Sets the service of records that say none.
    #[must_use]
    pub fn with_service(self, service: impl Into<Str>) -> Self {
        Self { service: Some(service.into()), ..self }
    }

    /// Sets the environment of records that say none.
    #[must_use]
    pub fn with_env(self, env: impl Into<Str>) -> Self {
        Self { env: Some(env.into()), ..self }
    }

    /// Sets the version of records that say none.
    #[must_use]
    pub fn with_version(self, version: impl Into<Str>) -> Self {
        Self { version: Some(version.into()), ..self }
    }

    /// Sets the host of records that say none.
    #[must_use]
    pub fn with_hostname(self, hostname: impl Into<Str>) -> Self {
        Self { hostname: Some(hostname.into()), ..self }
    }

    /// Sets the tags of everything that is sent, each `key:value`.
    #[must_use]
    pub fn with_tags<T: Into<String>>(self, tags: impl IntoIterator<Item = T>) -> Self {
        Self { tags: tags.into_iter().map(Into::into).collect(), ..self }
    }

    /// Sets which of a trace's metadata become tags.
    #[must_use]
    pub fn with_tag_keys<T: Into<String>>(self, names: impl IntoIterator<Item = T>) -> Self {
        Self { tag_keys: names.into_iter().map(Into::into).collect(), ..self }
    }

    /// Sets what APM knows the program by.
    #[must_use]
    pub fn with_apm_config(self, apm_config: ApmConfig) -> Self {
        Self { apm_config, ..self }
    }

    /// Sets what goes for all metrics.
    #[must_use]
    pub fn with_metrics_config(self, metrics_config: MetricsConfig) -> Self {
        Self { metrics_config, ..self }
    }

    /// Adds a metric under a name of one's own.
    #[must_use]
    pub fn with_custom_metric(mut self, name: impl Into<String>, metric: CustomMetric) -> Self {
        self.custom_metrics.insert(name.into(), metric);
        self
    }

    /// Sets the source of logs.
    #[must_use]
    pub fn with_ddsource(self, ddsource: impl Into<String>) -> Self {
        Self { ddsource: ddsource.into(), ..self }
    }

    /// Sets how logs name their trace.
    #[must_use]
    pub fn with_trace_id_format(self, trace_id_format: TraceIdFormat) -> Self {
        Self { trace_id_format, ..self }
    }

    /// Sets whether logs, series and distributions go through Datadog's own client.
    #[must_use]
    pub fn with_official_client(self, official_client: bool) -> Self {
        Self { official_client, ..self }
    }

    /// Sets where requests go and how.
    #[must_use]
    pub fn with_http(self, http: HttpConfig) -> Self {
        Self { http, ..self }
    }
}

impl<'de> Deserialize<'de> for DatadogConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(HttpConfig::beside(Self::OWN, deserializer))
            .map_err(|error| error_elsewhere(error, ELSEWHERE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_other_clients_are_answered_with_ours() {
        for (option, instead) in [("api_key_secret", "`api_key`"), ("flush_interval_seconds", "the lane")] {
            let json = format!(r#"{{"api_key": "key-1", "{option}": 30}}"#);
            let error = serde_json::from_str::<DatadogConfig>(&json).unwrap_err().to_string();
            assert!(error.contains(option) && error.contains(instead), "{error}");
        }
        let nearest = serde_json::from_str::<DatadogConfig>(r#"{"trace_id_formt": "hex128"}"#);
        assert!(nearest.unwrap_err().to_string().contains("did you mean `trace_id_format`?"));
    }

    #[test]
    fn law_6_the_keys_are_not_shown() {
        let config = DatadogConfig::new("key-planted").with_app_key("app-planted");
        let config = config.with_agent_url("http://user:planted@localhost:8126");
        assert!(!format!("{config:?}").contains("planted"));
    }
}
