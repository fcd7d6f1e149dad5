//! What a preset comes to: addresses, headers, names and signals.

use obs_core::{Exporter, MetricForm, Signal, Signals};
use obs_otel::{OtelConfig, OtelExporter, Preset, Protocol};
use obs_testkit::{CaptureServer, Captured, fixtures};

use crate::support::{Sent, attribute};

/// A config of a preset with all that it must have.
fn whole(preset: Preset) -> OtelConfig {
    match preset {
        Preset::Phoenix => OtelConfig::phoenix(),
        Preset::Arize => OtelConfig::arize("space-1", "key-1", "shop"),
        Preset::Honeycomb => OtelConfig::honeycomb("key-1"),
        Preset::Signoz | Preset::Dash0 => OtelConfig::of(preset).with_api_key("key-1"),
        Preset::Sentry => OtelConfig::sentry("https://key1@o1.ingest.sentry.io/42"),
        Preset::Laminar => OtelConfig::laminar("key-1"),
        Preset::Traceloop => OtelConfig::traceloop("key-1"),
        Preset::Mlflow => OtelConfig::mlflow("7"),
        Preset::Jaeger => OtelConfig::jaeger(),
        Preset::GrafanaLgtm => OtelConfig::grafana_lgtm(),
        Preset::DatadogAgent => OtelConfig::datadog_agent(),
        other => panic!("{other:?} is new: say what it must have"),
    }
}

#[test]
fn every_preset_works_with_what_it_must_have_and_names_what_is_missing() {
    for preset in Preset::ALL {
        OtelExporter::new(whole(preset)).unwrap_or_else(|error| panic!("{preset:?}: {error}"));
        let named: OtelConfig =
            serde_json::from_value(serde_json::json!({ "preset": preset.name() })).unwrap();
        assert_eq!(named, OtelConfig::of(preset));
        let error = OtelExporter::new(named).err().map(|error| error.message().to_owned());
        let expected = match preset {
            Preset::Phoenix | Preset::Jaeger | Preset::GrafanaLgtm | Preset::DatadogAgent => None,
            Preset::Mlflow => Some("project: not set; set it, or MLFLOW_EXPERIMENT_ID, to"),
            Preset::Sentry => Some("dsn: not set; set it, or SENTRY_DSN, to"),
            _ => Some("api_key: not set; set it, or "),
        };
        assert_eq!(error.is_some(), expected.is_some(), "{preset:?}: {error:?}");
        assert!(error.unwrap_or_default().starts_with(expected.unwrap_or_default()), "{preset:?}");
    }
}

#[test]
fn a_preset_narrows_the_descriptor_to_what_its_backend_takes() {
    let traces = Signals::NONE.with(Signal::Traces);
    for preset in Preset::ALL {
        let exporter = OtelExporter::new(whole(preset)).unwrap();
        let descriptor = exporter.descriptor();
        let expected = match preset {
            Preset::Phoenix | Preset::Arize | Preset::Laminar | Preset::Mlflow | Preset::Jaeger => traces,
            Preset::Traceloop => traces.with(Signal::Metrics),
            Preset::Sentry => Signals::ALL.without(Signal::Metrics),
            _ => Signals::ALL,
        };
        let taken = obs_otel::DESCRIPTOR.signals().iter().filter(|signal| expected.contains(*signal));
        assert_eq!(descriptor.signals(), taken.collect(), "{preset:?}");
        let delta = preset == Preset::DatadogAgent;
        let form = if delta { MetricForm::Delta } else { MetricForm::Cumulative };
        assert_eq!(descriptor.metric_form(), form, "{preset:?}");
    }
}

/// The spans of a preset, sent to a server on this machine.
async fn spans(config: OtelConfig) -> Vec<Captured> {
    let server = CaptureServer::start().await;
    let exporter = OtelExporter::new(config.with_endpoint(server.url())).unwrap();
    exporter.export(&fixtures::trace_batches().remove(0)).await.unwrap();
    server.take_requests()
}

#[tokio::test]
async fn keys_go_in_the_headers_of_the_vendor() {
    for (preset, headers) in [
        (Preset::Phoenix, &[("authorization", "Bearer key-1")][..]),
        (Preset::Arize, &[("arize-api-key", "key-1"), ("arize-space-id", "space-1")]),
        (Preset::Honeycomb, &[("x-honeycomb-team", "key-1")]),
        (Preset::Signoz, &[("signoz-ingestion-key", "key-1")]),
        (Preset::Dash0, &[("authorization", "Bearer key-1"), ("dash0-dataset", "ds")]),
        (Preset::Laminar, &[("authorization", "Bearer key-1")]),
        (Preset::Traceloop, &[("authorization", "Bearer key-1")]),
        (Preset::Mlflow, &[("x-mlflow-experiment-id", "7")]),
        (Preset::Sentry, &[("x-sentry-auth", "sentry sentry_key=key1")]),
    ] {
        let config = match preset {
            Preset::Phoenix => whole(preset).with_api_key("key-1").with_project("shop"),
            Preset::Dash0 | Preset::Honeycomb => whole(preset).with_dataset("ds"),
            _ => whole(preset),
        };
        let requests = spans(config).await;
        for (name, value) in headers {
            assert_eq!(requests[0].header(name), Some(*value), "{preset:?}");
        }
        assert_eq!(requests[0].header("x-honeycomb-dataset"), None, "it is for metrics alone");
        let Sent::Traces(request) = Sent::of(&requests[0]) else { panic!("{preset:?} sends no spans") };
        let project = attribute(
            &request.resource_spans[0].resource.as_ref().unwrap().attributes,
            "openinference.project.name",
        );
        let has_project = matches!(preset, Preset::Phoenix | Preset::Arize);
        assert_eq!(project.is_some(), has_project, "{preset:?}");
        let span = &request.resource_spans[0].scope_spans[0].spans[0];
        let by_openinference = attribute(&span.attributes, "openinference.span.kind").is_some();
        assert_eq!(by_openinference, has_project, "{preset:?}");
    }
}

