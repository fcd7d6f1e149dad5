//! Traces by OTLP, as a receiver reads them.

use obs_core::{ErrorKind, Exporter, Signal, Span};
use obs_datadog::{ApmConfig, DatadogConfig, DatadogExporter, Mode};
use obs_testkit::fixtures::{self, at, span_id, trace_id};
use obs_testkit::{Answer, CaptureServer, Captured};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span as OtlpSpan;
use prost::Message;

use crate::server::{self, KEY, OTLP, ended, sent_with};

pub(crate) fn spans(request: &Captured) -> Vec<OtlpSpan> {
    let request = ExportTraceServiceRequest::decode(&*request.body).unwrap();
    let groups = request.resource_spans.into_iter().flat_map(|group| group.scope_spans);
    groups.flat_map(|group| group.spans).collect()
}

/// What the first resource of a request says under a name.
fn resource(request: &Captured, name: &str) -> Option<String> {
    let request = ExportTraceServiceRequest::decode(&*request.body).unwrap();
    let attributes: Vec<KeyValue> = request.resource_spans[0].resource.clone().unwrap().attributes;
    let found = attributes.into_iter().find(|pair| pair.key == name)?;
    match found.value?.value? {
        any_value::Value::StringValue(text) => Some(text),
        other => Some(format!("{other:?}")),
    }
}

fn span() -> Span {
    let mut span = Span::new(trace_id(1), span_id(1), "run", at(0));
    span.end = Some(at(5));
    span
}

#[tokio::test]
async fn an_agent_gets_spans_with_our_ids_and_what_apm_knows_the_program_by() {
    let apm = ApmConfig::new("foundation-profiling", "production", "1.0.0");
    let sent = sent_with(ended([span()]), |_, server| {
        DatadogConfig::default()
            .with_mode(Mode::OtlpAgent)
            .with_otlp_endpoint(server.url())
            .with_apm_config(apm)
            .with_hostname("host-1")
            .with_tags(["team:platform"])
    })
    .await;
    let request = &sent.server.requests()[0];
    assert_eq!(
        (request.path.as_str(), request.header("content-type")),
        (OTLP, Some("application/x-protobuf"))
    );
    assert_eq!(request.header("dd-api-key"), None, "an Agent has the key itself");
    let said = |name| resource(request, name);
    assert_eq!(said("service.name").as_deref(), Some("foundation-profiling"));
    assert_eq!(said("deployment.environment.name").as_deref(), Some("production"));
    assert_eq!(said("service.version").as_deref(), Some("1.0.0"));
    assert_eq!(said("host.name").as_deref(), Some("host-1"));
    assert_eq!(said("team").as_deref(), Some("platform"));
    let arrived = &spans(request)[0];
    assert_eq!(arrived.trace_id, trace_id(1).to_bytes());
    assert_eq!(arrived.span_id, span_id(1).to_bytes());
}

#[tokio::test]
async fn the_intake_gets_the_key_and_what_the_spans_are_for() {
    let sent = sent_with(ended([span()]), |config, server| {
        config.with_mode(Mode::OtlpIntake).with_otlp_endpoint(server.url()).with_otlp_source("llmobs")
    })
    .await;
    let request = &sent.server.requests()[0];
    assert_eq!(request.header("dd-api-key"), Some(KEY));
    assert_eq!(request.header("dd-otlp-source"), Some("llmobs"));
    assert_eq!(request.path, OTLP);
}

#[tokio::test]
async fn what_a_receiver_refuses_of_a_request_is_counted_and_not_sent_again() {
    let server = CaptureServer::start().await;
    let partial = ExportTracePartialSuccess { rejected_spans: 1, error_message: "too long".to_owned() };
    let body = ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec();
    let answer = Answer::status(200).with_header("content-type", "application/x-protobuf").with_body(body);
    server.answer_always(answer);
    let exporter = server::exporter_of(server::otlp_agent(&server));
    let receipt = exporter.export(&ended([span(), span()])).await.unwrap();
    assert_eq!((receipt.delivered, receipt.rejected_count()), (1, 1));
    assert!(receipt.rejected[0].reason.contains("too long"), "{receipt:?}");
}

#[tokio::test]
async fn old_spans_are_apm_s_matter_and_pass() {
    let mut old = span();
    old.start = obs_core::Timestamp::from_nanos(1);
    let sent = sent_with(ended([old]), |_, server| server::otlp_agent(server)).await;
    assert_eq!(sent.receipt.delivered, 1);
}

#[tokio::test]
async fn evaluations_of_spans_that_come_by_otlp_need_an_application() {
    let server = server::start().await;
    let mut config = server::otlp_agent(&server);
    config.ml_app = None;
    let exporter = server::exporter_of(config);
    for signal in [Signal::Scores, Signal::Feedback] {
        let error = exporter.export(&fixtures::batch(signal)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
    assert!(exporter.descriptor().signals().contains(Signal::Logs));
}

#[test]
fn a_trace_of_apm_has_an_address_and_one_of_llm_observability_has_none() {
    let page = |config: DatadogConfig| DatadogExporter::new(config).unwrap().trace_url(trace_id(1));
    let key = || DatadogConfig::new(KEY);
    assert_eq!(page(key()), None);
    for (site, host) in [
        ("datadoghq.com", "app.datadoghq.com"),
        ("us3.datadoghq.com", "us3.datadoghq.com"),
        ("ddog-gov.com", "app.ddog-gov.com"),
    ] {
        let url = page(key().with_site(site).with_mode(Mode::OtlpAgent)).unwrap();
        assert_eq!(url, format!("https://{host}/apm/trace/{}", trace_id(1)));
    }
}
