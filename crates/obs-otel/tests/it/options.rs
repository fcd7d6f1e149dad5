//! Options under the names that others have for them, and those that belong elsewhere.

use obs_core::{Batch, Exporter, Signal};
use obs_otel::{OtelConfig, OtelExporter};
use obs_testkit::{CaptureServer, fixtures};
use serde_json::{Value, json};

use crate::support::{Sent, attribute};

fn read(options: &Value) -> Result<OtelConfig, String> {
    serde_json::from_value(options.clone()).map_err(|error| error.to_string())
}

/// What a user of another exporter has in a file.
fn familiar(url: &str) -> Value {
    json!({
        "otlp_endpoint": format!("{url}/v1/traces"),
        "otlp_protocol": "http/protobuf",
        "service_name": "foundation_profiling",
        "service_version": "1.0.0",
        "service_namespace": "production",
        "span_name_prefix": "profiling",
        "create_child_spans": true,
        "metrics_endpoint": format!("{url}/own/v1/metrics"),
        "metrics_protocol": "http/json",
        "resource_attributes": {"deployment.environment": "production", "host.name": "web-01", "process.pid": 7},
    })
}

#[tokio::test]
async fn a_file_of_another_exporter_works_as_it_stands() {
    let server = CaptureServer::start().await;
    let exporter = OtelExporter::new(read(&familiar(&server.url())).unwrap()).unwrap();
    for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
        let batch: Batch = obs_testkit::conformance::input(&fixtures::batch(signal), exporter.descriptor());
        exporter.export(&batch.slice(0..1)).await.unwrap();
    }
    let requests = server.take_requests();
    let seen: Vec<_> = requests
        .iter()
        .map(|request| (request.path.as_str(), request.header("content-type").unwrap()))
        .collect();
    let protobuf = "application/x-protobuf";
    let expected =
        [("/v1/traces", protobuf), ("/own/v1/metrics", "application/json"), ("/v1/logs", protobuf)];
    assert_eq!(seen, expected);
    let Sent::Traces(request) = Sent::of(&requests[0]) else { panic!("no spans") };
    assert!(request.resource_spans[0].scope_spans[0].spans[0].name.starts_with("profiling."));
    let resource = request.resource_spans[0].resource.as_ref().unwrap();
    for key in ["service.namespace", "deployment.environment", "deployment.environment.name", "process.pid"] {
        assert!(attribute(&resource.attributes, key).is_some(), "{key}");
    }
}

#[test]
fn jaegers_thrift_is_refused_with_the_address_that_is_meant() {
    let mut options = familiar("http://localhost:4318");
    options["otlp_endpoint"] = json!("http://jaeger:14268/api/traces");
    let error = OtelExporter::new(read(&options).unwrap()).unwrap_err();
    assert!(error.message().contains("\"http://jaeger:4318/v1/traces\""), "{}", error.message());
    let own = json!({"traces": {"endpoint": "http://jaeger:14268/api/traces"}});
    let error = OtelExporter::new(read(&own).unwrap()).unwrap_err();
    assert!(error.message().starts_with("traces.endpoint: "), "{}", error.message());
}

#[test]
fn options_that_belong_elsewhere_are_answered_with_their_place() {
    for (option, words) in [
        ("trace_sampler", "sampling belongs to the pipeline"),
        ("trace_sample_rate", "sampling belongs to the pipeline"),
        ("batch_size", "lane"),
        ("flush_interval_seconds", "lane"),
        ("provider", "`preset`"),
        ("servicename", "did you mean `service_name`?"),
    ] {
        let said = read(&json!({option: 1})).unwrap_err();
        assert!(said.contains(words), "{said}");
    }
    let said = read(&json!({"traces": {"endpont": "http://h"}})).unwrap_err();
    assert!(said.contains("did you mean `endpoint`?"), "{said}");
    assert!(read(&json!({"preset": "honeycom"})).unwrap_err().contains("did you mean `honeycomb`?"));
}

#[test]
fn one_thing_under_two_names_is_an_error() {
    for (options, field) in [
        (json!({"endpoint": "http://a", "otlp_endpoint": "http://a"}), "otlp_endpoint"),
        (json!({"protocol": "http/json", "otlp_protocol": "http/json"}), "otlp_protocol"),
        (json!({"metrics_endpoint": "http://a", "metrics": {"endpoint": "http://a"}}), "metrics_endpoint"),
        (json!({"metrics_protocol": "http/json", "metrics": {"protocol": "http/json"}}), "metrics_protocol"),
    ] {
        let error = OtelExporter::new(read(&options).unwrap()).unwrap_err();
        assert!(error.message().starts_with(&format!("{field}: ")), "{}", error.message());
    }
}

#[test]
fn law_6_no_credential_is_told_by_a_config_and_its_errors() {
    const PLANT: &str = "plant-0123456789";
    let options = json!({
        "preset": "arize", "api_key": PLANT, "space_id": PLANT, "project": "p",
        "dsn": format!("https://{PLANT}@h/1"),
        "ui_endpoint": format!("https://h?token={PLANT}"),
        "otlp_endpoint": format!("https://{PLANT}@h"),
        "traces": {"endpoint": format!("https://u:{PLANT}@h/v1/traces?key={PLANT}"), "headers": {"x-key": PLANT}},
    });
    let config = read(&options).unwrap();
    assert!(!format!("{config:?}").contains(PLANT));
    let error = OtelExporter::new(config).unwrap_err();
    assert!(!error.message().contains(PLANT), "{}", error.message());
    for wrong in [
        json!({"traces": {"headers": PLANT}}),
        json!({"traces": {"headers": {"a": [PLANT]}}}),
        json!({"api_key": [PLANT]}),
        json!({"metrics_endpoint": {PLANT: 1}}),
    ] {
        let said = read(&wrong).unwrap_err();
        assert!(!said.contains(PLANT), "{said}");
    }
}
