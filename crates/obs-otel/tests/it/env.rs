//! Every variable, its form and its precedence.

use std::time::Duration;

use obs_core::{Env, Secret, Signal};
use obs_http::Compression;
use obs_otel::{Address, Histograms, OtelConfig, OtelExporter, Preset, Protocol, SignalConfig, Temporality};
use obs_testkit::{CaptureServer, fixtures};

fn read(variables: &[(&str, &str)]) -> OtelConfig {
    OtelConfig::from_vars(&Env::of(variables.iter().copied())).unwrap()
}

const P: &str = "OTEL_EXPORTER_OTLP_";

/// A variable for all signals or one of them, what it is set to, and whether the config says so then.
type Row = (&'static str, &'static str, fn(&SignalConfig) -> bool);

/// The same rows for each signal.
const ROWS: &[Row] = &[
    ("ENDPOINT", "http://h:1/x", |own| own.endpoint == Some(Address::from("http://h:1/x"))),
    ("PROTOCOL", "HTTP/Json", |own| own.protocol == Some(Protocol::HttpJson)),
    ("PROTOCOL", "http/protobuf", |own| own.protocol == Some(Protocol::HttpProtobuf)),
    ("PROTOCOL", "GRPC", |own| own.protocol == Some(Protocol::Grpc)),
    ("HEADERS", " a = b , Authorization=Basic%20dTpw,", |own| {
        let headers = own.headers.as_ref().unwrap();
        headers["a"] == Secret::new("b") && headers["authorization"] == Secret::new("Basic dTpw")
    }),
    ("TIMEOUT", "2500", |own| own.timeout == Some(Duration::from_millis(2_500))),
    ("COMPRESSION", "GZIP", |own| own.compression == Some(Compression::Gzip)),
    ("COMPRESSION", "zstd", |own| own.compression == Some(Compression::Zstd)),
    ("COMPRESSION", "none", |own| own.compression == Some(Compression::None)),
    ("CERTIFICATE", "/ca.pem", |own| own.ca_file.as_deref() == Some("/ca.pem".as_ref())),
    ("CLIENT_CERTIFICATE", "/me.pem", |own| own.client_certificate.as_deref() == Some("/me.pem".as_ref())),
    ("CLIENT_KEY", "/me.key", |own| own.client_key.as_deref() == Some("/me.key".as_ref())),
    ("INSECURE", "True", |own| own.insecure == Some(true)),
    ("INSECURE", "false", |own| own.insecure == Some(false)),
];

/// What the config says for all signals, as if it were one.
fn of_all(config: &OtelConfig) -> SignalConfig {
    let mut all = SignalConfig::default();
    let http = &config.http;
    all.endpoint = Some(&http.endpoint).filter(|address| !address.is_empty()).map(|it| it.as_str().into());
    all.protocol = config.protocol;
    all.headers = Some(http.headers.clone()).filter(|headers| !headers.is_empty());
    all.timeout = Some(http.timeout).filter(|timeout| *timeout != Duration::from_secs(10));
    all.compression = http.compression;
    all.ca_file.clone_from(&http.ca_file);
    all.client_certificate.clone_from(&http.client_certificate);
    all.client_key.clone_from(&http.client_key);
    all.insecure = config.insecure;
    all
}

#[test]
fn every_variable_has_its_place_for_all_signals_and_for_each() {
    for (name, value, is_there) in ROWS {
        let all = read(&[(&format!("{P}{name}"), value)]);
        assert!(is_there(&of_all(&all)), "{name}={value}");
        assert_eq!([&all.traces, &all.metrics, &all.logs], [&SignalConfig::default(); 3], "{name}");
        for signal in ["TRACES", "METRICS", "LOGS"] {
            let config = read(&[(&format!("{P}{signal}_{name}"), value)]);
            let own = match signal {
                "TRACES" => &config.traces,
                "METRICS" => &config.metrics,
                _ => &config.logs,
            };
            assert!(is_there(own), "{signal}_{name}={value}");
            assert_eq!(of_all(&config), SignalConfig::default(), "{signal}_{name} is for one signal");
        }
    }
}

