//! What a user gives.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use obs_core::suggest::{LANE, error_elsewhere};
use obs_core::{Env, Error};
use obs_http::HttpConfig;
use serde::{Deserialize, Deserializer};

use crate::{MetricMapping, MetricNames, Mode, PushMethod, env};

/// Where metrics are shown and under which names; both the shape in a file and the builder.
///
/// An unknown field is refused with the nearest name.
///
/// ```
/// use obs_prometheus::{MetricNames, PrometheusConfig};
///
/// let built = PrometheusConfig::pull().with_metrics_port(9464).with_metric_names(MetricNames::Recorded);
/// let read: PrometheusConfig =
///     serde_json::from_str(r#"{"mode": "pull", "metrics_port": 9464, "metric_names": "recorded"}"#)?;
/// assert_eq!(read, built);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", default)]
#[non_exhaustive]
pub struct PrometheusConfig {
    /// Whether Prometheus comes for the metrics or they are pushed; by default `push` where `pushgateway_url` is set, else
    /// `pull`.
    pub mode: Option<Mode>,
    /// The port of a listener that serves the page; none by default, where the page is served by the application alone
    /// ([`router`](crate::PrometheusExporter::router)); 0 lets the system choose.
    pub metrics_port: Option<u16>,
    /// The address that the listener takes; this machine's own by default, since the page asks nobody who they are.
    pub metrics_address: IpAddr,
    /// The path of the page; `/metrics` by default.
    pub metrics_path: String,
    /// The address of the Pushgateway; required for `push`.
    pub pushgateway_url: Option<String>,
    /// The `job` that pushed metrics belong to; `obs` by default.
    pub job_name: Option<String>,
    /// The `instance` that pushed metrics belong to; none by default, where all instances of a job overwrite each other.
    pub instance_label: Option<String>,
    /// More labels that pushed metrics are grouped by.
    pub grouping: BTreeMap<String, String>,
    /// What a push does to what was pushed before: `put` by default, which replaces all of the group, so that nothing
    /// stays from before a restart.
    pub method: PushMethod,
    /// Whether the group is deleted at the Pushgateway when the exporter is shut down; off by default, since the last
    /// push is what a job that runs briefly leaves behind.
    pub delete_on_shutdown: bool,
    /// What metrics are called: `idiomatic` by default.
    pub metric_names: MetricNames,
    /// Names, types and helps by the metric's recorded name.
    pub metrics_mapping: BTreeMap<String, MetricMapping>,
    /// Labels of every series that has no such label itself; `labels` is another name for it.
    #[serde(alias = "labels")]
    pub additional_labels: BTreeMap<String, String>,
    /// Attributes of the resource that are labels of every series; `service.name` by default, so that several services in
    /// one process are told apart. Series that differ in other attributes alone are added up.
    pub resource_labels: Vec<String>,
    /// Whether `target_info` tells what resources say of themselves; on by default.
    pub target_info: bool,
    /// Whether scores are shown, as the gauge `obs_score`; off by default, since each scorer is a series.
    pub scores: bool,
    /// Whether feedback is counted, as `obs_feedback_total`; off by default.
    pub feedback: bool,
    /// The most series; 50,000 by default, so that memory stays bounded. A series beyond is rejected with the reason.
    pub max_series: usize,
    /// How the Pushgateway is reached.
    #[serde(flatten)]
    pub http: HttpConfig,
}

impl Default for PrometheusConfig {
    fn default() -> Self {
        Self {
            mode: None,
            metrics_port: None,
            metrics_address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            metrics_path: "/metrics".to_owned(),
            pushgateway_url: None,
            job_name: None,
            instance_label: None,
            grouping: BTreeMap::new(),
            method: PushMethod::Put,
            delete_on_shutdown: false,
            metric_names: MetricNames::Idiomatic,
            metrics_mapping: BTreeMap::new(),
            additional_labels: BTreeMap::new(),
            resource_labels: vec!["service.name".to_owned()],
            target_info: true,
            scores: false,
            feedback: false,
            max_series: 50_000,
            http: HttpConfig::default(),
        }
    }
}

