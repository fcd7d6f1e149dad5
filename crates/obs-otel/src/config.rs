//! What a user gives.

use obs_core::suggest::{LANE, error, error_elsewhere};
use obs_core::units::Bytes;
use obs_core::{Attributes, Env, Error, Secret, Signal, Str, Value};
use obs_http::HttpConfig;
use serde::{Deserialize, Deserializer};

use crate::{Address, Conventions, Histograms, Preset, Protocol, SignalConfig, Temporality, env};

/// Where records go over OTLP, and what they become there; both the shape in a file and the builder.
///
/// An unknown field is refused with the nearest name.
/// `endpoint` is the base address, to which `/v1/traces`, `/v1/metrics` and `/v1/logs` are added; `http://localhost:4318` by default, and `http://localhost:4317` for gRPC.
///
/// ```
/// use obs_otel::{OtelConfig, Protocol};
///
/// let built = OtelConfig::new("http://localhost:4318").with_protocol(Protocol::HttpJson).with_service_name("shop");
/// let read: OtelConfig = serde_json::from_str(
///     r#"{"endpoint": "http://localhost:4318", "protocol": "http/json", "service_name": "shop"}"#,
/// )?;
/// assert_eq!(read, built);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(remote = "Self", default)]
#[non_exhaustive]
pub struct OtelConfig {
    /// A backend whose address, headers, names and signals are known; what is set beside it wins.
    pub preset: Option<Preset>,
    /// The key of a preset's backend.
    pub api_key: Option<Secret>,
    /// The project of a preset's backend: Phoenix's or Arize's project by name, MLflow's experiment by id.
    pub project: Option<String>,
    /// The space of Arize AX.
    pub space_id: Option<Secret>,
    /// The dataset: Honeycomb's for metrics, Dash0's for everything.
    pub dataset: Option<String>,
    /// The region of a preset's backend, such as `us` or `eu`.
    pub region: Option<String>,
    /// Sentry's DSN, from which address and key follow.
    pub dsn: Option<Secret>,
    /// The address of the pages that show traces, where it differs from what follows from `endpoint`.
    pub ui_endpoint: Option<Address>,
    /// The same as `endpoint`, under its name in other clients.
    pub otlp_endpoint: Option<Address>,
    /// How requests are written and carried; `http/protobuf` by default.
    pub protocol: Option<Protocol>,
    /// The same as `protocol`, under its name in other clients.
    pub otlp_protocol: Option<Protocol>,
    /// What goes for spans alone.
    pub traces: SignalConfig,
    /// What goes for metrics alone.
    pub metrics: SignalConfig,
    /// What goes for logs alone, and for scores and feedback, which are log records here.
    pub logs: SignalConfig,
    /// The same as `endpoint` within `metrics`.
    pub metrics_endpoint: Option<Address>,
    /// The same as `protocol` within `metrics`.
    pub metrics_protocol: Option<Protocol>,
    /// The signals that are sent; by default all that the backend takes, and none with an empty list.
    pub signals: Option<Vec<Signal>>,
    /// For gRPC, whether an endpoint without a scheme is one without TLS; off by default.
    pub insecure: Option<bool>,
    /// The `service.name` of records whose resource has none; `unknown_service:` and the program's name by default.
    pub service_name: Option<Str>,
    /// The `service.version` of records whose resource has none.
    pub service_version: Option<Str>,
    /// The `service.namespace` of records whose resource has none.
    pub service_namespace: Option<Str>,
    /// The `service.instance.id` of records whose resource has none; by default one that each process makes for itself, so
    /// that the series of two processes are not taken for one.
    pub service_instance_id: Option<Str>,
    /// Attributes of the resource of records that lack them; `deployment.environment` goes out under its newer name, too.
    pub resource_attributes: Attributes,
    /// Whose names the attributes of spans have; `gen_ai` by default.
    pub conventions: Option<Conventions>,
    /// What stands before the name of every span, with a dot between; nothing by default.
    pub span_name_prefix: Option<Str>,
    /// Whether children are spans of their own, which is the default; else a child whose root is in the same batch becomes
    /// an event of its root.
    pub create_child_spans: bool,
    /// Since when the points of series count; `cumulative` by default.
    pub temporality: Option<Temporality>,
    /// What samples of a distribution become; explicit buckets by default.
    pub histograms: Option<Histograms>,
    /// The most records of a request; 512 by default.
    pub max_request_items: usize,
    /// The most bytes of a request before compression; `4MiB` by default, which is also what gRPC receivers take, and
    /// `64MiB` at most.
    pub max_request_size: Bytes,
    /// Where requests go and how.
    #[serde(flatten)]
    pub http: HttpConfig,
}

