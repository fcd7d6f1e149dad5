//! Existing OpenTelemetry instrumentation as a source of obs records (feature `sdk`).
//!
//! An application that is instrumented with `opentelemetry_sdk` adds [`ObsSpanProcessor`] to its tracer provider and [`ObsLogProcessor`] to its logger provider; what it records reaches all destinations of an obs pipeline.
//!
//! - Records are those that [`obs_otlp::ingest`] makes of the same data over OTLP: ids, parents, times, events, links, status, resource and scope, and what the GenAI, OpenInference, OpenLLMetry, Langfuse and Mastra conventions say in typed fields.
//! - Parents that began in this process are known to their children, so that a score finds a trace's root and LangSmith an order.
//! - Nothing waits and nothing is sent on the application's thread: a record is made of the data and put into the intake.
//! - Spans that are not sampled are not recorded.
//!
//! # Flush and shutdown
//!
//! A record is in the intake when `on_end` or `emit` returns, so that `force_flush` has nothing to push out of a processor.
//! Whoever wants it to wait for delivery gives the pipeline's flush by [`ObsSpanProcessor::with_flush`]; its `false` is `OTelSdkError::Timeout`.
//! `shutdown` flushes the same way and ends the processor, not the pipeline, which others write to as well.
//!
//! # What obs does itself is not recorded
//!
//! 1. The intake ignores what is recorded on obs's own threads, where its destinations send.
//! 2. `SdkSpanExporter` and its like (feature `sdk-exporter`) send with telemetry suppressed in their context, in which an SDK starts no span and emits no log.
//! 3. Scopes, targets and modules below `obs` are ignored wherever they are met: they are obs's own messages.
//!
//! A client that sends on threads of its own, as `reqwest::blocking` does, escapes the first two: name its targets with [`ObsLogProcessor::ignoring`], as OpenTelemetry advises for its own exporters.

mod inlet;
mod logs;
mod paths;
mod spans;

pub use logs::ObsLogProcessor;
pub use spans::ObsSpanProcessor;
