//! Logs: what they become, held against the records by code that shares nothing with the exporter, and their limits.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{
    Batch, Exporter, Level, Log, Payload, Resource, Signal, SpanRef, Timestamp, TraceContext,
    Value as Attribute,
};
use obs_datadog::{DatadogConfig, TraceIdFormat};
use obs_testkit::fixtures::{self, at, span_id, trace_id};
use obs_testkit::{Answer, CaptureServer, arbitrary};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::server::{self, Sent, sent, sent_with};

const LOGS: &str = "/api/v2/logs";

fn log(nth: u64) -> Log {
    Log::new(at(nth), Level::Info, format!("message {nth}"))
}

fn batch(logs: impl IntoIterator<Item = Log>) -> Batch {
    Batch::Logs(logs.into_iter().collect())
}

/// The logs that arrived.
fn arrived(sent: &Sent) -> Vec<Value> {
    let requests = sent.server.requests();
    let logs = requests.iter().filter(|request| request.path == LOGS);
    logs.flat_map(|request| server::body(request).as_array().unwrap().clone()).collect()
}

async fn one(log: Log) -> Value {
    let mut arrived = arrived(&sent(batch([log])).await);
    assert_eq!(arrived.len(), 1);
    arrived.remove(0)
}

type Read = fn(&Log) -> Value;

/// What stands where, and how it is read off the record.
const FIELDS: &[(&str, Read)] = &[
    ("ddsource", |_| json!("obs")),
    ("message", |log| json!(&*log.message)),
    ("timestamp", |log| json!(log.time.as_nanos() / 1_000_000)),
    ("status", |log| {
        json!(
            ["debug", "debug", "info", "warning", "error", "critical"]
                [usize::from(log.level.severity_number() / 4)]
        )
    }),
    ("otel.severity_text", |log| if log.level == Level::Trace { json!("trace") } else { Value::Null }),
    ("evt.name", |log| json!(log.event_name.as_deref())),
    ("service", |log| json!(log.context.service.as_deref().or(log.resource.service_name()))),
    ("hostname", |log| json!(log.resource.attributes.get("host.name").and_then(Attribute::as_str))),
    ("dd.trace_id", |log| {
        json!(log.span.map(|span| format!("{:032x}", u128::from_be_bytes(span.trace_id.to_bytes()))))
    }),
    ("dd.span_id", |log| {
        let span = log.span.and_then(|span| span.span_id);
        json!(span.map(|id| u64::from_be_bytes(id.to_bytes()).to_string()))
    }),
    ("otel.trace_id", |log| json!(log.span.map(|span| span.trace_id.to_string()))),
    ("otel.span_id", |log| json!(log.span.and_then(|span| span.span_id).map(|id| id.to_string()))),
    ("usr.id", |log| json!(log.context.user_id.as_deref())),
    ("session_id", |log| json!(log.context.session_id.as_deref())),
    ("thread_id", |log| json!(log.context.thread_id.as_deref())),
    ("http.request_id", |log| json!(log.context.request_id.as_deref())),
    ("organization.id", |log| json!(log.context.organization_id.as_deref())),
    ("experiment.id", |log| json!(log.context.experiment_id.as_deref())),
    ("trace.name", |log| json!(log.context.name.as_deref())),
    ("trace.version", |log| json!(log.context.version.as_deref())),
    ("entity.type", |log| json!(log.context.entity.as_ref().and_then(|entity| entity.kind.as_deref()))),
    ("entity.id", |log| json!(log.context.entity.as_ref().and_then(|entity| entity.id.as_deref()))),
    ("entity.name", |log| json!(log.context.entity.as_ref().and_then(|entity| entity.name.as_deref()))),
    ("entity.version", |log| json!(log.context.entity.as_ref().and_then(|entity| entity.version.as_deref()))),
    ("parent_entity.id", |log| {
        json!(log.context.parent_entity.as_ref().and_then(|entity| entity.id.as_deref()))
    }),
    (
        "metadata",
        |log| {
            if log.context.metadata.is_empty() { Value::Null } else { json!(log.context.metadata) }
        },
    ),
    ("logger.name", |log| json!(log.resource.scope.as_ref().map(|scope| &*scope.name))),
    ("logger.version", |log| json!(log.resource.scope.as_ref().and_then(|scope| scope.version.as_deref()))),
];

