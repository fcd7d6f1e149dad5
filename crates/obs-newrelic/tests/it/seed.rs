//! The options as they were first written down, and what becomes of records under them.

use std::sync::Arc;

use obs_core::{Batch, Exporter, Metric, MetricValue, Resource, Score, Signal, Span, SpanRecord, Target};
use obs_newrelic::{NewRelicConfig, NewRelicExporter};
use obs_testkit::CaptureServer;
use obs_testkit::fixtures::{span_id, trace_id, uuid};
use serde_json::{Value, json};

use crate::support::{EVENTS, METRICS, at, events, points};

/// The example's options, word for word but for the values it takes from the machine.
fn options() -> Value {
    json!({
        "license_key": "0123456789abcdef0123456789abcdef0123NRAL",
        "account_id": "1234567",
        "region": "US",
        "metrics_api_url": "https://metric-api.newrelic.com/metric/v1",
        "events_api_url": "https://insights-collector.newrelic.com/v1/accounts/{account_id}/events",
        "event_types": {
            "ProfileMetrics": {
                "attributes": ["messages_per_second", "avg_latency_ms", "emoji_overhead_percent"]
            },
            "ProfileTrace": {
                "attributes": ["function_name", "execution_time_ms", "memory_usage_mb"]
            }
        },
        "common_attributes": {
            "service.name": "foundation-profiling",
            "environment": "production",
            "host": "web-1"
        }
    })
}

#[test]
fn every_option_is_read_under_its_name() {
    let config: NewRelicConfig = serde_json::from_value(options()).unwrap();
    assert!(NewRelicExporter::new(config.clone()).unwrap().descriptor().signals().contains(Signal::Scores));
    assert_eq!(config.event_types["ProfileTrace"].attributes.len(), 3);
    let built = NewRelicConfig::new("0123456789abcdef0123456789abcdef0123NRAL")
        .with_account_id("1234567")
        .with_region("US".parse().unwrap())
        .with_metrics_api_url("https://metric-api.newrelic.com/metric/v1")
        .with_events_api_url("https://insights-collector.newrelic.com/v1/accounts/{account_id}/events")
        .with_event_type(
            "ProfileMetrics",
            ["messages_per_second", "avg_latency_ms", "emoji_overhead_percent"],
        )
        .with_event_type("ProfileTrace", ["function_name", "execution_time_ms", "memory_usage_mb"])
        .with_common_attribute("environment", "production")
        .with_common_attribute("host", "web-1")
        .with_common_attribute("service.name", "foundation-profiling");
    assert_eq!(config, built);
}

/// The example with its addresses on this machine.
async fn started() -> (CaptureServer, NewRelicExporter) {
    let server = CaptureServer::start().await;
    let mut options = options();
    options["endpoint"] = json!(server.url());
    options["metrics_api_url"] = json!(format!("{}{METRICS}", server.url()));
    options["events_api_url"] = json!(format!("{}/v1/accounts/{{account_id}}/events", server.url()));
    let config: NewRelicConfig = serde_json::from_value(options).unwrap();
    (server, NewRelicExporter::new(config).unwrap())
}

#[tokio::test]
async fn profile_metrics_are_one_event_with_the_three_numbers_and_gauges_of_the_metric_api() {
    let (server, exporter) = started().await;
    let gauge = |name: &'static str, value| Metric::new(at(10_000), name, MetricValue::Gauge(value));
    let metrics = vec![
        gauge("messages_per_second", 1_200.0),
        gauge("avg_latency_ms", 0.8),
        gauge("emoji_overhead_percent", 2.5),
        gauge("unlisted", 1.0),
    ];
    assert_eq!(exporter.export(&Batch::Metrics(metrics.into())).await.unwrap().delivered, 4);
    let requests = server.take_requests();
    assert_eq!(requests.iter().map(|request| &*request.path).collect::<Vec<_>>(), [METRICS, EVENTS]);
    let mut event = events(&requests[1]).remove(0);
    assert!(event.remove("event.id").is_some());
    assert_eq!(
        Value::from(event),
        json!({
            "eventType": "ProfileMetrics", "timestamp": at(10_000).as_millis(),
            "messages_per_second": 1_200.0, "avg_latency_ms": 0.8, "emoji_overhead_percent": 2.5,
            "appName": "foundation-profiling", "service.name": "foundation-profiling",
            "environment": "production", "host": "web-1",
        })
    );
    let points = points(&requests[0]);
    assert_eq!(points.len(), 4);
    for (name, value) in
        [("service.name", "foundation-profiling"), ("environment", "production"), ("host", "web-1")]
    {
        assert_eq!(points[0]["common"][name], value);
    }
}

#[tokio::test]
async fn a_profile_trace_is_an_event_of_the_span_that_has_the_attributes() {
    let (server, exporter) = started().await;
    let mut span = Span::new(trace_id(1), span_id(1), "parse", at(0));
    span.end = Some(at(12));
    span.attributes.push("function_name", "parse");
    span.attributes.push("execution_time_ms", 12.0);
    span.attributes.push("memory_usage_mb", 34);
    // A record's own word wins over what all have in common.
    span.resource = Arc::new(Resource::service("parser"));
    exporter.export(&Batch::Traces(vec![SpanRecord::Ended(span)].into())).await.unwrap();
    let requests = server.take_requests();
    let event = &events(&requests[1])[0];
    for (name, value) in [
        ("eventType", json!("ProfileTrace")),
        ("function_name", json!("parse")),
        ("execution_time_ms", json!(12.0)),
        ("memory_usage_mb", json!(34)),
        ("service.name", json!("parser")),
        ("environment", json!("production")),
        ("trace.id", json!(trace_id(1).to_string())),
    ] {
        assert_eq!(event[name], value, "{name}");
    }
}

#[tokio::test]
async fn common_attributes_are_on_scores_too() {
    let (server, exporter) = started().await;
    let target = Target::Trace { trace_id: trace_id(1), root_span_id: None };
    let score = Score::new(uuid(1), at(1), target, "relevance", 0.5);
    exporter.export(&Batch::Scores(vec![score].into())).await.unwrap();
    let event = &events(&server.take_requests()[0])[0];
    assert_eq!((&event["host"], &event["appName"]), (&json!("web-1"), &json!("foundation-profiling")));
}