/// What options of other clients are called here.
const ELSEWHERE: &[(&str, &str)] = &[
    ("registry", "a registry is no text: give it in code, by `PrometheusExporter::with_registry`"),
    ("batch_size", LANE),
    ("flush_interval", LANE),
    ("flush_interval_seconds", LANE),
    ("retry_config", LANE),
    ("push_interval", LANE),
];

impl PrometheusConfig {
    /// The names of this struct's own options.
    const OWN: &[&str] = &[
        "mode",
        "metrics_port",
        "metrics_address",
        "metrics_path",
        "pushgateway_url",
        "job_name",
        "instance_label",
        "grouping",
        "method",
        "delete_on_shutdown",
        "metric_names",
        "metrics_mapping",
        "additional_labels",
        "labels",
        "resource_labels",
        "target_info",
        "scores",
        "feedback",
        "max_series",
    ];

    /// Prometheus comes for the metrics.
    pub fn pull() -> Self {
        Self { mode: Some(Mode::Pull), ..Self::default() }
    }

    /// Metrics are pushed to the Pushgateway at this address, as this job.
    pub fn push(pushgateway_url: impl Into<String>, job_name: impl Into<String>) -> Self {
        Self {
            mode: Some(Mode::Push),
            pushgateway_url: Some(pushgateway_url.into()),
            job_name: Some(job_name.into()),
            ..Self::default()
        }
    }

    /// Reads `PROMETHEUS_PUSHGATEWAY_URL`, `PROMETHEUS_JOB_NAME`, `PROMETHEUS_INSTANCE_LABEL`, `PROMETHEUS_PUSHGATEWAY_USER`
    /// with `PROMETHEUS_PUSHGATEWAY_PASSWORD`, `PROMETHEUS_PUSHGATEWAY_TOKEN`, `PROMETHEUS_METRICS_PORT` (else
    /// `OTEL_EXPORTER_PROMETHEUS_PORT`), `PROMETHEUS_METRICS_ADDRESS` (else `OTEL_EXPORTER_PROMETHEUS_HOST`),
    /// `PROMETHEUS_METRICS_PATH` and `PROMETHEUS_METRIC_NAMES`; none of them is required. OpenTelemetry's two are read where
    /// there is no `PROMETHEUS_PUSHGATEWAY_URL`.
    ///
    /// # Errors
    /// A configuration error that names the variable that cannot be read.
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

    /// The mode that follows from the options.
    pub(crate) fn mode(&self) -> Mode {
        let gateway = self.pushgateway_url.is_some() || !self.http.endpoint.is_empty();
        self.mode.unwrap_or(if gateway { Mode::Push } else { Mode::Pull })
    }

    /// Serves the page by a listener on this port of [`metrics_address`](Self::metrics_address).
    #[must_use]
    pub fn with_metrics_port(self, port: u16) -> Self {
        Self { metrics_port: Some(port), ..self }
    }

    /// Sets the address that the listener takes.
    #[must_use]
    pub fn with_metrics_address(self, address: impl Into<IpAddr>) -> Self {
        Self { metrics_address: address.into(), ..self }
    }

    /// Sets the path of the page.
    #[must_use]
    pub fn with_metrics_path(self, path: impl Into<String>) -> Self {
        Self { metrics_path: path.into(), ..self }
    }

    /// Sets the `instance` that pushed metrics belong to.
    #[must_use]
    pub fn with_instance_label(self, instance: impl Into<String>) -> Self {
        Self { instance_label: Some(instance.into()), ..self }
    }

    /// Groups pushed metrics by one more label.
    #[must_use]
    pub fn with_grouping(mut self, label: impl Into<String>, value: impl Into<String>) -> Self {
        self.grouping.insert(label.into(), value.into());
        self
    }

    /// Sets what a push does to what was pushed before.
    #[must_use]
    pub fn with_method(self, method: PushMethod) -> Self {
        Self { method, ..self }
    }

    /// Sets whether the group is deleted on shutdown.
    #[must_use]
    pub fn with_delete_on_shutdown(self, delete_on_shutdown: bool) -> Self {
        Self { delete_on_shutdown, ..self }
    }

