//! Exporters of the SDK as destinations, `opentelemetry-otlp`'s among them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use obs_core::{
    Attributes, Batch, Descriptor, ErrorKind, Exporter, Health, Level, Log, Resource, Retry, Signal, Span,
    SpanRecord, Timestamp, Value,
};
use obs_otel::sdk_exporter::{Failures, SdkLogExporter, SdkSpanExporter};
use obs_otlp::encode::{Encoding, LogParts, LogRequests, SpanParts, TraceRequests, genai};
use obs_testkit::conformance::{ConfigCheck, Harness, Observed, Setup};
use obs_testkit::{Answer, CaptureServer, fixtures};
use opentelemetry::Context;
use opentelemetry_otlp::{RetryPolicy, WithExportConfig, WithHttpConfig};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1 as wire;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use prost::Message;

use crate::support::Sent;

fn spans_to(server: &CaptureServer) -> SdkSpanExporter<opentelemetry_otlp::SpanExporter> {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{}/v1/traces", server.url()))
        .with_retry_policy(RetryPolicy::disabled())
        .build();
    SdkSpanExporter::new(exporter.unwrap())
}

fn logs_to(server: &CaptureServer) -> SdkLogExporter<opentelemetry_otlp::LogExporter> {
    let exporter = opentelemetry_otlp::LogExporter::builder()
        .with_http()
        .with_endpoint(format!("{}/v1/logs", server.url()))
        .with_retry_policy(RetryPolicy::disabled())
        .build();
    SdkLogExporter::new(exporter.unwrap())
}

macro_rules! harness {
    ($module:ident, $name:ident, $exporter:ty, $to:ident) => {
        mod $module {
            use super::*;

            /// `opentelemetry-otlp`'s exporter and the server it sends to.
            struct $name {
                server: CaptureServer,
                exporter: Arc<$exporter>,
            }

            #[async_trait]
            impl Harness for $name {
                fn descriptor() -> Descriptor {
                    <$exporter>::DESCRIPTOR
                }

                fn config() -> Option<ConfigCheck> {
                    None
                }

                async fn start(_: Setup) -> Self {
                    let server = CaptureServer::start().await;
                    let exporter = Arc::new($to(&server));
                    Self { server, exporter }
                }

                fn exporter(&self) -> Arc<dyn Exporter> {
                    self.exporter.clone()
                }

                async fn observe(&self) -> Observed {
                    observe(&self.server)
                }

                fn secrets(&self) -> Vec<String> {
                    Vec::new()
                }
            }

            obs_testkit::conformance!($name);
        }
    };
}

harness!(spans, SpanHarness, SdkSpanExporter<opentelemetry_otlp::SpanExporter>, spans_to);
harness!(logs, LogHarness, SdkLogExporter<opentelemetry_otlp::LogExporter>, logs_to);

fn observe(server: &CaptureServer) -> Observed {
    let mut observed = Observed::default();
    for request in server.requests() {
        observed.writes += 1;
        observed.bytes.extend_from_slice(&request.body);
        let (signal, count) = match Sent::of(&request) {
            Sent::Traces(request) => (Signal::Traces, spans_of(&request).len()),
            Sent::Logs(request) => (Signal::Logs, logs_of(&request).len()),
            Sent::Metrics(_) => panic!("no metrics are sent"),
        };
        observed.records[signal.index()] += count;
    }
    observed
}

fn spans_of(request: &ExportTraceServiceRequest) -> Vec<(Vec<KeyValue>, wire::Span)> {
    let scopes = |group: &wire::ResourceSpans| {
        let resource = group.resource.clone().unwrap_or_default().attributes;
        group
            .scope_spans
            .iter()
            .flat_map(|scope| scope.spans.clone())
            .map(move |span| (resource.clone(), span))
            .collect::<Vec<_>>()
    };
    request.resource_spans.iter().flat_map(scopes).collect()
}

