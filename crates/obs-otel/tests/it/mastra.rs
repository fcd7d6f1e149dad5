//! One test for each defect of another exporter over OTLP that could be ours.

use obs_core::{
    Batch, ErrorInfo, LlmGeneration, Payload, Span, SpanRecord, SpanType, Status, TraceContext, Usage, Value,
};
use obs_otel::{OtelConfig, OtelExporter, Protocol};
use obs_testkit::fixtures::{at, span_id, trace_id};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span as Sent;

use crate::support::{Bench, Sent as Request, attribute};

fn call() -> Span {
    let mut span = Span::new(trace_id(1), span_id(1), "answer", at(0));
    span.end = Some(at(400));
    span.span_type = SpanType::LlmGeneration(LlmGeneration {
        model: Some("gpt-4o".into()),
        usage: Usage::new(120, 8),
        ..LlmGeneration::default()
    });
    span
}

async fn sent(span: Span) -> Sent {
    let bench = Bench::start().await;
    let sent = bench.sent(&Batch::Traces([SpanRecord::Ended(span)].into_iter().collect())).await;
    let Request::Traces(request) = sent[0].clone() else { panic!("no spans") };
    request.resource_spans[0].scope_spans[0].spans[0].clone()
}

fn text<'a>(
    attributes: &'a [opentelemetry_proto::tonic::common::v1::KeyValue],
    key: &str,
) -> Option<&'a str> {
    match attribute(attributes, key) {
        Some(Any::StringValue(text)) => Some(text),
        _ => None,
    }
}

#[tokio::test]
async fn an_error_keeps_its_type_and_its_stack_and_the_time_of_its_end() {
    let mut span = call();
    span.status = Status::Error;
    let mut error = ErrorInfo::message("rate limit");
    (error.error_type, error.stack) = (Some("RateLimitError".into()), Some("at call()\nat main()".into()));
    span.error = Some(Box::new(error));
    let span = sent(span).await;
    assert_eq!(text(&span.attributes, "error.type"), Some("RateLimitError"));
    let exception = &span.events[0];
    assert_eq!((&*exception.name, exception.time_unix_nano), ("exception", at(400).as_nanos()));
    assert_eq!(text(&exception.attributes, "exception.type"), Some("RateLimitError"));
    assert_eq!(text(&exception.attributes, "exception.stacktrace"), Some("at call()\nat main()"));
}

#[tokio::test]
async fn finish_reasons_are_a_list_and_a_seed_of_zero_stays() {
    let mut span = call();
    let SpanType::LlmGeneration(generation) = &mut span.span_type else { unreachable!() };
    generation.finish_reason = Some("stop".into());
    generation.parameters.other.insert("seed", Value::I64(0));
    let span = sent(span).await;
    assert!(matches!(
        attribute(&span.attributes, "gen_ai.response.finish_reasons"),
        Some(Any::ArrayValue(_))
    ));
    assert_eq!(attribute(&span.attributes, "gen_ai.request.seed"), Some(&Any::IntValue(0)));
}

#[tokio::test]
async fn times_are_exact_to_the_nanosecond() {
    let mut span = call();
    (span.start, span.end) = (
        obs_core::Timestamp::from_nanos(1_768_471_200_000_000_001),
        Some(obs_core::Timestamp::from_nanos(1_768_471_200_000_000_003)),
    );
    let span = sent(span).await;
    assert_eq!((span.start_time_unix_nano % 10, span.end_time_unix_nano % 10), (1, 3));
}

#[tokio::test]
async fn a_value_that_cannot_be_written_costs_its_form_and_never_the_span() {
    let mut span = call();
    span.attributes.push("nan", f64::NAN);
    span.input = Some(Payload::from("{not json"));
    let span = sent(span).await;
    assert!(attribute(&span.attributes, "nan").is_some());
    assert_eq!(span.name, "chat gpt-4o");
}

#[tokio::test]
async fn tags_are_a_list_and_a_trace_is_told_with_every_span() {
    let mut span = call();
    let context = TraceContext {
        tags: vec!["a".into(), "b".into()],
        user_id: Some("u".into()),
        ..TraceContext::default()
    };
    span.context = std::sync::Arc::new(context);
    let span = sent(span).await;
    assert!(
        matches!(attribute(&span.attributes, "tag.tags"), Some(Any::ArrayValue(list)) if list.values.len() == 2)
    );
    assert_eq!(text(&span.attributes, "user.id"), Some("u"));
}

#[tokio::test]
async fn an_orphan_is_sent_below_its_parent_whether_that_arrives_or_not() {
    let mut span = call();
    span.parent_span_id = Some(span_id(77));
    assert_eq!(sent(span).await.parent_span_id, span_id(77).to_bytes());
}

#[tokio::test]
async fn a_span_that_begins_and_ends_in_one_tick_is_sent() {
    let mut span = call();
    span.end = Some(span.start);
    assert_eq!(sent(span).await.end_time_unix_nano, at(0).as_nanos());
}

#[test]
fn a_transport_that_is_not_built_in_is_an_error_and_no_silence() {
    let config = OtelConfig::new("http://localhost:4317").with_protocol(Protocol::Grpc);
    let said = OtelExporter::new(config).err().map(|error| error.message().to_owned());
    assert_eq!(said.is_none(), cfg!(feature = "grpc"), "{said:?}");
    assert!(said.is_none_or(|said| said.contains("feature `grpc`")));
}

#[tokio::test]
async fn logs_have_the_whole_resource() {
    let bench = Bench::start().await;
    let log = obs_core::Log::new(at(0), obs_core::Level::Info, "m");
    let sent = bench.sent(&Batch::Logs([log].into_iter().collect())).await;
    let Request::Logs(request) = &sent[0] else { panic!("no logs") };
    let resource = request.resource_logs[0].resource.as_ref().unwrap();
    for key in [
        "service.name",
        "service.instance.id",
        "telemetry.sdk.name",
        "telemetry.sdk.language",
        "telemetry.sdk.version",
    ] {
        assert!(text(&resource.attributes, key).is_some(), "{key}");
    }
}
