//! What a user gives.

use obs_core::suggest::{LANE, error_elsewhere};
use obs_core::{Attributes, Env, Error, Secret, Str, Value};
use obs_http::HttpConfig;
use serde::{Deserialize, Deserializer};

use crate::{Address, Conventions, Histograms, env};

/// Where records go and in which form; both the shape in a file and the builder.
///
/// An unknown field is refused with the nearest name.
/// `endpoint` is the base address of OTLP, to which `/v1/traces`, `/v1/metrics` and `/v1/logs` are added; with an
/// `instance_id` it is by default the gateway of the `zone`.
/// A signal whose way has no address is not taken; without any address no exporter is made.
///
/// ```
/// use obs_grafana::{GrafanaConfig, LogsVia};
///
/// let built = GrafanaConfig::cloud("prod-eu-west-2", "123456", "glc_token")
///     .with_logs(LogsVia::Loki)
///     .with_loki("https://logs-prod-012.grafana.net", "654321");
/// let read: GrafanaConfig = serde_json::from_str(
///     r#"{"zone": "prod-eu-west-2", "instance_id": "123456", "api_key": "glc_token", "logs": "loki",
///         "loki_endpoint": "https://logs-prod-012.grafana.net", "loki_user_id": "654321"}"#,
/// )?;
/// assert_eq!(read, built);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(remote = "Self", default)]
#[non_exhaustive]
pub struct GrafanaConfig {
    /// The zone of the stack in Grafana Cloud, from which the gateway's address follows; `prod-us-central-0` by default.
    pub zone: String,
    /// The stack's id, the user of Grafana Cloud's gateway; without one nothing goes to Grafana Cloud by itself.
    pub instance_id: Option<String>,
    /// The token of an access policy, `glc_…`, with the scopes `traces:write`, `metrics:write` and `logs:write`; it is the
    /// password for every one of the users.
    pub api_key: Secret,
    /// Which way logs take, and scores and feedback with them; `otlp` by default.
    pub logs: LogsVia,
    /// Which way metrics take; `otlp` by default.
    pub metrics: MetricsVia,
    /// The address of Tempo, or of another receiver of OTLP, for traces alone: `http://tempo:4318`.
    pub tempo_endpoint: Option<Address>,
    /// The user of that address; none by default.
    pub tempo_user_id: Option<String>,
    /// The address of Mimir or of another server, for metrics alone: `http://mimir:9009`.
    ///
    /// By remote write, an address that ends in `/push` or `/write` is taken as it stands, and to another one
    /// `/api/v1/push` is added.
    pub mimir_endpoint: Option<Address>,
    /// The user of that address, for Grafana Cloud the one of the stack's Prometheus, which is not the `instance_id`.
    pub mimir_user_id: Option<String>,
    /// The address of Loki, for logs, scores and feedback alone: `http://loki:3100`.
    pub loki_endpoint: Option<Address>,
    /// The user of that address, for Grafana Cloud the one of the stack's Loki, which is not the `instance_id`.
    pub loki_user_id: Option<String>,
    /// The tenant of servers of one's own, sent as `X-Scope-OrgID`; none by default.
    pub tenant: Option<String>,
    /// What labels of Loki's streams are made of, at most 15 names of attributes; `service.name`, `service.namespace`,
    /// `deployment.environment` and `level` by default, since each combination of values is a stream of its own.
    pub loki_labels: Vec<String>,
    /// What Loki's lines hold; `message` by default.
    pub loki_line: LokiLine,
    /// What samples of a distribution become; explicit buckets by default, which every server takes.
    pub histograms: Histograms,
    /// Whose names the attributes of spans have; `gen_ai` by default.
    pub conventions: Conventions,
    /// The `service.name` of records whose resource has none; `unknown_service:` and the program's name by default.
    pub service_name: Option<Str>,
    /// The `service.namespace` of records whose resource has none.
    pub service_namespace: Option<Str>,
    /// The `service.instance.id` of records whose resource has none; by default one that each process makes for itself, so
    /// that the series of two processes are not taken for one.
    pub service_instance_id: Option<Str>,
    /// Attributes of the resource of records that lack them.
    pub resource_attributes: Attributes,
    /// The address of Grafana's own pages, for links to traces: `https://STACK.grafana.net`.
    pub grafana_url: Option<Address>,
    /// The uid of the data source in those pages that has the traces; `grafanacloud-traces` by default.
    pub tempo_datasource: String,
    /// Where requests go and how.
    #[serde(flatten)]
    pub http: HttpConfig,
}

/// Which way logs take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogsVia {
    /// OTLP: the gateway, or the endpoint of Loki 3 for it.
    #[default]
    Otlp,
    /// Loki's own push API, with labels and lines of one's choice.
    Loki,
}

/// Which way metrics take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricsVia {
    /// OTLP: the gateway, or the endpoint of Mimir for it.
    #[default]
    Otlp,
    /// Prometheus's remote write, which Mimir, Prometheus, VictoriaMetrics and others take.
    RemoteWrite,
}

