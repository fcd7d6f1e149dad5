//! Backends whose address, headers, names and signals are known: one table.

use obs_core::{Signal, Signals};
use obs_http::Compression;
use serde::Deserialize;

use crate::{Conventions, Protocol, Temporality, endpoint};

/// A backend that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Preset {
    /// Arize Phoenix, on this machine by default.
    Phoenix,
    /// Arize AX.
    Arize,
    /// Honeycomb.
    Honeycomb,
    /// SigNoz Cloud; with `endpoint`, a SigNoz of your own.
    Signoz,
    /// Dash0.
    Dash0,
    /// Sentry, by its DSN.
    Sentry,
    /// Laminar.
    Laminar,
    /// Traceloop.
    Traceloop,
    /// An MLflow server from 3.6 on, on this machine by default.
    Mlflow,
    /// Jaeger from 1.35 on, on this machine by default.
    Jaeger,
    /// Grafana's image `otel-lgtm`, on this machine by default.
    GrafanaLgtm,
    /// A Datadog Agent with OTLP ingestion, on this machine by default.
    DatadogAgent,
}

/// What is known of a backend.
#[derive(Debug)]
pub(crate) struct Facts {
    /// The name in files.
    pub(crate) name: &'static str,
    /// Base addresses by region, the default first; `*` stands for any other, and `{region}` for its name.
    pub(crate) regions: &'static [(&'static str, &'static str)],
    /// The base address for gRPC where it is another; `{region}` stands for the region's name.
    pub(crate) grpc: Option<&'static str>,
    /// The port that speaks gRPC and nothing else: an address on it means gRPC where no protocol is set.
    pub(crate) grpc_port: Option<u16>,
    /// What the vendor's own addresses end in before a signal's path, which the paths of OTLP begin with.
    pub(crate) version: Option<&'static str>,
    /// What it speaks.
    pub(crate) protocols: &'static [Protocol],
    pub(crate) signals: Signals,
    /// Whether it drops the events of spans, so that children cannot be some.
    pub(crate) drops_events: bool,
    pub(crate) conventions: Conventions,
    pub(crate) temporality: Temporality,
    pub(crate) compression: Compression,
    /// Where the options for this backend go.
    pub(crate) settings: &'static [Setting],
    /// Variables with the address, the first that is set wins.
    pub(crate) address: &'static [&'static str],
    /// A variable with further headers, written as OTLP's.
    pub(crate) headers: Option<&'static str>,
    /// Variables that become attributes of the resource.
    pub(crate) resource: &'static [(&'static str, &'static str)],
    /// The page of a trace; `{ui}` stands for the address of the pages, `{trace_id}` for the id.
    pub(crate) page: Option<&'static str>,
    /// The port of the pages where they are not where spans go; beside `grpc_port`, where spans go to that one.
    pub(crate) page_port: Option<u16>,
    /// What the backend makes of a signal.
    pub(crate) remarks: &'static [(Signal, &'static str)],
}

/// An option for a backend.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) option: Given,
    pub(crate) goes: Goes,
    pub(crate) need: Need,
    /// The first that is set wins.
    pub(crate) variables: &'static [&'static str],
    /// What a user is to set it to.
    pub(crate) what: &'static str,
}

/// Which field of the config.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Given {
    ApiKey,
    SpaceId,
    Project,
    Dataset,
    Dsn,
}

impl Given {
    pub(crate) const ALL: [Self; 5] = [Self::ApiKey, Self::SpaceId, Self::Project, Self::Dataset, Self::Dsn];

    /// The field's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::SpaceId => "space_id",
            Self::Project => "project",
            Self::Dataset => "dataset",
            Self::Dsn => "dsn",
        }
    }
}

