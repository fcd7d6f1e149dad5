//! The exporter over HTTP of the specification, option by option.

use obs_core::{Exporter, Metric, MetricValue};
use obs_testkit::CaptureServer;
use obs_testkit::fixtures::at;
use obs_webhook::{WebhookConfig, WebhookPayload};
use serde_json::json;

use crate::server;

/// `endpoint`, `method`, `headers`, `payload_transformer` and `retry_config` keep their names.
#[tokio::test]
async fn the_specification_s_example_is_sent() {
    let server = CaptureServer::start().await;
    let config: WebhookConfig = serde_json::from_value(json!({
        "endpoint": format!("{}/metrics", server.url()),
        "method": "POST",
        "headers": {
            "Authorization": "Bearer api-token-1",
            "Content-Type": "application/json",
            "X-Source": "foundation-profiling",
        },
        "payload_transformer": {"template": r#"{
            "timestamp": {{ now|seconds }},
            "source": "foundation-profiling",
            "metrics": {
                {%- for metric in records %}
                {{ metric.name }}: {{ metric.value.gauge }}{% if not loop.last %},{% endif %}
                {%- endfor %}
            },
            "metadata": {"service": {{ service }}, "environment": {{ environment }}, "host": {{ host }}}
        }"#},
        "retry_config": {"retry_on_status_codes": [429, 500, 502, 503, 504]},
    }))
    .unwrap();
    let gauge = |name: &'static str, value| Metric::new(at(1), name, MetricValue::Gauge(value));
    let mut metrics = vec![gauge("throughput", 12.5), gauge("latency_p95", 40.0)];
    for metric in &mut metrics {
        metric.context = obs_testkit::fixtures::context();
        metric.resource = obs_testkit::fixtures::resource();
    }
    server::exporter(config).export(&obs_core::Batch::Metrics(metrics.into())).await.unwrap();
    let request = &server.requests()[0];
    assert_eq!((&*request.method, &*request.path), ("POST", "/metrics"));
    for (name, value) in [
        ("authorization", "Bearer api-token-1"),
        ("content-type", "application/json"),
        ("x-source", "foundation-profiling"),
    ] {
        assert_eq!(request.header(name), Some(value));
    }
    let wanted = json!({
        "timestamp": 1_768_471_200,
        "source": "foundation-profiling",
        "metrics": {"throughput": 12.5, "latency_p95": 40.0},
        "metadata": {"service": "support", "environment": "staging", "host": "host-1"},
    });
    assert_eq!(request.json().unwrap(), wanted);
}

#[tokio::test]
async fn the_specification_s_function_is_one_here() {
    let server = CaptureServer::start().await;
    let config = server::config(&server).with_payload_transformer(|batch| {
        Ok(WebhookPayload::json(&json!({"source": "foundation-profiling", "count": batch.len()}))?)
    });
    server::exporter(config).export(&server::many(3)).await.unwrap();
    assert_eq!(server.requests()[0].json().unwrap()["count"], 3);
}

#[test]
fn what_belongs_to_the_lane_is_answered_so() {
    for option in ["max_retries", "backoff_strategy"] {
        let json = json!({"endpoint": "https://h", "retry_config": {option: 3}});
        let said = serde_json::from_value::<WebhookConfig>(json).unwrap_err().to_string();
        assert!(said.contains(option) && said.contains("the lane"), "{said}");
    }
}