fn logs_of(request: &ExportLogsServiceRequest) -> Vec<LogRecord> {
    let scopes = request.resource_logs.iter().flat_map(|group| &group.scope_logs);
    scopes.flat_map(|scope| scope.log_records.clone()).collect()
}

/// A span's attributes as the SDK has them.
fn lossy(pairs: &mut [KeyValue]) {
    for pair in pairs {
        let value = pair.value.take().unwrap_or_default();
        pair.value = Some(match &value.value {
            Some(any_value::Value::KvlistValue(_)) | None => json(&value),
            Some(any_value::Value::ArrayValue(list)) if !is_even(&list.values) => json(&value),
            _ => value,
        });
    }
}

fn is_even(values: &[AnyValue]) -> bool {
    let kinds: Vec<_> = values.iter().map(|value| value.value.as_ref().map(std::mem::discriminant)).collect();
    let nested = |value: &AnyValue| {
        !matches!(
            value.value,
            Some(any_value::Value::ArrayValue(_) | any_value::Value::KvlistValue(_)) | None
        )
    };
    kinds.windows(2).all(|pair| pair[0] == pair[1]) && values.iter().all(nested)
}

fn json(value: &AnyValue) -> AnyValue {
    let text = serde_json::to_string(&own(value)).unwrap();
    AnyValue { value: Some(any_value::Value::StringValue(text)) }
}

fn own(value: &AnyValue) -> Value {
    match &value.value {
        None => Value::Null,
        Some(any_value::Value::StringValue(text)) => Value::from(text.clone()),
        Some(any_value::Value::BoolValue(value)) => Value::from(*value),
        Some(any_value::Value::IntValue(value)) => Value::from(*value),
        Some(any_value::Value::DoubleValue(value)) => Value::from(*value),
        Some(any_value::Value::ArrayValue(list)) => Value::List(list.values.iter().map(own).collect()),
        Some(any_value::Value::KvlistValue(map)) => {
            let pair = |pair: &KeyValue| (pair.key.clone(), own(pair.value.as_ref().unwrap()));
            Value::Map(map.values.iter().map(pair).collect())
        }
        other => panic!("{other:?}"),
    }
}

/// As far as the SDK's data and `opentelemetry-otlp` have room, by its id.
fn comparable(spans: Vec<(Vec<KeyValue>, wire::Span)>) -> BTreeMap<Vec<u8>, (Vec<String>, String)> {
    let of = |(mut resource, mut span): (Vec<KeyValue>, wire::Span)| {
        lossy(&mut resource);
        lossy(&mut span.attributes);
        for event in &mut span.events {
            lossy(&mut event.attributes);
        }
        for link in &mut span.links {
            lossy(&mut link.attributes);
            link.flags = 0;
            link.trace_state = w3c(&link.trace_state);
        }
        span.trace_state = w3c(&span.trace_state);
        // Nothing said and said to be unset is the same.
        span.status.get_or_insert_default();
        let mut resource: Vec<_> = resource.iter().map(|pair| format!("{pair:?}")).collect();
        resource.sort();
        (span.span_id.clone(), (resource, format!("{span:#?}")))
    };
    spans.into_iter().map(of).collect()
}

/// A state that the SDK can read, as it writes it.
fn w3c(state: &str) -> String {
    state.parse::<opentelemetry::trace::TraceState>().map(|state| state.header()).unwrap_or_default()
}

fn encoded(spans: &[Span]) -> ExportTraceServiceRequest {
    let mut requests = TraceRequests::new(Encoding::Protobuf, usize::MAX, usize::MAX);
    for (at, span) in spans.iter().enumerate() {
        let name = genai::name(span);
        let end = span.end.unwrap_or(span.start);
        let parts = SpanParts { name: &name, kind: genai::kind(span), ..SpanParts::of(span, end) };
        requests.push(at, &span.resource, &parts, |to| {
            genai::attributes(span, to);
            if ![&name, ""].contains(&span.name.as_str()) && span.attributes.get("obs.span.name").is_none() {
                to.str("obs.span.name", &span.name);
            }
        });
    }
    ExportTraceServiceRequest::decode(&*requests.finish().remove(0).body).unwrap()
}