#[test]
fn law_6_what_is_no_credential_goes_over_plain_http_and_what_is_does_not() {
    let there = |preset| whole(preset).with_endpoint("http://mlflow:5000");
    OtelExporter::new(there(Preset::Mlflow)).unwrap();
    let token = OtelExporter::new(there(Preset::Mlflow).with_api_key("hunter2")).unwrap_err();
    let headed = OtelExporter::new(there(Preset::Arize)).unwrap_err();
    for error in [token, headed] {
        let said = error.message();
        assert!(said.starts_with("endpoint: ") && said.contains("anyone on the way can read"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[tokio::test]
async fn a_header_of_the_users_wins() {
    let mut config = whole(Preset::Honeycomb);
    config.http = config.http.with_header("X-Honeycomb-Team", "mine");
    assert_eq!(spans(config).await[0].header("x-honeycomb-team"), Some("mine"));
}

#[test]
fn what_a_preset_does_not_have_is_refused_with_the_field() {
    for (config, field) in [
        (whole(Preset::Jaeger).with_api_key("k"), "api_key"),
        (OtelConfig::new("http://localhost:4318").with_dataset("d"), "dataset"),
        (OtelConfig::new("http://localhost:4318").with_region("eu"), "region"),
        (whole(Preset::Laminar).with_region("eu"), "region"),
        (whole(Preset::Honeycomb).with_region("mars"), "region"),
        (OtelConfig::signoz("key-1", "a.evil/"), "region"),
        (OtelConfig::dash0("key-1", ""), "region"),
        (whole(Preset::Honeycomb).with_region("eu").with_endpoint("https://h"), "region"),
        (whole(Preset::Honeycomb).with_api_key(" "), "api_key"),
        (whole(Preset::Sentry).with_dsn("https://o1.ingest.sentry.io/42"), "dsn"),
        (whole(Preset::Mlflow).with_protocol(Protocol::HttpJson), "protocol"),
        (whole(Preset::Sentry).with_protocol(Protocol::Grpc), "protocol"),
        (whole(Preset::Jaeger).with_signals([Signal::Logs]), "signals"),
    ] {
        let error = OtelExporter::new(config).unwrap_err();
        assert!(error.message().starts_with(&format!("{field}: ")), "{}", error.message());
    }
}

#[test]
fn the_address_of_a_trace_is_known_where_the_pages_are() {
    let trace_id = fixtures::trace_id(1);
    let url = |config| OtelExporter::new(config).unwrap().trace_url(trace_id);
    assert_eq!(
        url(whole(Preset::Phoenix)),
        Some(format!("http://localhost:6006/redirects/traces/{trace_id}"))
    );
    assert_eq!(url(whole(Preset::Jaeger)), Some(format!("http://localhost:16686/trace/{trace_id}")));
    let own = whole(Preset::Jaeger).with_ui_endpoint("https://jaeger.example/ui/");
    assert_eq!(url(own), Some(format!("https://jaeger.example/ui/trace/{trace_id}")));
    let page = format!("https://phoenix.example/px/redirects/traces/{trace_id}");
    for address in
        ["https://phoenix.example/px/v1/traces?token=hunter2", "https://phoenix.example/px#hunter2"]
    {
        assert_eq!(url(whole(Preset::Phoenix).with_endpoint(address)), Some(page.clone()));
    }
    let ui = whole(Preset::Phoenix).with_ui_endpoint("https://phoenix.example/px/?token=hunter2");
    assert_eq!(url(ui), Some(page));
    let keyed = whole(Preset::Phoenix).with_ui_endpoint("https://phoenix.example/s/T0ABC1234");
    assert_eq!(url(keyed), Some(format!("https://phoenix.example/s/T0ABC1234/redirects/traces/{trace_id}")));
    if cfg!(feature = "grpc") {
        let page = Some(format!("http://localhost:6006/redirects/traces/{trace_id}"));
        assert_eq!(url(whole(Preset::Phoenix).with_protocol(Protocol::Grpc)), page);
        assert_eq!(url(whole(Preset::Phoenix).with_endpoint("http://localhost:4317")), page);
        let own =
            whole(Preset::Phoenix).with_protocol(Protocol::Grpc).with_endpoint("https://phoenix.example");
        assert_eq!(url(own), Some(format!("https://phoenix.example/redirects/traces/{trace_id}")));
    }
    assert_eq!(url(whole(Preset::Honeycomb)), None);
    assert_eq!(url(OtelConfig::new("http://localhost:4318")), None);
}

#[test]
fn children_are_no_events_where_the_backend_drops_events() {
    let config = whole(Preset::Sentry).with_create_child_spans(false);
    let error = OtelExporter::new(config).unwrap_err();
    assert!(error.message().starts_with("create_child_spans: "), "{}", error.message());
    assert!(OtelExporter::new(whole(Preset::Phoenix).with_create_child_spans(false)).is_ok());
}