impl Default for OtelConfig {
    fn default() -> Self {
        Self {
            preset: None,
            api_key: None,
            project: None,
            space_id: None,
            dataset: None,
            region: None,
            dsn: None,
            ui_endpoint: None,
            otlp_endpoint: None,
            protocol: None,
            otlp_protocol: None,
            traces: SignalConfig::default(),
            metrics: SignalConfig::default(),
            logs: SignalConfig::default(),
            metrics_endpoint: None,
            metrics_protocol: None,
            signals: None,
            insecure: None,
            service_name: None,
            service_version: None,
            service_namespace: None,
            service_instance_id: None,
            resource_attributes: Attributes::new(),
            conventions: None,
            span_name_prefix: None,
            create_child_spans: true,
            temporality: None,
            histograms: None,
            max_request_items: 512,
            max_request_size: Bytes::new(4 << 20),
            http: HttpConfig::default(),
        }
    }
}

const SAMPLING: &str = "sampling belongs to the pipeline, and can be set for a destination there";

/// What other clients call an option, and what to do instead.
const ELSEWHERE: &[(&str, &str)] = &[
    ("trace_sampler", SAMPLING),
    ("trace_sample_rate", SAMPLING),
    ("sampler", SAMPLING),
    ("batch_size", LANE),
    ("flush_interval", LANE),
    ("flush_interval_seconds", LANE),
    ("max_queue_size", LANE),
    ("max_retries", LANE),
    ("export_interval", LANE),
    ("provider", "write `preset` instead"),
    ("environment", "write `deployment.environment.name` into `resource_attributes` instead"),
];

impl OtelConfig {
    /// The names of this struct's own options.
    const OWN: &[&str] = &[
        "preset",
        "api_key",
        "project",
        "space_id",
        "dataset",
        "region",
        "dsn",
        "ui_endpoint",
        "otlp_endpoint",
        "protocol",
        "otlp_protocol",
        "traces",
        "metrics",
        "logs",
        "metrics_endpoint",
        "metrics_protocol",
        "signals",
        "insecure",
        "service_name",
        "service_version",
        "service_namespace",
        "service_instance_id",
        "resource_attributes",
        "conventions",
        "span_name_prefix",
        "create_child_spans",
        "temporality",
        "histograms",
        "max_request_items",
        "max_request_size",
    ];