/// What Loki's lines hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LokiLine {
    /// The message; what else is known stands in the structured metadata.
    #[default]
    Message,
    /// A JSON object with message, level, event, data and attributes, beside the structured metadata.
    Json,
}

impl Default for GrafanaConfig {
    fn default() -> Self {
        Self {
            zone: "prod-us-central-0".to_owned(),
            instance_id: None,
            api_key: Secret::new(""),
            logs: LogsVia::Otlp,
            metrics: MetricsVia::Otlp,
            tempo_endpoint: None,
            tempo_user_id: None,
            mimir_endpoint: None,
            mimir_user_id: None,
            loki_endpoint: None,
            loki_user_id: None,
            tenant: None,
            loki_labels: ["service.name", "service.namespace", "deployment.environment", "level"]
                .map(str::to_owned)
                .to_vec(),
            loki_line: LokiLine::Message,
            histograms: Histograms::Explicit,
            conventions: Conventions::GenAi,
            service_name: None,
            service_namespace: None,
            service_instance_id: None,
            resource_attributes: Attributes::new(),
            grafana_url: None,
            tempo_datasource: "grafanacloud-traces".to_owned(),
            http: HttpConfig::default(),
        }
    }
}

/// What other clients call an option, and what to do instead.
const ELSEWHERE: &[(&str, &str)] = &[
    ("token", "write `api_key` instead"),
    ("username", "write `instance_id`, or the user of one signal, such as `loki_user_id`"),
    ("user_id", "write `instance_id`, or the user of one signal, such as `loki_user_id`"),
    ("tenant_id", "write `tenant` instead"),
    ("labels", "write `loki_labels` instead"),
    ("prometheus_endpoint", "write `mimir_endpoint` instead"),
    ("prometheus_user_id", "write `mimir_user_id` instead"),
    ("batch_size", LANE),
    ("flush_interval", LANE),
    ("flush_interval_seconds", LANE),
    ("max_queue_size", LANE),
    ("max_retries", LANE),
    ("export_interval", LANE),
];

impl GrafanaConfig {
    /// The names of this struct's own options.
    const OWN: &[&str] = &[
        "zone",
        "instance_id",
        "api_key",
        "logs",
        "metrics",
        "tempo_endpoint",
        "tempo_user_id",
        "mimir_endpoint",
        "mimir_user_id",
        "loki_endpoint",
        "loki_user_id",
        "tenant",
        "loki_labels",
        "loki_line",
        "histograms",
        "conventions",
        "service_name",
        "service_namespace",
        "service_instance_id",
        "resource_attributes",
        "grafana_url",
        "tempo_datasource",
    ];

    /// Sends to the stack of this id in Grafana Cloud's zone `prod-us-central-0`.
    pub fn new(instance_id: impl Into<String>, api_key: impl Into<Secret>) -> Self {
        Self { instance_id: Some(instance_id.into()), api_key: api_key.into(), ..Self::default() }
    }

    /// Sends to the stack of this id in this zone of Grafana Cloud.
    pub fn cloud(
        zone: impl Into<String>,
        instance_id: impl Into<String>,
        api_key: impl Into<Secret>,
    ) -> Self {
        Self { zone: zone.into(), ..Self::new(instance_id, api_key) }
    }

    /// Sends to servers of one's own, whose addresses are to be set.
    pub fn self_hosted() -> Self {
        Self::default()
    }

    /// Reads `GRAFANA_CLOUD_INSTANCE_ID` and `GRAFANA_CLOUD_API_KEY`, `GRAFANA_CLOUD_ZONE`, and for servers of one's own
    /// `GRAFANA_TEMPO_ENDPOINT`, `GRAFANA_MIMIR_ENDPOINT` and `GRAFANA_LOKI_ENDPOINT`.
    ///
    /// Of obs alone are `GRAFANA_OTLP_ENDPOINT`, `GRAFANA_TEMPO_USER_ID`, `GRAFANA_MIMIR_USER_ID`, `GRAFANA_LOKI_USER_ID`,
    /// `GRAFANA_TENANT_ID`, `GRAFANA_LOGS`, `GRAFANA_METRICS` and `GRAFANA_URL`.
    ///
    /// # Errors
    /// A configuration error that names the variable: no address and no stack, a stack without its token, or a value
    /// that cannot be read.
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

    /// Sets the base address of OTLP.
    #[must_use]
    pub fn with_endpoint(self, endpoint: impl Into<String>) -> Self {
        Self { http: self.http.with_endpoint(endpoint), ..self }
    }

    /// Sets which way logs, scores and feedback take.
    #[must_use]
    pub fn with_logs(self, logs: LogsVia) -> Self {
        Self { logs, ..self }
    }

    /// Sets which way metrics take.
    #[must_use]
    pub fn with_metrics(self, metrics: MetricsVia) -> Self {
        Self { metrics, ..self }
    }

    /// Sets Tempo's address.
    #[must_use]
    pub fn with_tempo_endpoint(self, endpoint: impl Into<Address>) -> Self {
        Self { tempo_endpoint: Some(endpoint.into()), ..self }
    }

