//! What becomes of records on their way out, and of requests on their way in.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod answer;
#[cfg(feature = "ingest")]
mod any_bytes;
mod bodies;
#[cfg(feature = "ingest")]
mod conventions;
mod encode;
mod encode_logs;
mod encode_metrics;
#[cfg(feature = "ingest")]
mod fixtures;
#[cfg(feature = "ingest")]
mod gen_ai;
#[cfg(feature = "ingest")]
mod json_forms;
mod kept_back;
#[cfg(feature = "ingest")]
mod links;
#[cfg(feature = "ingest")]
mod logs;
#[cfg(feature = "ingest")]
mod mastra;
mod metric_oracle;
#[cfg(feature = "ingest")]
mod metrics;
mod mistakes;
#[cfg(feature = "ingest")]
mod open_inference;
#[cfg(feature = "ingest")]
mod open_llmetry;
mod oracle;
#[cfg(feature = "ingest")]
mod protobuf;
#[cfg(feature = "ingest")]
mod real;
#[cfg(feature = "ingest")]
mod request;
#[cfg(feature = "ingest")]
mod round_trip;
#[cfg(feature = "ingest")]
mod round_trip_logs;
#[cfg(feature = "ingest")]
mod round_trip_metrics;
#[cfg(feature = "ingest")]
mod round_trip_scores;
#[cfg(feature = "ingest")]
mod scoped;
#[cfg(feature = "ingest")]
mod scores;
#[cfg(feature = "ingest")]
mod spans;
#[cfg(feature = "ingest")]
mod types;
mod under;