/// What `opentelemetry-otlp` sends of our spans is what we send of them, less what the SDK has no room for.
#[tokio::test]
async fn spans_arrive_as_they_do_without_the_sdk() {
    for batch in [fixtures::batch(Signal::Traces), fixtures::nasty(Signal::Traces)] {
        let Batch::Traces(records) = &batch else { panic!("{batch:?}") };
        let server = CaptureServer::start().await;
        let receipt = spans_to(&server).export(&batch).await.unwrap();
        let ended: Vec<Span> = records
            .iter()
            .filter_map(|record| match record {
                SpanRecord::Ended(span) => Some(span.clone()),
                SpanRecord::Started(_) => None,
            })
            .collect();
        assert_eq!((receipt.delivered, receipt.settled()), (ended.len(), batch.len()));
        let mut arrived = Vec::new();
        for request in server.requests() {
            let Sent::Traces(request) = Sent::of(&request) else { panic!("{request:?}") };
            arrived.extend(spans_of(&request));
        }
        assert_eq!(arrived.len(), ended.len());
        let (arrived, expected) = (comparable(arrived), comparable(spans_of(&encoded(&ended))));
        for (id, expected) in expected {
            assert_eq!(arrived[&id], expected);
        }
    }
}

#[tokio::test]
async fn logs_arrive_as_they_do_without_the_sdk() {
    let batch = fixtures::batch(Signal::Logs);
    let Batch::Logs(records) = &batch else { panic!("{batch:?}") };
    let server = CaptureServer::start().await;
    let receipt = logs_to(&server).export(&batch).await.unwrap();
    assert_eq!(receipt.delivered, batch.len());
    let mut requests = LogRequests::new(Encoding::Protobuf, usize::MAX, usize::MAX);
    for (at, log) in records.iter().enumerate() {
        requests.push(at, &log.resource, &LogParts::of(log), |to| genai::log_attributes(log, to));
    }
    let expected = ExportLogsServiceRequest::decode(&*requests.finish().remove(0).body).unwrap();
    let mut arrived = Vec::new();
    for request in server.requests() {
        let Sent::Logs(request) = Sent::of(&request) else { panic!("{request:?}") };
        arrived.extend(logs_of(&request));
    }
    let shown = |mut logs: Vec<LogRecord>| {
        for log in &mut logs {
            log.observed_time_unix_nano = log.observed_time_unix_nano.max(log.time_unix_nano);
            log.flags = 0;
            if log.span_id.iter().all(|byte| *byte == 0) {
                log.span_id.clear();
            }
            for pair in &mut log.attributes {
                // Nothing is said in words.
                let value = pair.value.get_or_insert_default();
                value.value.get_or_insert_with(|| any_value::Value::StringValue("null".into()));
                sort(value);
            }
        }
        let mut shown: Vec<_> = logs.iter().map(|log| format!("{log:#?}")).collect();
        shown.sort();
        shown
    };
    let (arrived, expected) = (shown(arrived), shown(logs_of(&expected)));
    assert_eq!(arrived.len(), expected.len());
    for (arrived, expected) in arrived.iter().zip(&expected) {
        assert_eq!(arrived, expected);
    }
}

/// The SDK's maps have no order.
fn sort(value: &mut AnyValue) {
    match &mut value.value {
        Some(any_value::Value::KvlistValue(map)) => {
            map.values.sort_by(|a, b| a.key.cmp(&b.key));
            map.values.iter_mut().filter_map(|pair| pair.value.as_mut()).for_each(sort);
        }
        Some(any_value::Value::ArrayValue(list)) => list.values.iter_mut().for_each(sort),
        _ => {}
    }
}