#[tokio::test]
async fn every_field_stands_where_the_table_says() {
    let Batch::Logs(mut logs) = fixtures::batch(Signal::Logs) else { unreachable!() };
    let Batch::Logs(of_trace) = fixtures::trace_batches().swap_remove(1) else { unreachable!() };
    logs.append(of_trace);
    logs.append(vec![log(1)].into());
    let found = arrived(&sent(Batch::Logs(logs.clone())).await);
    assert_eq!(found.len(), logs.len());
    for (log, arrived) in logs.iter().zip(&found) {
        for (name, read) in FIELDS {
            assert_eq!(arrived.get(*name).unwrap_or(&Value::Null), &read(log), "{name} of {}", log.message);
        }
        for (name, value) in log.attributes.iter() {
            assert_eq!(arrived[name.as_str()], json!(value), "{name}");
        }
    }
}

#[tokio::test]
async fn documents_stand_at_the_top_or_under_data() {
    let mut object = log(1);
    object.data = Some(Payload::from(r#"{"latency_ms": 12.5, "nested": {"a": [1]}}"#));
    let arrived = one(object).await;
    assert_eq!((&arrived["latency_ms"], &arrived["nested"]), (&json!(12.5), &json!({"a": [1]})));
    for (payload, expected) in
        [(Payload::text("words"), json!("words")), (Payload::from("[1,2]"), json!([1, 2]))]
    {
        let mut other = log(1);
        other.data = Some(payload);
        assert_eq!(one(other).await["data"], expected);
    }
}

#[tokio::test]
async fn a_users_field_that_is_named_like_one_of_datadogs_is_kept_under_another_name() {
    let mut loud = log(1);
    loud.context = Arc::new(TraceContext { user_id: Some("u-1".into()), ..TraceContext::default() });
    loud.attributes = [("status", "mine"), ("host", "elsewhere"), ("usr.id", "u-2"), ("@timestamp", "never")]
        .into_iter()
        .collect();
    loud.data = Some(Payload::from(
        r#"{"message": "inner", "host": "third", "dd": {"trace_id": "9"}, "usr": {"id": 3}}"#,
    ));
    let arrived = one(loud).await;
    for (name, value) in [
        ("status", json!("info")),
        ("message", json!("message 1")),
        ("usr.id", json!("u-1")),
        ("attr.status", json!("mine")),
        ("attr.host", json!("elsewhere")),
        ("attr.usr.id", json!("u-2")),
        ("attr.@timestamp", json!("never")),
        ("attr.message", json!("inner")),
        ("attr.host.2", json!("third")),
        ("attr.dd", json!({"trace_id": "9"})),
        ("attr.usr", json!({"id": 3})),
    ] {
        assert_eq!(arrived[name], value, "{name}");
    }
}

#[tokio::test]
async fn errors_have_datadogs_names() {
    let mut failed = log(1);
    let told =
        [("exception.type", "IoError"), ("exception.message", "gone"), ("exception.stacktrace", "at main")];
    failed.attributes = told.into_iter().collect();
    let arrived = one(failed.clone()).await;
    let named = ["error.kind", "error.message", "error.stack"].map(|name| arrived[name].as_str().unwrap());
    assert_eq!(named, ["IoError", "gone", "at main"]);
    assert!(told.iter().all(|(name, _)| arrived.get(*name).is_none()));
    failed.attributes.push("error.kind", "Own");
    let arrived = one(failed).await;
    assert_eq!((&arrived["error.kind"], &arrived["exception.type"]), (&json!("Own"), &json!("IoError")));
}

#[tokio::test]
async fn a_trace_is_named_in_128_or_in_64_bits() {
    let mut traced = log(1);
    traced.span = Some(SpanRef { trace_id: trace_id(7), span_id: Some(span_id(3)) });
    let sent =
        sent_with(batch([traced]), |config, _| config.with_trace_id_format(TraceIdFormat::Dec64)).await;
    let arrived = arrived(&sent).remove(0);
    assert_eq!(arrived["dd.trace_id"], json!((0x8448_eb21_0000_0000_u64 + 7).to_string()));
    assert_eq!(arrived["otel.trace_id"], json!(trace_id(7).to_string()));
}

#[tokio::test]
async fn tags_are_those_of_the_deployment_the_configuration_and_the_trace() {
    let mut tagged = log(1);
    let context = TraceContext {
        environment: Some("Staging".into()),
        release: Some("1.2".into()),
        tags: vec!["beta".into(), "tier:Gold, or so".into()],
        ..TraceContext::default()
    };
    tagged.context = Arc::new(context);
    let sent = sent_with(batch([tagged]), |config: DatadogConfig, _| {
        config
            .with_tags(["team:platform", "beta"])
            .with_hostname("host-9")
            .with_ddsource("rust")
            .with_service("chat")
    })
    .await;
    let arrived = arrived(&sent).remove(0);
    assert_eq!(arrived["ddtags"], "env:staging,version:1.2,team:platform,beta,tier:gold_or_so");
    let named = ["hostname", "ddsource", "service"].map(|name| arrived[name].as_str().unwrap());
    assert_eq!(named, ["host-9", "rust", "chat"]);
}

#[tokio::test]
async fn attributes_of_the_resource_stand_beside_the_logs_own() {
    let mut deployed = log(1);
    let mut resource = Resource::service("svc");
    resource.attributes.push("k8s.pod.name", "pod-1");
    resource.attributes.push("order", "of the resource");
    deployed.resource = Arc::new(resource);
    deployed.attributes.push("order", "A-7");
    let arrived = one(deployed).await;
    assert_eq!(
        (&arrived["k8s.pod.name"], &arrived["order"], &arrived["attr.order"], arrived.get("service.name")),
        (&json!("pod-1"), &json!("A-7"), &json!("of the resource"), None)
    );
}

#[tokio::test]
async fn a_request_has_at_most_a_thousand_logs_and_five_megabytes() {
    let sent = sent(batch((0..2_300).map(log))).await;
    let sizes: Vec<_> = sent
        .server
        .requests()
        .iter()
        .map(|request| server::body(request).as_array().unwrap().len())
        .collect();
    assert_eq!((sizes, sent.receipt.delivered), (vec![1_000, 1_000, 300], 2_300));
    let long = |nth| Log::new(at(nth), Level::Info, "x".repeat(900_000));
    let sent = sent_with(batch((0..12).map(long)), |config, _| config).await;
    let sizes: Vec<_> = sent.server.requests().iter().map(|request| request.body.len()).collect();
    assert!(sizes.len() == 3 && sizes.iter().all(|size| *size <= 5_000_000), "{sizes:?}");
    assert_eq!(sent.server.requests()[0].header("content-encoding"), Some("gzip"));
}

#[tokio::test]
async fn a_log_of_more_than_a_megabyte_is_cut_by_us_with_a_mark_and_sinks_nobody() {
    let long = Log::new(at(2), Level::Info, "x".repeat(3_000_000));
    let sent = sent(batch([log(1), long, log(3)])).await;
    assert_eq!((sent.receipt.delivered, sent.receipt.rejected_count()), (3, 0));
    let cut = arrived(&sent).remove(1);
    let message = cut["message"].as_str().unwrap();
    assert!(message.ends_with("[truncated by obs: 3000000 bytes were too large]"));
    assert!(serde_json::to_vec(&cut).unwrap().len() <= 1_000_000 && message.len() > 990_000);
}

#[tokio::test]
async fn a_log_that_is_older_than_18_hours_is_refused_with_the_reason() {
    let hours = |hours| Timestamp::saturating_sub(at(60_000_000), Duration::from_hours(hours));
    let old = Log::new(hours(18).saturating_sub(Duration::from_nanos(1)), Level::Info, "old");
    let sent = sent(batch([log(1), old, Log::new(hours(18), Level::Info, "just in time")])).await;
    assert_eq!((sent.receipt.delivered, arrived(&sent).len()), (2, 2));
    assert!(sent.reason().contains("18 h"), "{}", sent.reason());
}

#[tokio::test]
async fn answers_mean_the_same_for_logs() {
    for (status, kind) in
        [(403, "auth"), (413, "too_large"), (429, "rate_limited"), (500, "unavailable"), (400, "rejected")]
    {
        let error = server::failed(batch([log(1), log(2)]), Answer::status(status)).await;
        assert_eq!((error.kind().as_str(), error.undelivered().len()), (kind, 2), "{status}");
    }
}

async fn requests(batch: &Batch, config: impl FnOnce(&CaptureServer) -> DatadogConfig) -> String {
    let server = server::start().await;
    let receipt = server::exporter_of(config(&server)).export(batch).await.unwrap();
    let mut refused: Vec<_> =
        receipt.rejected.iter().map(|one| format!("{}: {}", one.kind, one.reason)).collect();
    refused.dedup();
    format!("delivered {}, refused {refused:#?}\n\n{}", receipt.delivered, server.redacted_snapshot())
}

#[tokio::test]
async fn requests_of_ordinary_logs() {
    insta::assert_snapshot!(requests(&fixtures::batch(Signal::Logs), server::config).await);
}

#[tokio::test]
async fn requests_of_nasty_logs() {
    insta::assert_snapshot!(requests(&fixtures::nasty(Signal::Logs), server::config).await);
}

#[tokio::test]
async fn requests_of_the_traces_logs() {
    insta::assert_snapshot!(requests(&fixtures::trace_batches().swap_remove(1), server::config).await);
}

#[tokio::test]
async fn an_ordinary_log_as_it_stands() {
    let Batch::Logs(logs) = fixtures::batch(Signal::Logs) else { unreachable!() };
    insta::assert_snapshot!(format!("{:#}", one(logs.iter().next().unwrap().clone()).await));
}

/// Every string that stands in JSON, as a reader would see it.
fn texts(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| texts(value, out)),
        Value::Object(values) => values.values().for_each(|value| texts(value, out)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_of_a_log_is_lost_whatever_its_fields_are_called(mut log in arbitrary::log()) {
        log.time = at(1);
        // Cutting has a test of its own, and takes from what is looked for here.
        prop_assume!(obs_core::ByteSize::byte_size(&log) < 100_000);
        let exporter = server::exporter_of(DatadogConfig::new(server::KEY));
        let bodies = exporter.encode(&batch([log.clone()]));
        prop_assert_eq!(bodies.len(), 1);
        let Ok(body) = serde_json::from_slice::<Value>(&bodies[0]) else {
            // Numbers and depths that this reader does not take.
            return Ok(());
        };
        let arrived = body[0].as_object().unwrap();
        prop_assert_eq!(&arrived["message"], &json!(&*log.message));
        let mut found = Vec::new();
        texts(&body, &mut found);
        let mut expected = Vec::new();
        for (_, value) in log.attributes.iter() {
            texts(&json!(value), &mut expected);
        }
        for text in expected {
            prop_assert!(found.contains(&text), "{:?} is lost", text);
        }
        if let Some(document) = &log.data {
            let mut expected = Vec::new();
            texts(&serde_json::to_value(document).unwrap_or_default(), &mut expected);
            for text in expected {
                prop_assert!(found.contains(&text), "{:?} of the document is lost", text);
            }
        }
    }
}
