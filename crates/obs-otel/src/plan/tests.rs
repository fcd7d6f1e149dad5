//! Where each preset's requests go, over each protocol and in each region, and with which headers.

use obs_http::{Auth, HttpConfig};

use super::*;
use crate::Preset;

/// The preset with all that it must have and may have.
fn whole(preset: Preset) -> OtelConfig {
    let config = OtelConfig::of(preset);
    match preset {
        Preset::Arize => config.with_api_key("key").with_space_id("space").with_project("shop"),
        Preset::Honeycomb | Preset::Dash0 => config.with_api_key("key").with_dataset("ds"),
        Preset::Phoenix | Preset::Traceloop => config.with_api_key("key").with_project("shop"),
        Preset::Signoz | Preset::Laminar => config.with_api_key("key"),
        Preset::Sentry => config.with_dsn("https://key@o1.ingest.sentry.io/42"),
        Preset::Mlflow => config.with_api_key("key").with_project("7"),
        _ => config,
    }
}

/// Of one service: the whole address, and the names of the headers.
fn row(plan: &Plan, service: Service) -> String {
    let Line { protocol, http, target, .. } = plan.line(service);
    let auth = match &http.auth {
        Auth::None => None,
        Auth::Bearer(_) => Some("authorization: Bearer"),
        Auth::Basic { .. } => Some("authorization: Basic"),
        Auth::Header { name, .. } => Some(name.as_str()),
    };
    let names: Vec<_> = auth.into_iter().chain(http.headers.keys().map(String::as_str)).collect();
    let url = format!("{}{target}", http.endpoint);
    format!(
        "{:<13} {:<7} {url} [{}]",
        protocol.as_str(),
        format!("{service:?}").to_lowercase(),
        names.join(", ")
    )
}

/// A table of all presets over these protocols.
fn table(protocols: &[Protocol]) -> String {
    let mut rows = Vec::new();
    for preset in Preset::ALL {
        let facts = preset.facts();
        let regions = facts.regions.iter().map(|(name, _)| *name).filter(|_| facts.regions.len() > 1);
        let regions = regions.map(|name| if name == "*" { "other-1" } else { name });
        for region in std::iter::once(None).chain(regions.map(Some)) {
            let config = OtelConfig { region: region.map(Into::into), ..whole(preset) };
            for protocol in protocols.iter().filter(|protocol| facts.protocols.contains(protocol)) {
                let plan = Plan::of(config.clone().with_protocol(*protocol)).unwrap();
                let services = Service::ALL.into_iter().filter(|service| plan.takes(*service));
                rows.extend(services.map(|service| {
                    let name = format!("{} {}", facts.name, region.unwrap_or("-"));
                    format!("{name:<23} {}", row(&plan, service))
                }));
            }
        }
    }
    rows.join("\n")
}

impl Plan {
    fn takes(&self, service: Service) -> bool {
        carried(service).iter().any(|signal| self.signals.contains(*signal))
    }
}

#[test]
fn every_presets_address_and_headers_over_http() {
    insta::assert_snapshot!(table(&[Protocol::HttpProtobuf]));
    let json = table(&[Protocol::HttpJson]).replace("http/json    ", "http/protobuf");
    let binary = table(&[Protocol::HttpProtobuf]);
    assert!(json.lines().all(|row| binary.lines().any(|other| other == row)), "{json}");
}

#[test]
#[cfg(feature = "grpc")]
fn every_presets_address_and_metadata_over_grpc() {
    insta::assert_snapshot!(table(&[Protocol::Grpc]));
}

fn traces(config: OtelConfig) -> String {
    row(&Plan::of(config).unwrap(), Service::Traces)
}

#[test]
fn an_address_of_arizes_own_clients_gets_the_paths_behind_its_version() {
    for address in
        ["https://otlp.arize.com/v1", "https://otlp.arize.com/v1/", "https://otlp.arize.com/v1/traces"]
    {
        let said = traces(whole(Preset::Arize).with_endpoint(address));
        assert!(said.contains(" https://otlp.arize.com/v1/traces ["), "{said}");
    }
}