/// What an exporter was asked to do, in words.
#[derive(Debug, Clone, Default)]
struct Told {
    told: Arc<Mutex<Vec<String>>>,
    answers: Arc<Mutex<Vec<OTelSdkResult>>>,
}

impl Told {
    fn say(&self, what: impl Into<String>) {
        self.told.lock().unwrap().push(what.into());
    }

    fn answer(&self, answer: OTelSdkResult) {
        self.answers.lock().unwrap().push(answer);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.told.lock().unwrap())
    }
}

impl SpanExporter for Told {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let names: Vec<_> = batch.iter().map(|span| span.name.to_string()).collect();
        let quiet = if Context::is_current_telemetry_suppressed() { "" } else { ", aloud" };
        self.say(format!("spans {}{quiet}", names.join(" ")));
        self.answers.lock().unwrap().pop().unwrap_or(Ok(()))
    }

    fn set_resource(&mut self, resource: &opentelemetry_sdk::Resource) {
        let name = resource.get(&opentelemetry::Key::new("service.name"));
        self.say(format!("resource {}", name.map(|name| name.to_string()).unwrap_or_default()));
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.say("flush");
        self.answers.lock().unwrap().pop().unwrap_or(Ok(()))
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        self.say("shutdown");
        Ok(())
    }
}

pub(crate) fn span(id: u32, service: &'static str) -> SpanRecord {
    let mut span =
        Span::new(fixtures::trace_id(1), fixtures::span_id(id), format!("s{id}"), Timestamp::from_nanos(1));
    span.end = Some(Timestamp::from_nanos(2));
    span.resource = Arc::new(Resource::service(service));
    SpanRecord::Ended(span)
}

fn batch(spans: &[(u32, &'static str)]) -> Batch {
    Batch::Traces(spans.iter().map(|(id, service)| span(*id, service)).collect())
}

#[tokio::test]
async fn each_resource_is_set_before_its_spans_and_once_while_it_stays() {
    let told = Told::default();
    let exporter = SdkSpanExporter::new(told.clone());
    let receipt = exporter.export(&batch(&[(1, "a"), (2, "b"), (3, "a")])).await.unwrap();
    assert_eq!(receipt.delivered, 3);
    assert_eq!(told.take(), ["resource a", "spans s1 s3", "resource b", "spans s2"]);
    exporter.export(&batch(&[(4, "b")])).await.unwrap();
    assert_eq!(told.take(), ["spans s4"]);
    exporter.flush().await.unwrap();
    exporter.shutdown().await.unwrap();
    exporter.shutdown().await.unwrap();
    exporter.flush().await.unwrap();
    assert_eq!(told.take(), ["flush", "shutdown"]);
}

#[tokio::test]
async fn an_error_of_the_sdk_is_what_the_user_says_it_means() {
    let internal = || OTelSdkError::InternalFailure("HTTP export failed with status code: 400".into());
    let cases = [
        (internal(), Failures::Transient, ErrorKind::Unavailable, Retry::Backoff),
        (internal(), Failures::Permanent, ErrorKind::Rejected, Retry::Never),
        (
            OTelSdkError::Timeout(Duration::from_secs(1)),
            Failures::Permanent,
            ErrorKind::Timeout,
            Retry::Backoff,
        ),
        (OTelSdkError::AlreadyShutdown, Failures::Transient, ErrorKind::Closed, Retry::Never),
    ];
    for (error, failures, kind, retry) in cases {
        let told = Told::default();
        let exporter = SdkSpanExporter::new(told.clone()).with_failures(failures);
        let said = error.to_string();
        told.answer(Err(error));
        let batch = batch(&[(1, "a"), (2, "a")]);
        let error = exporter.export(&batch).await.unwrap_err();
        assert_eq!((error.kind(), error.retry(), error.undelivered().len()), (kind, retry, 2));
        assert!(error.message().contains(&said), "{error}");
        let Health::Unhealthy(why) = exporter.check().await else { panic!("it failed") };
        assert!(why.contains(&said), "{why}");
        exporter.export(&batch).await.unwrap();
        assert_eq!(exporter.check().await, Health::Healthy);
        told.answer(Err(OTelSdkError::Timeout(Duration::from_secs(1))));
        assert_eq!(exporter.flush().await.unwrap_err().kind(), ErrorKind::Timeout);
    }
}

/// The documented loss: a collector that refuses records of a request that it took is not heard.
#[tokio::test]
async fn a_partial_success_does_not_come_through() {
    let server = CaptureServer::start().await;
    let refused = opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse {
        partial_success: Some(opentelemetry_proto::tonic::collector::trace::v1::ExportTracePartialSuccess {
            rejected_spans: 1,
            error_message: "too old".into(),
        }),
    };
    let answer = Answer::status(200).with_header("content-type", "application/x-protobuf");
    server.answer([answer.with_body(refused.encode_to_vec()), Answer::status(503)]);
    let exporter = spans_to(&server);
    let batch = batch(&[(1, "a"), (2, "a")]);
    assert_eq!(exporter.export(&batch).await.unwrap().delivered, 2);
    let error = exporter.export(&batch).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Unavailable, None), "nor does a status");
}