    /// Sets what metrics are called.
    #[must_use]
    pub fn with_metric_names(self, metric_names: MetricNames) -> Self {
        Self { metric_names, ..self }
    }

    /// Sets the name, type and help of the metric recorded under this name.
    #[must_use]
    pub fn with_mapping(mut self, recorded: impl Into<String>, mapping: MetricMapping) -> Self {
        self.metrics_mapping.insert(recorded.into(), mapping);
        self
    }

    /// Adds a label to every series that has none of this name.
    #[must_use]
    pub fn with_label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.additional_labels.insert(name.into(), value.into());
        self
    }

    /// Sets which attributes of the resource are labels of every series.
    #[must_use]
    pub fn with_resource_labels<T: Into<String>>(self, attributes: impl IntoIterator<Item = T>) -> Self {
        Self { resource_labels: attributes.into_iter().map(Into::into).collect(), ..self }
    }

    /// Sets whether `target_info` is shown.
    #[must_use]
    pub fn with_target_info(self, target_info: bool) -> Self {
        Self { target_info, ..self }
    }

    /// Sets whether scores are shown.
    #[must_use]
    pub fn with_scores(self, scores: bool) -> Self {
        Self { scores, ..self }
    }

    /// Sets whether feedback is counted.
    #[must_use]
    pub fn with_feedback(self, feedback: bool) -> Self {
        Self { feedback, ..self }
    }

    /// Sets the most series.
    #[must_use]
    pub fn with_max_series(self, max_series: usize) -> Self {
        Self { max_series, ..self }
    }

    /// Sets how the Pushgateway is reached.
    #[must_use]
    pub fn with_http(self, http: HttpConfig) -> Self {
        Self { http, ..self }
    }
}

impl<'de> Deserialize<'de> for PrometheusConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(HttpConfig::beside(Self::OWN, deserializer))
            .map_err(|error| error_elsewhere(error, ELSEWHERE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MetricType;

    #[test]
    fn the_options_of_the_first_design_are_read() {
        let push: PrometheusConfig = serde_json::from_str(
            r#"{
                "pushgateway_url": "http://pushgateway:9091",
                "job_name": "foundation_profiling",
                "instance_label": "web-server-01",
                "metrics_mapping": {
                    "avg_latency_ms": {
                        "name": "foundation_log_processing_latency_milliseconds",
                        "type": "gauge",
                        "help": "Average log processing latency in milliseconds"
                    }
                },
                "labels": {"environment": "production"}
            }"#,
        )
        .unwrap();
        let mapping = MetricMapping::new("foundation_log_processing_latency_milliseconds")
            .with_type(MetricType::Gauge)
            .with_help("Average log processing latency in milliseconds");
        let mut expected = PrometheusConfig::push("http://pushgateway:9091", "foundation_profiling")
            .with_instance_label("web-server-01")
            .with_mapping("avg_latency_ms", mapping)
            .with_label("environment", "production");
        expected.mode = None;
        assert_eq!((push.mode(), &push), (Mode::Push, &expected));

        let pull = r#"{"mode": "pull", "metrics_port": 8080, "metrics_path": "/metrics"}"#;
        let pull: PrometheusConfig = serde_json::from_str(pull).unwrap();
        assert_eq!((pull.mode(), pull), (Mode::Pull, PrometheusConfig::pull().with_metrics_port(8080)));
    }

    #[test]
    fn what_is_no_option_is_answered_with_its_place() {
        let refused = |json: &str| serde_json::from_str::<PrometheusConfig>(json).unwrap_err().to_string();
        assert!(refused(r#"{"registry": 1}"#).contains("with_registry"));
        assert!(refused(r#"{"flush_interval_seconds": 30}"#).contains("lane"));
        assert!(refused(r#"{"metrics_prt": 30}"#).contains("did you mean `metrics_port`?"));
        let unknown = refused(r#"{"metrics_mapping": {"a": {"typ": "gauge"}}}"#);
        assert!(unknown.contains("did you mean `type`?"), "{unknown}");
        let unknown = refused(r#"{"metrics_mapping": {"a": {"type": "summary"}}}"#);
        assert!(unknown.contains("`histogram`") && unknown.contains("`gauge`"), "{unknown}");
    }
}