#[test]
fn what_is_empty_is_not_set_and_what_cannot_be_read_is_ignored() {
    for (name, _, _) in ROWS {
        assert_eq!(read(&[(&format!("{P}{name}"), "")]), OtelConfig::default(), "{name}");
    }
    for (name, value) in [
        ("PROTOCOL", "http"),
        ("HEADERS", "no pair"),
        ("HEADERS", "a=%zz"),
        ("HEADERS", "=b"),
        ("TIMEOUT", "10s"),
        ("TIMEOUT", "0"),
        ("TIMEOUT", "-1"),
        ("COMPRESSION", "brotli"),
        ("INSECURE", "maybe"),
        ("METRICS_TEMPORALITY_PREFERENCE", "sometimes"),
        ("METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "buckets"),
    ] {
        assert_eq!(read(&[(&format!("{P}{name}"), value)]), OtelConfig::default(), "{name}={value}");
    }
    assert_eq!(read(&[("OTEL_RESOURCE_ATTRIBUTES", "a=b,c")]), OtelConfig::default());
}

#[test]
fn metrics_have_a_temporality_and_a_form_of_histograms() {
    for (value, expected) in [
        ("cumulative", Temporality::Cumulative),
        ("Delta", Temporality::Delta),
        ("LOWMEMORY", Temporality::LowMemory),
    ] {
        let config = read(&[("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", value)]);
        assert_eq!(config.temporality, Some(expected));
    }
    for (value, expected) in [
        ("explicit_bucket_histogram", Histograms::Explicit),
        ("BASE2_exponential_bucket_histogram", Histograms::Exponential),
    ] {
        let config = read(&[("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", value)]);
        assert_eq!(config.histograms, Some(expected));
    }
}

#[test]
fn a_service_has_the_name_of_its_own_variable_before_that_of_the_attributes() {
    let config = read(&[
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=free,host.name=web%2D01,team=a%2Cb"),
        ("OTEL_SERVICE_NAME", "shop"),
    ]);
    assert_eq!(config.service_name.as_deref(), Some("shop"));
    let text = |key: &str| config.resource_attributes.get(key).and_then(|value| value.as_str());
    assert_eq!([text("host.name"), text("team")], [Some("web-01"), Some("a,b")]);
}

#[test]
fn what_is_said_of_the_resource_can_be_read_alone() {
    let env = Env::of([
        ("OTEL_SERVICE_NAME", "chat"),
        ("OTEL_RESOURCE_ATTRIBUTES", "host.name=h"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:1"),
        ("OTEL_TRACES_EXPORTER", "none"),
    ]);
    let expected = OtelConfig::default().with_service_name("chat").with_resource_attribute("host.name", "h");
    assert_eq!(OtelConfig::default().with_resource_vars(&env), expected);
}

#[test]
fn an_exporter_that_is_none_turns_its_signals_off() {
    let off = read(&[("OTEL_METRICS_EXPORTER", "none"), ("OTEL_LOGS_EXPORTER", "None")]);
    assert_eq!(off.signals, Some(vec![Signal::Traces]));
    assert_eq!(read(&[("OTEL_TRACES_EXPORTER", "otlp")]).signals, None);
}

#[tokio::test]
async fn three_exporters_that_are_none_make_an_exporter_of_no_signals() {
    let names = ["OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER"];
    for preset in [None, Some(Preset::Jaeger)] {
        let variables = Env::of(names.map(|name| (name, "none")));
        let config = match preset {
            Some(preset) => preset.config_from_vars(&variables),
            None => OtelConfig::from_vars(&variables),
        };
        let exporter = OtelExporter::new(config.unwrap()).unwrap();
        assert!(obs_core::Exporter::descriptor(&exporter).signals().is_empty());
        assert_eq!(obs_core::Exporter::check(&exporter).await, obs_core::Health::Healthy);
    }
}

#[test]
fn a_prefix_stands_before_every_name() {
    let env = Env::of([("P_OTEL_EXPORTER_OTLP_ENDPOINT", "http://h"), ("OTEL_SERVICE_NAME", "other")])
        .prefixed("P");
    let config = OtelConfig::from_vars(&env).unwrap();
    assert_eq!((config.http.endpoint.as_str(), config.service_name), ("http://h", None));
}

/// The paths that spans, metrics and logs are sent to, and a header with each.
async fn sent(variables: &[(&str, &str)]) -> Vec<(String, Option<String>)> {
    let server = CaptureServer::start().await;
    let variables = variables.iter().map(|(name, value)| (*name, value.replace("{url}", &server.url())));
    let config = OtelConfig::from_vars(&Env::of(variables)).unwrap();
    let exporter = OtelExporter::new(config).unwrap();
    for batch in fixtures::all() {
        if [Signal::Traces, Signal::Logs].contains(&batch.signal()) {
            let batch = obs_testkit::conformance::input(&batch, &obs_otel::DESCRIPTOR);
            obs_core::Exporter::export(&exporter, &batch).await.unwrap();
        }
    }
    let requests = server.take_requests();
    let mut seen: Vec<_> = requests
        .iter()
        .map(|request| (request.path.clone(), request.header("x-a").map(ToOwned::to_owned)))
        .collect();
    seen.dedup();
    seen
}

fn at(path: &str, header: Option<&str>) -> (String, Option<String>) {
    (path.to_owned(), header.map(ToOwned::to_owned))
}

#[tokio::test]
async fn a_base_gets_the_paths_and_a_signals_own_address_is_taken_as_it_is() {
    let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "{url}/otlp");
    let own = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "{url}/own");
    let paths = [at("/otlp/v1/traces", None), at("/otlp/v1/logs", None)];
    assert_eq!(sent(&[base]).await, paths);
    assert_eq!(sent(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "{url}/otlp/")]).await, paths);
    assert_eq!(sent(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "{url}/otlp/v1/traces")]).await, paths);
    assert_eq!(sent(&[base, own]).await, [at("/own", None), at("/otlp/v1/logs", None)]);
    let both = [own, ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "{url}/")];
    assert_eq!(sent(&both).await, [at("/own", None), at("/", None)]);
}

