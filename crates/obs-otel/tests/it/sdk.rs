//! What an SDK records, in obs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use obs_core::{
    Batch, Descriptor, Error, Exporter, Health, Level, Mappers, Receipt, Record, Signal, Signals, Span,
    SpanRecord, Status,
};
use obs_core::{Mapped, Records};
use obs_otel::sdk::{ObsLogProcessor, ObsSpanProcessor};
use obs_otlp::ingest;
use obs_pipeline::{Intake, Pipeline};
use obs_testkit::Scripted;
use opentelemetry::logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _, Severity};
use opentelemetry::trace::{
    Link, Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId,
    TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Array, Context, InstrumentationScope, KeyValue, Value};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::logs::tonic::group_logs_by_resource_and_scope;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::logs::{LogBatch, LogProcessor, SdkLogRecord, SdkLoggerProvider};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanData, SpanProcessor};

const DEADLINE: Duration = Duration::from_secs(10);

/// A pipeline, and all that reached its destination.
fn pipeline() -> (Arc<Scripted>, Pipeline) {
    let destination = Scripted::new([]);
    let pipeline = Pipeline::builder().to(destination.clone()).build().unwrap();
    (destination, pipeline)
}

fn delivered(destination: &Scripted, pipeline: &Pipeline) -> Vec<Record> {
    let report = pipeline.shutdown(DEADLINE);
    assert!(report.complete && report.is_balanced(), "{report}");
    destination.records()
}

fn resource() -> Resource {
    Resource::builder_empty()
        .with_service_name("shop")
        .with_attribute(KeyValue::new("deployment.environment.name", "test"))
        .build()
}

/// In the order of its keys: the SDK has them in none.
fn wire_resource() -> ResourceAttributesWithSchema {
    let mut resource = ResourceAttributesWithSchema::from(&resource());
    resource.attributes.0.sort_by(|a, b| a.key.cmp(&b.key));
    resource
}

fn scope() -> InstrumentationScope {
    InstrumentationScope::builder("openinference.instrumentation")
        .with_version("1.2")
        .with_schema_url("https://opentelemetry.io/schemas/1.44.0")
        .with_attributes([KeyValue::new("a", 1)])
        .build()
}

/// What the SDK gives its processors, kept.
#[derive(Debug, Clone, Default)]
struct Kept {
    spans: Arc<Mutex<Vec<SpanData>>>,
    logs: Arc<Mutex<Vec<(SdkLogRecord, InstrumentationScope)>>>,
}

impl SpanProcessor for Kept {
    fn on_start(&self, _: &mut opentelemetry_sdk::trace::Span, _: &Context) {}
    fn on_end(&self, span: SpanData) {
        self.spans.lock().unwrap().push(span);
    }
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }
    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl LogProcessor for Kept {
    fn emit(&self, data: &mut SdkLogRecord, scope: &InstrumentationScope) {
        self.logs.lock().unwrap().push((data.clone(), scope.clone()));
    }
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }
}

fn tracers(processor: ObsSpanProcessor, kept: &Kept) -> SdkTracerProvider {
    SdkTracerProvider::builder()
        .with_resource(resource())
        .with_span_processor(processor)
        .with_span_processor(kept.clone())
        .build()
}