    /// Sends to this base address, to which the paths of the signals are added.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self { http: HttpConfig::new(endpoint), ..Self::default() }
    }

    /// Sends to a backend whose address, headers, names and signals are known.
    pub fn of(preset: Preset) -> Self {
        Self { preset: Some(preset), ..Self::default() }
    }

    /// Reads the variables of OTLP exporters that OpenTelemetry's specification names: `OTEL_EXPORTER_OTLP_ENDPOINT` and its
    /// like, each also for one signal, `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`.
    ///
    /// As the specification has it, a value that cannot be read is told in the log and ignored.
    ///
    /// # Errors
    /// None of its own; the signature is that of every config.
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
    #[expect(clippy::unnecessary_wraps, reason = "every config has this signature")]
    pub fn from_vars(env: &Env) -> Result<Self, Error> {
        Ok(env::read(env))
    }

    /// Sets the base address.
    #[must_use]
    pub fn with_endpoint(self, endpoint: impl Into<String>) -> Self {
        Self { http: self.http.with_endpoint(endpoint), ..self }
    }

    /// Sets how requests are written and carried.
    #[must_use]
    pub fn with_protocol(self, protocol: Protocol) -> Self {
        Self { protocol: Some(protocol), ..self }
    }

    /// Sets the key of the preset's backend.
    #[must_use]
    pub fn with_api_key(self, api_key: impl Into<Secret>) -> Self {
        Self { api_key: Some(api_key.into()), ..self }
    }

    /// Sets the project of the preset's backend.
    #[must_use]
    pub fn with_project(self, project: impl Into<String>) -> Self {
        Self { project: Some(project.into()), ..self }
    }

    /// Sets the space of Arize AX.
    #[must_use]
    pub fn with_space_id(self, space_id: impl Into<Secret>) -> Self {
        Self { space_id: Some(space_id.into()), ..self }
    }

    /// Sets the dataset of the preset's backend.
    #[must_use]
    pub fn with_dataset(self, dataset: impl Into<String>) -> Self {
        Self { dataset: Some(dataset.into()), ..self }
    }

    /// Sets the region of the preset's backend.
    #[must_use]
    pub fn with_region(self, region: impl Into<String>) -> Self {
        Self { region: Some(region.into()), ..self }
    }

    /// Sets Sentry's DSN.
    #[must_use]
    pub fn with_dsn(self, dsn: impl Into<Secret>) -> Self {
        Self { dsn: Some(dsn.into()), ..self }
    }

    /// Sets the address of the pages that show traces.
    #[must_use]
    pub fn with_ui_endpoint(self, address: impl Into<Address>) -> Self {
        Self { ui_endpoint: Some(address.into()), ..self }
    }

    /// Sets what goes for spans alone.
    #[must_use]
    pub fn with_traces(self, traces: SignalConfig) -> Self {
        Self { traces, ..self }
    }

    /// Sets what goes for metrics alone.
    #[must_use]
    pub fn with_metrics(self, metrics: SignalConfig) -> Self {
        Self { metrics, ..self }
    }

    /// Sets what goes for logs, scores and feedback alone.
    #[must_use]
    pub fn with_logs(self, logs: SignalConfig) -> Self {
        Self { logs, ..self }
    }

    /// Sends these signals and no others.
    #[must_use]
    pub fn with_signals(self, signals: impl IntoIterator<Item = Signal>) -> Self {
        Self { signals: Some(signals.into_iter().collect()), ..self }
    }

    /// Sets the `service.name` of records that have none.
    #[must_use]
    pub fn with_service_name(self, name: impl Into<Str>) -> Self {
        Self { service_name: Some(name.into()), ..self }
    }

    /// Sets the `service.version` of records that have none.
    #[must_use]
    pub fn with_service_version(self, version: impl Into<Str>) -> Self {
        Self { service_version: Some(version.into()), ..self }
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

    /// Sets whose names the attributes of spans have.
    #[must_use]
    pub fn with_conventions(self, conventions: Conventions) -> Self {
        Self { conventions: Some(conventions), ..self }
    }

    /// Sets what stands before the name of every span.
    #[must_use]
    pub fn with_span_name_prefix(self, prefix: impl Into<Str>) -> Self {
        Self { span_name_prefix: Some(prefix.into()), ..self }
    }

    /// Sets whether children are spans of their own.
    #[must_use]
    pub fn with_create_child_spans(self, create_child_spans: bool) -> Self {
        Self { create_child_spans, ..self }
    }

    /// Sets since when the points of series count.
    #[must_use]
    pub fn with_temporality(self, temporality: Temporality) -> Self {
        Self { temporality: Some(temporality), ..self }
    }

    /// Sets what samples of a distribution become.
    #[must_use]
    pub fn with_histograms(self, histograms: Histograms) -> Self {
        Self { histograms: Some(histograms), ..self }
    }

    /// Sets the most records of a request.
    #[must_use]
    pub fn with_max_request_items(self, max_request_items: usize) -> Self {
        Self { max_request_items, ..self }
    }

    /// Sets the most bytes of a request before compression.
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

impl<'de> Deserialize<'de> for OtelConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(HttpConfig::beside(Self::OWN, deserializer))
            .map_err(|unexplained| error(error_elsewhere(unexplained, ELSEWHERE)))
    }
}
