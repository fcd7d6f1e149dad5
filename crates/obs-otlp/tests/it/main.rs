//! What becomes of requests, by convention, by signal and by whatever anyone may send.

#![cfg(feature = "ingest")]
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod any_bytes;
mod fixtures;
mod gen_ai;
mod json_forms;
mod links;
mod logs;
mod mastra;
mod metrics;
mod open_inference;
mod open_llmetry;
mod protobuf;
mod real;
mod request;
mod scores;
mod spans;
mod types;
