//! Exporters of `opentelemetry_sdk` as destinations of obs (feature `sdk-exporter`).
//!
//! [`SdkSpanExporter`] and [`SdkLogExporter`] make an obs [`Exporter`](obs_core::Exporter) of anything that implements the SDK's traits, `opentelemetry-otlp`'s exporters for one.
//! [`OtelExporter`](crate::OtelExporter) is the better way to an OTLP backend; these are for a backend that has nothing but an exporter for the SDK.
//!
//! # What the SDK's traits do not tell
//!
//! - `Ok(())` counts as delivered, all of the batch: a collector's partial success does not come through, so records that it refused count as delivered.
//! - Of an error there is a text and no more: no status, no `Retry-After`, no part of the batch that did pass. [`Failures`] decides what it means.
//! - What was resent may arrive twice, since nothing says how much of a batch had arrived before it failed.
//! - [`check`](obs_core::Exporter::check) asks nobody: it tells how the last export went.
//!
//! Exporters that try again by themselves should be told not to, `with_retry_policy(RetryPolicy::disabled())` in `opentelemetry-otlp`: the lane does it, and both multiply.
//!
//! # What the SDK's data have no room for
//!
//! - The attributes of a span, an event, a link, a resource and a scope are texts, numbers, truth values and lists of one of these.
//!   A map, a list of several kinds and nothing at all become their JSON as text. The attributes of a log have maps.
//! - The maps of a log have no order, and its values that are nothing are the text `null`.
//! - A log of a trace, but of no span of it, has a span id of zeros.
//! - A `tracestate` that is not W3C's is left out.
//! - The name of a log's event is static: 1,024 different ones are kept as long as the process lives, and any further one goes out as the attribute `event.name`.
//!
//! # Where it runs
//!
//! Every call is made on the destination's thread, inside its tokio runtime of one thread.
//! Asynchronous clients work there; `reqwest::blocking` panics inside a runtime, which the lane counts as a failure.
//! A client that needs a runtime when it is made, as tonic's does, is made inside one that outlives it.
//!
//! The SDK gives an exporter one resource; here it is set again whenever a batch has another one, before the export, and batches of several resources are several exports.

mod held;
mod log_record;
mod logs;
mod resource;
mod span_data;
mod spans;
mod value;

pub use held::Failures;
pub use logs::SdkLogExporter;
pub use spans::SdkSpanExporter;