/// What becomes of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goes {
    /// `Authorization: Bearer …`.
    Bearer,
    /// A header of every request, with a credential.
    Header(&'static str),
    /// The same under its name over HTTP, and over gRPC under a second one, too.
    TwoHeaders(&'static str, &'static str),
    /// A header of every request that is no credential.
    PlainHeader(&'static str),
    /// A header of requests with metrics that is no credential.
    MetricsHeader(&'static str),
    /// An attribute of the resource.
    Resource(&'static str),
    /// The address and the key.
    Dsn,
}

/// Whether an option must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Always,
    /// Where requests go to the vendor's own address.
    Cloud,
    Never,
}

const EVENTS: Signals = Signals::ALL;
const TRACES: Signals = Signals::NONE.with(Signal::Traces);
const ALL: &[Protocol] = &[Protocol::HttpProtobuf, Protocol::HttpJson, Protocol::Grpc];
const BINARY: &[Protocol] = &[Protocol::HttpProtobuf, Protocol::Grpc];
const HTTP: &[Protocol] = &[Protocol::HttpProtobuf, Protocol::HttpJson];

const LOCAL: Facts = Facts {
    name: "",
    regions: &[("", "http://localhost:4318")],
    grpc: Some("http://localhost:4317"),
    grpc_port: None,
    version: None,
    protocols: ALL,
    signals: EVENTS,
    drops_events: false,
    conventions: Conventions::GenAi,
    temporality: Temporality::Cumulative,
    compression: Compression::None,
    settings: &[],
    address: &[],
    headers: None,
    resource: &[],
    page: None,
    page_port: None,
    remarks: &[],
};

const CLOUD: Facts = Facts { grpc: None, compression: Compression::Gzip, ..LOCAL };

const PROJECT: &str = "openinference.project.name";

const KEY: Setting = Setting {
    option: Given::ApiKey,
    goes: Goes::Bearer,
    need: Need::Cloud,
    variables: &[],
    what: "the key of your account",
};

const PHOENIX: Facts = Facts {
    name: "phoenix",
    regions: &[("", "http://localhost:6006")],
    grpc_port: Some(4317),
    protocols: BINARY,
    signals: TRACES,
    conventions: Conventions::OpenInference,
    settings: &[
        Setting { need: Need::Never, variables: &["PHOENIX_API_KEY"], ..KEY },
        Setting {
            option: Given::Project,
            goes: Goes::Resource(PROJECT),
            need: Need::Never,
            variables: &["PHOENIX_PROJECT_NAME"],
            what: "the project's name",
        },
    ],
    address: &["PHOENIX_COLLECTOR_ENDPOINT", "PHOENIX_ENDPOINT"],
    headers: Some("PHOENIX_CLIENT_HEADERS"),
    page: Some("{ui}/redirects/traces/{trace_id}"),
    page_port: Some(6006),
    ..LOCAL
};

const ARIZE: Facts = Facts {
    name: "arize",
    regions: &[
        ("us", "https://otlp.arize.com"),
        ("eu", "https://otlp.eu-west-1a.arize.com"),
        ("ca", "https://otlp.ca-central-1a.arize.com"),
        ("us-central-1a", "https://otlp.us-central-1a.arize.com"),
        ("eu-west-1a", "https://otlp.eu-west-1a.arize.com"),
        ("ca-central-1a", "https://otlp.ca-central-1a.arize.com"),
    ],
    version: Some("/v1"),
    protocols: BINARY,
    signals: TRACES,
    conventions: Conventions::OpenInference,
    settings: &[
        // The vendor's pages have the names with hyphens for both protocols, its Python client sends those with
        // underscores over gRPC, and other clients' pages ask for these there.
        Setting { goes: Goes::TwoHeaders("arize-api-key", "api_key"), variables: &["ARIZE_API_KEY"], ..KEY },
        Setting {
            option: Given::SpaceId,
            goes: Goes::TwoHeaders("arize-space-id", "space_id"),
            need: Need::Cloud,
            variables: &["ARIZE_SPACE_ID"],
            what: "the id of your space",
        },
        Setting {
            option: Given::Project,
            goes: Goes::Resource(PROJECT),
            need: Need::Always,
            variables: &["ARIZE_PROJECT_NAME"],
            what: "the project's name, which need not exist yet",
        },
    ],
    address: &["ARIZE_COLLECTOR_ENDPOINT"],
    ..CLOUD
};

const HONEYCOMB: Facts = Facts {
    name: "honeycomb",
    regions: &[("us", "https://api.honeycomb.io"), ("eu", "https://api.eu1.honeycomb.io")],
    settings: &[
        Setting { goes: Goes::Header("x-honeycomb-team"), variables: &["HONEYCOMB_API_KEY"], ..KEY },
        Setting {
            option: Given::Dataset,
            goes: Goes::MetricsHeader("x-honeycomb-dataset"),
            need: Need::Never,
            variables: &["HONEYCOMB_METRICS_DATASET", "HONEYCOMB_DATASET"],
            what: "the dataset for metrics",
        },
    ],
    address: &["HONEYCOMB_API_ENDPOINT"],
    remarks: &[(Signal::Metrics, "into the dataset `unknown_metrics` where `dataset` is not set")],
    ..CLOUD
};

const SIGNOZ: Facts = Facts {
    name: "signoz",
    regions: &[("us", "https://ingest.us.signoz.cloud"), ("*", "https://ingest.{region}.signoz.cloud")],
    settings: &[Setting {
        goes: Goes::Header("signoz-ingestion-key"),
        variables: &["SIGNOZ_API_KEY", "SIGNOZ_INGESTION_KEY"],
        ..KEY
    }],
    address: &["SIGNOZ_ENDPOINT"],
    ..CLOUD
};

const DASH0: Facts = Facts {
    name: "dash0",
    regions: &[
        ("eu-west-1", "https://ingress.eu-west-1.aws.dash0.com"),
        ("*", "https://ingress.{region}.aws.dash0.com"),
    ],
    grpc: Some("https://ingress.{region}.aws.dash0.com:4317"),
    grpc_port: Some(4317),
    settings: &[
        Setting { need: Need::Always, variables: &["DASH0_API_KEY", "DASH0_AUTH_TOKEN"], ..KEY },
        Setting {
            option: Given::Dataset,
            goes: Goes::PlainHeader("dash0-dataset"),
            need: Need::Never,
            variables: &["DASH0_DATASET"],
            what: "the dataset",
        },
    ],
    address: &["DASH0_ENDPOINT"],
    ..CLOUD
};

const SENTRY: Facts = Facts {
    name: "sentry",
    regions: &[],
    protocols: HTTP,
    signals: EVENTS.without(Signal::Metrics),
    drops_events: true,
    settings: &[Setting {
        option: Given::Dsn,
        goes: Goes::Dsn,
        need: Need::Always,
        variables: &["SENTRY_DSN"],
        what: "the DSN of your project, https://KEY@o1.ingest.sentry.io/2",
    }],
    resource: &[("SENTRY_ENVIRONMENT", "deployment.environment.name"), ("SENTRY_RELEASE", "service.version")],
    remarks: &[
        (Signal::Traces, "Sentry drops the events of spans, and with them an error's stack"),
        (Signal::Metrics, "Sentry takes none over OTLP"),
    ],
    ..CLOUD
};

const LAMINAR: Facts = Facts {
    name: "laminar",
    regions: &[("", "https://api.lmnr.ai")],
    grpc: Some("https://api.lmnr.ai:8443"),
    grpc_port: Some(8443),
    signals: TRACES,
    settings: &[Setting { variables: &["LMNR_PROJECT_API_KEY"], ..KEY }],
    address: &["LMNR_BASE_URL", "LAMINAR_ENDPOINT"],
    ..CLOUD
};

const TRACELOOP: Facts = Facts {
    name: "traceloop",
    regions: &[("", "https://api.traceloop.com")],
    protocols: HTTP,
    signals: TRACES.with(Signal::Metrics),
    settings: &[
        Setting { variables: &["TRACELOOP_API_KEY"], ..KEY },
        Setting {
            option: Given::Project,
            goes: Goes::PlainHeader("x-traceloop-destination-id"),
            need: Need::Never,
            variables: &["TRACELOOP_DESTINATION_ID"],
            what: "the id of a destination",
        },
    ],
    address: &["TRACELOOP_BASE_URL", "TRACELOOP_ENDPOINT"],
    headers: Some("TRACELOOP_HEADERS"),
    ..CLOUD
};

const MLFLOW: Facts = Facts {
    name: "mlflow",
    regions: &[("", "http://localhost:5000")],
    protocols: &[Protocol::HttpProtobuf],
    signals: TRACES,
    settings: &[
        Setting { need: Need::Never, variables: &["MLFLOW_TRACKING_TOKEN"], ..KEY },
        Setting {
            option: Given::Project,
            goes: Goes::PlainHeader("x-mlflow-experiment-id"),
            need: Need::Always,
            variables: &["MLFLOW_EXPERIMENT_ID"],
            what: "the experiment's id, such as 0",
        },
    ],
    address: &["MLFLOW_TRACKING_URI"],
    ..LOCAL
};

const JAEGER: Facts = Facts {
    name: "jaeger",
    signals: TRACES,
    page: Some("{ui}/trace/{trace_id}"),
    page_port: Some(16_686),
    ..LOCAL
};

const LGTM: Facts = Facts { name: "grafana_lgtm", ..LOCAL };

const DATADOG: Facts = Facts {
    name: "datadog_agent",
    temporality: Temporality::Delta,
    address: &["DD_AGENT_HOST"],
    resource: &[
        ("DD_SERVICE", "service.name"),
        ("DD_VERSION", "service.version"),
        ("DD_ENV", "deployment.environment.name"),
    ],
    remarks: &[(Signal::Logs, "from Agent 7.48 on, where `otlp_config.logs.enabled` is set")],
    ..LOCAL
};

impl Facts {
    /// How requests go to this address where nothing else is said.
    pub(crate) fn spoken_at(&self, address: &str) -> Protocol {
        match self.grpc_port.filter(|grpc| endpoint::port(address) == Some(*grpc)) {
            Some(_) => Protocol::Grpc,
            None => self.protocols[0],
        }
    }

    /// Whether this host is one of the vendor's own that are known.
    pub(crate) fn knows(&self, host: &str) -> bool {
        let regional = self.regions.iter().map(|(_, address)| *address);
        regional.chain(self.grpc).any(|address| match address.split_once("{region}") {
            None => endpoint::host(address).as_deref() == Some(host),
            Some((before, after)) => {
                let before = before.rsplit("://").next().unwrap_or_default();
                let after = after.split(':').next().unwrap_or_default();
                host.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).is_some_and(is_region)
            }
        })
    }
}

/// Whether a text can stand for a region within a host's name.
pub(crate) fn is_region(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Phoenix,
        Self::Arize,
        Self::Honeycomb,
        Self::Signoz,
        Self::Dash0,
        Self::Sentry,
        Self::Laminar,
        Self::Traceloop,
        Self::Mlflow,
        Self::Jaeger,
        Self::GrafanaLgtm,
        Self::DatadogAgent,
    ];

    /// The name in files.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    pub(crate) const fn facts(self) -> &'static Facts {
        match self {
            Self::Phoenix => &PHOENIX,
            Self::Arize => &ARIZE,
            Self::Honeycomb => &HONEYCOMB,
            Self::Signoz => &SIGNOZ,
            Self::Dash0 => &DASH0,
            Self::Sentry => &SENTRY,
            Self::Laminar => &LAMINAR,
            Self::Traceloop => &TRACELOOP,
            Self::Mlflow => &MLFLOW,
            Self::Jaeger => &JAEGER,
            Self::GrafanaLgtm => &LGTM,
            Self::DatadogAgent => &DATADOG,
        }
    }
}
