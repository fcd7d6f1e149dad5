//! Spans and logs of an OpenTelemetry SDK into obs, and out again through exporters of the SDK: both ways at once.
//!
//! An application that is instrumented with `opentelemetry_sdk` needs the first half only; the second is for a backend that has nothing but an exporter for the SDK.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use obs_otel::sdk::{ObsLogProcessor, ObsSpanProcessor};
use obs_otel::sdk_exporter::{SdkLogExporter, SdkSpanExporter};
use obs_pipeline::Pipeline;
use opentelemetry::KeyValue;
use opentelemetry::logs::{LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogExporter, SdkLoggerProvider};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};

/// What some backend's exporters were given.
#[derive(Debug, Clone, Default)]
struct Backend(Arc<Mutex<Vec<String>>>);

impl Backend {
    fn keep(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

impl SpanExporter for Backend {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        for span in batch {
            self.keep(format!("span {} {}", span.span_context.trace_id(), span.name));
        }
        Ok(())
    }
}

impl LogExporter for Backend {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        for (log, _) in batch.iter() {
            let trace = log.trace_context().map(|context| context.trace_id.to_string()).unwrap_or_default();
            self.keep(format!("log  {trace} {:?}", log.body()));
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let backend = Backend::default();
    let pipeline = Pipeline::builder()
        .to(SdkSpanExporter::new(backend.clone()))
        .to(SdkLogExporter::new(backend.clone()))
        .build()?;
    let pipeline = Arc::new(pipeline);
    let flush = || {
        let pipeline = Arc::clone(&pipeline);
        move |deadline| pipeline.flush(deadline).complete
    };

    let resource = Resource::builder_empty().with_service_name("shop").build();
    let spans = ObsSpanProcessor::new(pipeline.intake()).with_flush(flush());
    let logs = ObsLogProcessor::new(pipeline.intake()).with_flush(flush());
    let tracers =
        SdkTracerProvider::builder().with_resource(resource.clone()).with_span_processor(spans).build();
    let loggers = SdkLoggerProvider::builder().with_resource(resource).with_log_processor(logs).build();

    let logger = loggers.logger("shop");
    tracers.tracer("shop").in_span("invoke_agent Ann", |context| {
        context.span().set_attribute(KeyValue::new("gen_ai.operation.name", "invoke_agent"));
        context.span().set_attribute(KeyValue::new("gen_ai.agent.name", "Ann"));
        tracers.tracer("shop").in_span("chat gpt-4o", |context| {
            context.span().set_attribute(KeyValue::new("gen_ai.operation.name", "chat"));
            context.span().set_attribute(KeyValue::new("gen_ai.request.model", "gpt-4o"));
            let mut log = logger.create_log_record();
            log.set_severity_number(Severity::Info);
            log.set_body("asked".into());
            logger.emit(log);
        });
    });

    tracers.force_flush()?;
    loggers.force_flush()?;
    let report = pipeline.shutdown(Duration::from_secs(5));
    let arrived = backend.0.lock().unwrap_or_else(PoisonError::into_inner);
    arrived.iter().for_each(|line| println!("{line}"));
    if arrived.len() != 3 || !report.is_balanced() {
        return Err(format!("two spans and a log were recorded, {} arrived: {report}", arrived.len()).into());
    }
    Ok(())
}