#[test]
fn an_address_on_the_port_that_speaks_grpc_alone_means_grpc() {
    for (preset, address, shown) in [
        (
            Preset::Dash0,
            "ingress.us-west-2.aws.dash0.com:4317",
            "https://ingress.us-west-2.aws.dash0.com:4317",
        ),
        (Preset::Dash0, "https://ingress.x.aws.dash0.com:4317", "https://ingress.x.aws.dash0.com:4317"),
        (Preset::Phoenix, "http://localhost:4317", "http://localhost:4317"),
        (Preset::Laminar, "https://api.lmnr.ai:8443", "https://api.lmnr.ai:8443"),
    ] {
        let plan = Plan::of(whole(preset).with_endpoint(address));
        if cfg!(feature = "grpc") {
            let said = row(&plan.unwrap(), Service::Traces);
            assert!(said.starts_with("grpc") && said.contains(&format!(" {shown} [")), "{said}");
        } else {
            let error = plan.unwrap_err();
            let said = error.message();
            assert!(said.starts_with("endpoint: ") && said.contains("gRPC is not built in"), "{said}");
        }
        let named = Plan::of(whole(preset).with_endpoint(address).with_protocol(Protocol::HttpProtobuf));
        assert_eq!(named.unwrap().line(Service::Traces).protocol, Protocol::HttpProtobuf);
    }
    assert!(traces(whole(Preset::Jaeger).with_endpoint("http://jaeger:4317")).starts_with("http/protobuf"));
}

/// The line of metrics that go to an address of their own.
fn metrics(config: OtelConfig, address: &str) -> HttpConfig {
    let plan = Plan::of(config.with_metrics(SignalConfig::new(address))).unwrap();
    plan.line(Service::Metrics).http.clone()
}

#[test]
fn law_6_a_vendors_key_goes_to_no_other_host() {
    let other = "https://otlp.other.example/v1/metrics";
    for preset in Preset::ALL {
        let http = metrics(whole(preset), other);
        assert_eq!((http.auth, http.headers.len()), (Auth::None, 0), "{preset:?}");
    }
    let basic = HttpConfig::default().with_auth(Auth::basic("u", "p")).with_header("x-any", "v");
    let mlflow = OtelConfig::of(Preset::Mlflow).with_project("7").with_http(basic);
    let http = metrics(mlflow, other);
    assert_eq!((http.auth, http.headers.len()), (Auth::None, 0));
    for (address, names) in [
        ("https://api.honeycomb.io/v1/metrics", 2),
        ("https://api.eu1.honeycomb.io:443/v1/metrics", 2),
        ("https://api.honeycomb.io.example/v1/metrics", 0),
    ] {
        assert_eq!(metrics(whole(Preset::Honeycomb), address).headers.len(), names, "{address}");
    }
    for (address, is_home) in [
        ("https://ingress.us-west-2.aws.dash0.com/v1/metrics", true),
        ("https://ingress.evil.example/x.aws.dash0.com/v1/metrics", false),
        ("https://ingress.evil.example.aws.dash0.com/v1/metrics", false),
    ] {
        assert_eq!(metrics(whole(Preset::Dash0), address).auth != Auth::None, is_home, "{address}");
    }
}

#[test]
fn what_a_user_sets_for_all_signals_goes_with_all_of_them() {
    let http = HttpConfig::default().with_auth(Auth::bearer("t")).with_header("x-any", "v");
    let config =
        OtelConfig::new("http://localhost:4318").with_http(http.with_endpoint("http://localhost:4318"));
    let http = metrics(config, "https://otlp.other.example/v1/metrics");
    assert_eq!((http.auth, http.headers.len()), (Auth::bearer("t"), 1));
}

#[test]
fn a_signal_replaces_and_turns_off_the_credential_of_all() {
    let all = HttpConfig::new("http://localhost:4318").with_auth(Auth::bearer("t"));
    let auth = |own: SignalConfig| {
        let config = OtelConfig::default().with_http(all.clone()).with_metrics(own);
        let http = Plan::of(config).unwrap().line(Service::Metrics).http.clone();
        obs_http::Client::new(&http).unwrap();
        http.auth
    };
    assert_eq!(auth(SignalConfig::default()), Auth::bearer("t"));
    assert_eq!(auth(SignalConfig::default().with_auth(Auth::bearer("own"))), Auth::bearer("own"));
    assert_eq!(auth(SignalConfig::default().with_auth(Auth::None)), Auth::None);
    assert_eq!(auth(SignalConfig::default().with_header("Authorization", "Bearer own")), Auth::None);
    let read: SignalConfig = serde_json::from_str(r#"{"auth": "none"}"#).unwrap();
    assert_eq!(read.auth, Some(Auth::None));
    let elsewhere = SignalConfig::new("https://otlp.other.example").with_auth(Auth::bearer("own"));
    let plan = Plan::of(whole(Preset::Honeycomb).with_metrics(elsewhere)).unwrap();
    assert_eq!(plan.line(Service::Metrics).http.auth, Auth::bearer("own"));
}

#[test]
fn no_signals_are_none_and_signals_that_a_backend_does_not_take_are_a_mistake() {
    assert!(Plan::of(OtelConfig::of(Preset::Jaeger).with_signals([])).unwrap().signals.is_empty());
    let error = Plan::of(OtelConfig::of(Preset::Jaeger).with_signals([Signal::Logs])).unwrap_err();
    assert!(error.message().starts_with("signals: "), "{}", error.message());
}