/// Everything that a span of the SDK can have.
fn a_full_span(tracers: &SdkTracerProvider) {
    let state: TraceState = "vendor=1".parse().unwrap();
    let remote = SpanContext::new(TraceId::from(7), SpanId::from(9), TraceFlags::SAMPLED, true, state);
    let link = SpanContext::new(
        TraceId::from(5),
        SpanId::from(6),
        TraceFlags::SAMPLED,
        false,
        TraceState::default(),
    );
    let builder = SpanBuilder::from_name("chat gpt-4o")
        .with_kind(SpanKind::Client)
        .with_start_time(UNIX_EPOCH + Duration::from_nanos(1_700_000_000_000_000_001))
        .with_links(vec![Link::new(link, vec![KeyValue::new("l", true)], 2)])
        .with_attributes([
            KeyValue::new("gen_ai.operation.name", "chat"),
            KeyValue::new("gen_ai.request.model", "gpt-4o"),
            KeyValue::new("gen_ai.usage.input_tokens", 12),
            KeyValue::new("gen_ai.response.finish_reasons", Value::Array(Array::String(vec!["stop".into()]))),
            KeyValue::new("gen_ai.input.messages", r#"[{"role":"user","content":"hi"}]"#),
            KeyValue::new("user.id", "ann"),
            KeyValue::new("odd", f64::NAN),
        ]);
    let above = Context::new().with_remote_span_context(remote);
    let mut span = tracers.tracer_with_scope(scope()).build_with_context(builder, &above);
    span.add_event_with_timestamp(
        "first token",
        UNIX_EPOCH + Duration::from_nanos(5),
        vec![KeyValue::new("n", 1)],
    );
    span.add_event(
        "gen_ai.evaluation.result",
        vec![
            KeyValue::new("gen_ai.evaluation.name", "good"),
            KeyValue::new("gen_ai.evaluation.score.value", 0.5),
        ],
    );
    span.record_error(&std::io::Error::other("too slow"));
    span.set_status(opentelemetry::trace::Status::error("failed"));
    span.end_with_timestamp(UNIX_EPOCH + Duration::from_nanos(1_700_000_000_000_000_900));
}

/// In the debug form, in which numbers that are none are equal to themselves.
fn shown(mut records: Vec<Record>) -> Vec<String> {
    records.sort_by_key(|record| record.signal().index());
    records.iter().map(|record| format!("{record:#?}")).collect()
}

#[test]
fn a_span_is_the_record_that_it_is_over_otlp() {
    let (destination, pipeline) = pipeline();
    let kept = Kept::default();
    let tracers = tracers(ObsSpanProcessor::new(pipeline.intake()), &kept);
    a_full_span(&tracers);
    let spans = kept.spans.lock().unwrap().clone();
    let resource = wire_resource();
    let resource_spans = group_spans_by_resource_and_scope(spans, &resource);
    let over_otlp = ingest::traces(&ExportTraceServiceRequest { resource_spans });
    assert_eq!(
        (over_otlp.refused.len(), over_otlp.count(Signal::Traces), over_otlp.count(Signal::Scores)),
        (0, 1, 1)
    );
    assert_eq!(shown(delivered(&destination, &pipeline)), shown(over_otlp.records));
}

#[test]
fn law_5_ids_survive_and_children_know_those_above_them() {
    let (destination, pipeline) = pipeline();
    let kept = Kept::default();
    let tracers = tracers(ObsSpanProcessor::new(pipeline.intake()), &kept);
    let tracer = tracers.tracer("shop");
    tracer.in_span("root", |_| tracer.in_span("middle", |_| tracer.in_span("leaf", |_| ())));
    let ids: Vec<_> = kept.spans.lock().unwrap().iter().map(|span| span.span_context.clone()).collect();
    let records = delivered(&destination, &pipeline);
    let spans: Vec<&Span> = records.iter().map(span).collect();
    for (span, id) in spans.iter().zip(&ids) {
        assert_eq!(
            (span.trace_id.to_bytes(), span.span_id.to_bytes()),
            (id.trace_id().to_bytes(), id.span_id().to_bytes())
        );
    }
    let [leaf, middle, root] = spans[..] else { panic!("{spans:?}") };
    assert_eq!(leaf.root_span_id(), Some(root.span_id));
    let above: Vec<_> = leaf.ancestors().map(|above| (above.span_id, above.start)).collect();
    assert_eq!(above, [(middle.span_id, middle.start), (root.span_id, root.start)]);
    assert!(Arc::ptr_eq(&leaf.resource, &root.resource), "the resource is shared");
}

fn span(record: &Record) -> &Span {
    match record {
        Record::Span(SpanRecord::Started(span) | SpanRecord::Ended(span)) => span,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_destination_that_wants_to_know_hears_of_spans_that_began() {
    let destination = Scripted::builder([]).with_descriptor(Scripted::DESCRIPTOR.with_started()).shared();
    let pipeline = Pipeline::builder().to(destination.clone()).build().unwrap();
    let tracers = tracers(ObsSpanProcessor::new(pipeline.intake()), &Kept::default());
    let tracer = tracers.tracer("shop");
    tracer.in_span("root", |_| tracer.in_span("leaf", |_| ()));
    let records = delivered(&destination, &pipeline);
    let told: Vec<_> =
        records.iter().map(|record| (span(record).name.as_str(), span(record).end.is_some())).collect();
    assert_eq!(told, [("root", false), ("leaf", false), ("leaf", true), ("root", true)]);
    assert_eq!(span(&records[1]).path, span(&records[2]).path);
    assert!(span(&records[1]).path.is_some());
}

#[test]
fn what_is_not_sampled_what_is_ignored_and_what_comes_after_shutdown_is_not_recorded() {
    let (destination, pipeline) = pipeline();
    let unsampled = SdkTracerProvider::builder()
        .with_sampler(Sampler::AlwaysOff)
        .with_span_processor(ObsSpanProcessor::new(pipeline.intake()))
        .build();
    unsampled.tracer("shop").in_span("unsampled", |_| ());

    let processor = ObsSpanProcessor::new(pipeline.intake()).ignoring(["h2", "reqwest"]);
    let tracers = SdkTracerProvider::builder().with_span_processor(processor).build();
    for own in ["obs", "obs::http", "h2::client"] {
        tracers.tracer(own).in_span("ignored", |_| ());
    }
    let from = |target: &'static str| {
        let attributes = [KeyValue::new("target", target), KeyValue::new("thread.id", 1)];
        SpanBuilder::from_name(target).with_attributes(attributes)
    };
    for target in ["obs::delivery", "reqwest::connect", "observer", "obs_app"] {
        tracers.tracer("tracing-opentelemetry").build(from(target)).end();
    }
    for target in ["obs", "reqwest"] {
        // An attribute of the application's own.
        let span = SpanBuilder::from_name(target).with_attributes([KeyValue::new("target", target)]);
        tracers.tracer("shop").build(span).end();
    }
    assert!(tracers.shutdown().is_ok());
    tracers.tracer("shop").in_span("late", |_| ());
    let names: Vec<String> =
        delivered(&destination, &pipeline).iter().map(|record| span(record).name.to_string()).collect();
    assert_eq!(names, ["observer", "obs_app", "obs", "reqwest"]);
}

#[test]
fn flush_and_shutdown_wait_for_delivery_where_they_are_told_how() {
    let (destination, pipeline) = pipeline();
    let pipeline = Arc::new(pipeline);
    let flush = {
        let pipeline = Arc::clone(&pipeline);
        move |deadline| pipeline.flush(deadline).complete
    };
    let processor = ObsSpanProcessor::new(pipeline.intake()).with_flush(flush);
    let tracers = SdkTracerProvider::builder().with_span_processor(processor).build();
    tracers.tracer("shop").in_span("flushed", |_| ());
    tracers.force_flush().unwrap();
    assert_eq!(destination.delivered(Signal::Traces), 1);

    let asked = Arc::new(AtomicUsize::new(0));
    let never = {
        let asked = Arc::clone(&asked);
        move |_| asked.fetch_add(1, Ordering::Relaxed) > usize::MAX / 2
    };
    let processor = ObsLogProcessor::new(pipeline.intake()).with_flush(never);
    assert!(matches!(processor.force_flush(), Err(OTelSdkError::Timeout(_))));
    let timeout = Duration::from_secs(3);
    assert!(
        matches!(processor.shutdown_with_timeout(timeout), Err(OTelSdkError::Timeout(said)) if said == timeout)
    );
    assert!(matches!(processor.shutdown_with_timeout(timeout), Err(OTelSdkError::AlreadyShutdown)));
    assert!(matches!(processor.force_flush(), Err(OTelSdkError::AlreadyShutdown)));
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    assert!(ObsLogProcessor::new(pipeline.intake()).force_flush().is_ok(), "there is nothing to wait for");
}

fn emit(loggers: &SdkLoggerProvider, fill: impl FnOnce(&mut SdkLogRecord)) {
    let logger = loggers.logger_with_scope(scope());
    let mut log = logger.create_log_record();
    fill(&mut log);
    logger.emit(log);
}

#[test]
fn a_log_is_the_record_that_it_is_over_otlp() {
    let (destination, pipeline) = pipeline();
    let kept = Kept::default();
    let loggers = SdkLoggerProvider::builder()
        .with_resource(resource())
        .with_log_processor(ObsLogProcessor::new(pipeline.intake()))
        .with_log_processor(kept.clone())
        .build();
    emit(&loggers, |log| {
        log.set_timestamp(UNIX_EPOCH + Duration::from_nanos(1_700_000_000_000_000_001));
        log.set_severity_number(Severity::Warn2);
        log.set_severity_text("WARN");
        log.set_target("shop::cart");
        log.set_event_name("cart.full");
        log.set_trace_context(TraceId::from(7), SpanId::from(9), Some(TraceFlags::SAMPLED));
        log.set_body(AnyValue::Map(Box::new(
            [("message".into(), "full".into()), ("items".into(), 3.into())].into(),
        )));
        log.add_attribute("user.id", "ann");
        log.add_attribute("bytes", AnyValue::Bytes(Box::new(vec![1, 2])));
    });
    emit(&loggers, |log| {
        log.set_event_name("gen_ai.evaluation.result");
        log.set_trace_context(TraceId::from(7), SpanId::from(9), None);
        log.add_attribute("gen_ai.evaluation.name", "good");
        log.add_attribute("gen_ai.evaluation.score.label", "yes");
    });
    let kept = kept.logs.lock().unwrap();
    let mut over_otlp = ingest::Ingested::default();
    for (log, scope) in &*kept {
        let one = [(log, scope)];
        let resource = wire_resource();
        let resource_logs = group_logs_by_resource_and_scope(&LogBatch::new(&one), &resource);
        over_otlp.append(ingest::logs(&ExportLogsServiceRequest { resource_logs }));
    }
    assert_eq!((over_otlp.count(Signal::Logs), over_otlp.count(Signal::Scores)), (1, 1));
    assert_eq!(shown(delivered(&destination, &pipeline)), shown(over_otlp.records));
}

#[test]
fn a_log_without_the_time_that_it_was_observed_panics_nobody() {
    let (destination, pipeline) = pipeline();
    let loggers = SdkLoggerProvider::builder().build();
    let logger = loggers.logger("shop");
    let mut log = logger.create_log_record();
    log.set_body("said".into());
    log.set_target("obs::delivery");
    let processor = ObsLogProcessor::new(pipeline.intake());
    processor.emit(&mut log, &scope());
    log.set_target("shop::cart");
    processor.emit(&mut log, &scope());
    assert!(log.observed_timestamp().is_some_and(|time| time > SystemTime::UNIX_EPOCH));
    assert!(!processor.event_enabled(Severity::Info, "obs::delivery", None));
    assert!(processor.event_enabled(Severity::Info, "shop", None));
    let records = delivered(&destination, &pipeline);
    let [Record::Log(log)] = &records[..] else { panic!("{records:?}") };
    assert_eq!((log.message.as_str(), log.level), ("said", Level::Info));
    assert_eq!(log.resource.scope.as_ref().unwrap().name, "shop::cart");
}

/// A destination that is instrumented with the SDK whose spans it is sent.
#[derive(Debug)]
struct Instrumented {
    tracers: SdkTracerProvider,
    sent: Arc<AtomicUsize>,
}

impl Instrumented {
    const MAPPERS: Mappers<Self, ()> = Mappers::NONE.traces(map);
    const DESCRIPTOR: Descriptor = Descriptor::of("instrumented", &Self::MAPPERS);
}

fn map(_: &Instrumented, records: &Records<SpanRecord>) -> Mapped<()> {
    Mapped::whole((), records.len())
}

#[async_trait]
impl Exporter for Instrumented {
    fn descriptor(&self) -> &Descriptor {
        static DESCRIPTOR: Descriptor = Instrumented::DESCRIPTOR;
        &DESCRIPTOR
    }
    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        self.tracers.tracer("reqwest").in_span("POST", |_| ());
        self.sent.fetch_add(1, Ordering::Relaxed);
        Ok(Receipt::delivered(batch.len()))
    }
    async fn check(&self) -> Health {
        Health::Healthy
    }
    async fn flush(&self) -> Result<(), Error> {
        Ok(())
    }
    async fn shutdown(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// A processor that is given its pipeline after both were made.
#[derive(Debug, Clone, Default)]
struct Late(Arc<std::sync::OnceLock<ObsSpanProcessor>>);

impl SpanProcessor for Late {
    fn on_start(&self, span: &mut opentelemetry_sdk::trace::Span, above: &Context) {
        self.0.get().unwrap().on_start(span, above);
    }
    fn on_end(&self, span: SpanData) {
        self.0.get().unwrap().on_end(span);
    }
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }
    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

#[test]
fn law_9_spans_of_obs_sending_are_not_sent() {
    let late = Late::default();
    let tracers = SdkTracerProvider::builder().with_span_processor(late.clone()).build();
    let sent = Arc::new(AtomicUsize::new(0));
    let destination = Instrumented { tracers: tracers.clone(), sent: Arc::clone(&sent) };
    let pipeline = Pipeline::builder().to(destination).build().unwrap();
    late.0.set(ObsSpanProcessor::new(pipeline.intake())).unwrap();
    tracers.tracer("shop").in_span("order", |_| ());
    for _ in 0..3 {
        assert!(pipeline.flush(DEADLINE).complete);
    }
    let report = pipeline.shutdown(DEADLINE);
    assert!(report.complete && report.is_balanced(), "{report}");
    assert_eq!(sent.load(Ordering::Relaxed), 1, "its own span made it send again: {report}");
}

#[test]
fn a_status_is_what_the_sdk_says() {
    let (destination, pipeline) = pipeline();
    let tracers = tracers(ObsSpanProcessor::new(pipeline.intake()), &Kept::default());
    let mut span = tracers.tracer("shop").start("fine");
    span.set_status(opentelemetry::trace::Status::Ok);
    span.end();
    let records = delivered(&destination, &pipeline);
    assert_eq!(self::span(&records[0]).status, Status::Ok);
}

#[test]
fn a_destination_of_feedback_alone_gets_what_logs_say_of_it() {
    let descriptor = Scripted::DESCRIPTOR.narrowed(Signals::NONE.with(Signal::Feedback));
    let destination = Scripted::builder([]).with_descriptor(descriptor).shared();
    let pipeline = Pipeline::builder().to(destination.clone()).build().unwrap();
    let loggers =
        SdkLoggerProvider::builder().with_log_processor(ObsLogProcessor::new(pipeline.intake())).build();
    emit(&loggers, |log| {
        log.set_event_name("gen_ai.evaluation.result");
        log.set_trace_context(TraceId::from(7), SpanId::from(9), None);
        log.add_attribute("obs.evaluation.kind", "feedback");
        log.add_attribute("gen_ai.evaluation.name", "thumbs");
        log.add_attribute("gen_ai.evaluation.score.value", 1.0);
    });
    let records = delivered(&destination, &pipeline);
    assert!(matches!(&records[..], [Record::Feedback(_)]), "{records:?}");
}

#[test]
fn law_1_what_cannot_be_read_is_counted_as_dropped() {
    let (_, pipeline) = pipeline();
    let processor = ObsSpanProcessor::new(pipeline.intake());
    let kept = Kept::default();
    tracers(ObsSpanProcessor::new(Intake::noop()), &kept).tracer("shop").in_span("kept", |_| ());
    let mut unreadable = kept.spans.lock().unwrap()[0].clone();
    let flags = TraceFlags::SAMPLED;
    unreadable.span_context =
        SpanContext::new(TraceId::INVALID, SpanId::INVALID, flags, false, TraceState::default());
    for _ in 0..3 {
        processor.on_end(unreadable.clone());
    }
    let report = pipeline.shutdown(DEADLINE);
    assert!(report.is_balanced(), "{report}");
    let terms = report.intake.get(Signal::Traces);
    assert_eq!((terms.recorded, terms.dropped.get("unreadable")), (3, 3), "{report}");
}