#[tokio::test]
async fn what_has_no_form_in_the_sdk_becomes_json() {
    #[derive(Debug, Clone, Default)]
    struct Kept(Arc<Mutex<Vec<SpanData>>>);
    impl SpanExporter for Kept {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            self.0.lock().unwrap().extend(batch);
            Ok(())
        }
    }
    let SpanRecord::Ended(mut span) = span(1, "a") else { panic!("it ended") };
    let map = Value::Map(Attributes::from_iter([("k", 1)]));
    let values = [
        ("map", map.clone()),
        ("mixed", Value::List(vec![1.into(), "a".into()])),
        ("nested", Value::List(vec![map])),
        ("numbers", Value::List(vec![1.5.into(), f64::NAN.into()])),
        ("empty", Value::List(Vec::new())),
        ("null", Value::Null),
    ];
    span.attributes = values.into_iter().collect();
    let kept = Kept::default();
    SdkSpanExporter::new(kept.clone())
        .export(&Batch::Traces([SpanRecord::Ended(span)].into_iter().collect()))
        .await
        .unwrap();
    let spans = kept.0.lock().unwrap();
    let shown: Vec<_> =
        spans[0].attributes.iter().map(|pair| format!("{}={}", pair.key, pair.value)).collect();
    let expected = [
        r#"map={"k":1}"#,
        r#"mixed=[1,"a"]"#,
        r#"nested=[{"k":1}]"#,
        "numbers=[1.5,NaN]",
        "empty=[]",
        "null=null",
    ];
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn a_log_has_its_observed_time_and_its_span() {
    let server = CaptureServer::start().await;
    let mut log = Log::new(Timestamp::from_nanos(7), Level::Error, "failed");
    log.event_name = Some("order.failed".into());
    log.span =
        Some(obs_core::SpanRef { trace_id: fixtures::trace_id(1), span_id: Some(fixtures::span_id(2)) });
    logs_to(&server).export(&Batch::Logs([log].into_iter().collect())).await.unwrap();
    let Sent::Logs(request) = Sent::of(&server.requests()[0]) else { panic!("logs") };
    let log = &logs_of(&request)[0];
    assert_eq!((log.time_unix_nano, log.observed_time_unix_nano), (7, 7));
    assert_eq!(
        (log.event_name.as_str(), log.severity_number, log.severity_text.as_str()),
        ("order.failed", 17, "ERROR")
    );
    assert_eq!(log.span_id, fixtures::span_id(2).to_bytes());
}