    /// Sets Mimir's address.
    #[must_use]
    pub fn with_mimir_endpoint(self, endpoint: impl Into<Address>) -> Self {
        Self { mimir_endpoint: Some(endpoint.into()), ..self }
    }

    /// Sets Loki's address.
    #[must_use]
    pub fn with_loki_endpoint(self, endpoint: impl Into<Address>) -> Self {
        Self { loki_endpoint: Some(endpoint.into()), ..self }
    }

    /// Sets Tempo's address and the user there.
    #[must_use]
    pub fn with_tempo(self, endpoint: impl Into<Address>, user_id: impl Into<String>) -> Self {
        Self { tempo_user_id: Some(user_id.into()), ..self.with_tempo_endpoint(endpoint) }
    }

    /// Sets Mimir's address and the user there.
    #[must_use]
    pub fn with_mimir(self, endpoint: impl Into<Address>, user_id: impl Into<String>) -> Self {
        Self { mimir_user_id: Some(user_id.into()), ..self.with_mimir_endpoint(endpoint) }
    }

    /// Sets Loki's address and the user there.
    #[must_use]
    pub fn with_loki(self, endpoint: impl Into<Address>, user_id: impl Into<String>) -> Self {
        Self { loki_user_id: Some(user_id.into()), ..self.with_loki_endpoint(endpoint) }
    }

    /// Sets the tenant of servers of one's own.
    #[must_use]
    pub fn with_tenant(self, tenant: impl Into<String>) -> Self {
        Self { tenant: Some(tenant.into()), ..self }
    }

    /// Sets what labels of Loki's streams are made of.
    #[must_use]
    pub fn with_loki_labels<T: Into<String>>(self, names: impl IntoIterator<Item = T>) -> Self {
        Self { loki_labels: names.into_iter().map(Into::into).collect(), ..self }
    }

    /// Sets what Loki's lines hold.
    #[must_use]
    pub fn with_loki_line(self, line: LokiLine) -> Self {
        Self { loki_line: line, ..self }
    }

    /// Sets what samples of a distribution become.
    #[must_use]
    pub fn with_histograms(self, histograms: Histograms) -> Self {
        Self { histograms, ..self }
    }

    /// Sets whose names the attributes of spans have.
    #[must_use]
    pub fn with_conventions(self, conventions: Conventions) -> Self {
        Self { conventions, ..self }
    }

    /// Sets the `service.name` of records that have none.
    #[must_use]
    pub fn with_service_name(self, name: impl Into<Str>) -> Self {
        Self { service_name: Some(name.into()), ..self }
    }

    /// Sets the `service.namespace` of records that have none.
    #[must_use]
    pub fn with_service_namespace(self, namespace: impl Into<Str>) -> Self {
        Self { service_namespace: Some(namespace.into()), ..self }
    }

    /// Sets the `service.instance.id` of records that have none.
    #[must_use]
    pub fn with_service_instance_id(self, id: impl Into<Str>) -> Self {
        Self { service_instance_id: Some(id.into()), ..self }
    }

    /// Sets an attribute of the resource of records that lack it.
    #[must_use]
    pub fn with_resource_attribute(mut self, key: impl Into<Str>, value: impl Into<Value>) -> Self {
        self.resource_attributes.insert(key, value);
        self
    }

    /// Sets the address of Grafana's own pages.
    #[must_use]
    pub fn with_grafana_url(self, url: impl Into<Address>) -> Self {
        Self { grafana_url: Some(url.into()), ..self }
    }

    /// Sets the uid of the data source that has the traces.
    #[must_use]
    pub fn with_tempo_datasource(self, uid: impl Into<String>) -> Self {
        Self { tempo_datasource: uid.into(), ..self }
    }

    /// Sets where requests go and how.
    #[must_use]
    pub fn with_http(self, http: HttpConfig) -> Self {
        Self { http, ..self }
    }
}

impl<'de> Deserialize<'de> for GrafanaConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(HttpConfig::beside(Self::OWN, deserializer))
            .map_err(|error| error_elsewhere(error, ELSEWHERE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_other_clients_are_answered_with_their_place() {
        let refused = |json: &str| serde_json::from_str::<GrafanaConfig>(json).unwrap_err().to_string();
        assert!(refused(r#"{"token": "glc_1"}"#).contains("`api_key`"));
        assert!(refused(r#"{"prometheus_user_id": "1"}"#).contains("`mimir_user_id`"));
        assert!(refused(r#"{"flush_interval_seconds": 5}"#).contains("lane"));
        assert!(refused(r#"{"loki_label": []}"#).contains("did you mean `loki_labels`?"));
    }

    #[test]
    fn law_6_credentials_stay_out_of_debug() {
        let config =
            GrafanaConfig::new("1", "glc_secret").with_loki_endpoint("https://u:pass-word@h/?token=abc-def");
        let told = format!("{config:?}");
        assert!(
            !told.contains("glc_secret") && !told.contains("pass-word") && !told.contains("abc-def"),
            "{told}"
        );
    }
}