#[tokio::test]
async fn a_signals_own_headers_stand_in_place_of_those_of_all() {
    let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "{url}");
    let all = ("OTEL_EXPORTER_OTLP_HEADERS", "x-a=all,x-b=all");
    let own = ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-a=own");
    assert_eq!(sent(&[base, all, own]).await, [at("/v1/traces", Some("own")), at("/v1/logs", Some("all"))]);
    assert_eq!(sent(&[base, own]).await, [at("/v1/traces", Some("own")), at("/v1/logs", None)]);
}

#[test]
fn code_wins_over_the_environment() {
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://env"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_SERVICE_NAME", "env"),
    ];
    let config = read(&variables)
        .with_endpoint("http://code")
        .with_protocol(Protocol::HttpProtobuf)
        .with_service_name("code");
    assert_eq!(config.http.endpoint, "http://code");
    assert_eq!(
        (config.protocol, config.service_name.as_deref()),
        (Some(Protocol::HttpProtobuf), Some("code"))
    );
}

/// What a preset's vendor calls its variables, and what comes of them.
#[test]
fn presets_read_their_vendors_variables() {
    let of = |preset: Preset, variables: &[(&str, &str)]| {
        preset.config_from_vars(&Env::of(variables.iter().copied())).unwrap()
    };
    let config = of(
        Preset::Phoenix,
        &[
            ("PHOENIX_COLLECTOR_ENDPOINT", "https://p"),
            ("PHOENIX_API_KEY", "k"),
            ("PHOENIX_PROJECT_NAME", "shop"),
            ("PHOENIX_CLIENT_HEADERS", "x-a=b"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://not-this"),
        ],
    );
    assert_eq!(config.http.endpoint, "https://p");
    assert_eq!((config.api_key, config.project.as_deref()), (Some(Secret::new("k")), Some("shop")));
    assert_eq!(config.http.headers["x-a"], Secret::new("b"));
    let config = of(Preset::Signoz, &[("SIGNOZ_API_KEY", "k"), ("SIGNOZ_REGION", "eu")]);
    assert_eq!(config.region.as_deref(), Some("eu"));
    let config =
        of(Preset::DatadogAgent, &[("DD_AGENT_HOST", "agent"), ("DD_SERVICE", "s"), ("DD_ENV", "prod")]);
    assert_eq!(
        (config.http.endpoint.as_str(), config.service_name.as_deref()),
        ("http://agent:4318", Some("s"))
    );
    assert!(config.resource_attributes.get("deployment.environment.name").is_some());
    let config = of(Preset::Jaeger, &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://jaeger:4318")]);
    assert_eq!(config.http.endpoint, "http://jaeger:4318");
}

#[test]
fn a_vendors_key_that_is_missing_is_named() {
    for (preset, variable) in [
        (Preset::Arize, "ARIZE_API_KEY"),
        (Preset::Honeycomb, "HONEYCOMB_API_KEY"),
        (Preset::Signoz, "SIGNOZ_API_KEY"),
        (Preset::Dash0, "DASH0_API_KEY"),
        (Preset::Laminar, "LMNR_PROJECT_API_KEY"),
        (Preset::Traceloop, "TRACELOOP_API_KEY"),
        (Preset::Mlflow, "MLFLOW_EXPERIMENT_ID"),
        (Preset::Sentry, "SENTRY_DSN"),
    ] {
        let none: [(&str, &str); 0] = [];
        let error = preset.config_from_vars(&Env::of(none)).unwrap_err();
        assert!(
            error.message().starts_with(&format!("{variable}: not set; set it to ")),
            "{}",
            error.message()
        );
    }
}
