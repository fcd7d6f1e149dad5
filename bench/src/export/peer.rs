//! opentelemetry_sdk with opentelemetry-otlp.

use std::error::Error;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};

use super::BATCH;
use crate::payload::owned;
use crate::peers::otel::span;

/// Room for all spans: with its default of 2,048 it drops most of them.
const QUEUE: usize = 201_000;

/// The exporter as its documentation shows it, with a queue that loses nothing.
pub(super) fn run(port: u16, spans: usize) -> Result<(), Box<dyn Error>> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("http://127.0.0.1:{port}/v1/traces"))
        .build()?;
    let config = BatchConfigBuilder::default().with_max_queue_size(QUEUE).with_max_export_batch_size(BATCH);
    let processor = BatchSpanProcessor::builder(exporter).with_batch_config(config.build()).build();
    let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
    let (tracer, texts) = (provider.tracer("bench"), owned());
    for _ in 0..spans {
        span(&tracer, &texts);
    }
    provider.force_flush()?;
    Ok(())
}
