//! opentelemetry_sdk: tracer, logger, batch processors, a sink.

use std::sync::Arc;

use opentelemetry::logs::{LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::trace::{Span, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{
    BatchConfigBuilder as LogConfig, BatchLogProcessor, LogBatch, LogExporter, SdkLoggerProvider,
};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, SpanData, SpanExporter,
};

use crate::case::Case;
use crate::payload::{INPUT_TOKENS, NAME, OPERATION, OUTPUT_TOKENS, TEMPERATURE, Texts, owned, shared};

/// Room for two bursts, so that none is dropped.
const QUEUE: usize = 4_096;

/// Takes everything, keeps nothing.
#[derive(Debug)]
struct Sink;

impl SpanExporter for Sink {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        drop(batch);
        Ok(())
    }
}

impl LogExporter for Sink {
    async fn export(&self, _: LogBatch<'_>) -> OTelSdkResult {
        Ok(())
    }
}

/// A provider that delivers to the sink.
pub(crate) fn provider(sampler: Sampler) -> SdkTracerProvider {
    let config = BatchConfigBuilder::default().with_max_queue_size(QUEUE).build();
    let processor = BatchSpanProcessor::builder(Sink).with_batch_config(config).build();
    SdkTracerProvider::builder().with_sampler(sampler).with_span_processor(processor).build()
}

pub(crate) fn flush(provider: &SdkTracerProvider) -> impl FnMut() + 'static {
    let provider = provider.clone();
    move || {
        let flushed = provider.force_flush();
        debug_assert!(flushed.is_ok(), "{flushed:?}");
    }
}

/// A model call whose strings are copied.
pub(crate) fn copied() -> Case {
    spans("otel.copied", Sampler::AlwaysOn, owned())
}

/// A model call whose strings are shared.
pub(crate) fn arc() -> Case {
    spans("otel.shared", Sampler::AlwaysOn, shared())
}

/// A model call of a trace that is not sampled.
pub(crate) fn unsampled() -> Case {
    spans("otel.unsampled", Sampler::AlwaysOff, owned())
}

fn spans<S: Clone + Into<Value> + 'static>(name: &'static str, sampler: Sampler, texts: Texts<S>) -> Case {
    let provider = provider(sampler);
    let (tracer, flush) = (provider.tracer("bench"), flush(&provider));
    Case::new(name, move |times| (0..times).for_each(|_| span(&tracer, &texts)), flush)
}

#[inline(always)]
pub(crate) fn span<S: Clone + Into<Value>>(tracer: &impl Tracer, texts: &Texts<S>) {
    let mut span = tracer.start(NAME);
    span.set_attribute(KeyValue::new("gen_ai.operation.name", OPERATION));
    span.set_attribute(KeyValue::new("gen_ai.provider.name", texts.provider.clone()));
    span.set_attribute(KeyValue::new("gen_ai.request.model", texts.model.clone()));
    span.set_attribute(KeyValue::new("gen_ai.request.temperature", TEMPERATURE));
    span.set_attribute(KeyValue::new("gen_ai.input.messages", texts.input.clone()));
    span.set_attribute(KeyValue::new("gen_ai.usage.input_tokens", INPUT_TOKENS as i64));
    span.set_attribute(KeyValue::new("gen_ai.usage.output_tokens", OUTPUT_TOKENS as i64));
    span.set_attribute(KeyValue::new("gen_ai.output.messages", texts.output.clone()));
    span.end();
}

/// A log record with three fields under a span.
pub(crate) fn log() -> Case {
    let config = LogConfig::default().with_max_queue_size(QUEUE).build();
    let processor = BatchLogProcessor::builder(Sink).with_batch_config(config).build();
    let provider = SdkLoggerProvider::builder().with_log_processor(processor).build();
    let (logger, tracers) = (provider.logger("bench"), Arc::new(self::provider(Sampler::AlwaysOn)));
    let tracer = tracers.tracer("bench");
    let flush = move || {
        let flushed = provider.force_flush().and_then(|()| tracers.force_flush());
        debug_assert!(flushed.is_ok(), "{flushed:?}");
    };
    let burst = move |times| {
        let current = Context::current_with_span(tracer.start("request")).attach();
        for attempt in 0..times {
            let mut record = logger.create_log_record();
            record.set_severity_number(Severity::Info);
            record.set_severity_text("INFO");
            record.set_body("the tool answered".into());
            record.add_attribute("tool.name", "search");
            record.add_attribute("attempt", attempt as i64);
            record.add_attribute("score", 0.5);
            logger.emit(record);
        }
        drop(current);
    };
    Case::new("otel.log", burst, flush)
}
