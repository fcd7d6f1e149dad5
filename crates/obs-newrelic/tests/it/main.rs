//! The exporter against the contract, and every request it makes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod beside;
mod conformance;
mod custom;
mod ids;
mod limits;
mod mastra;
mod native;
mod oracle;
mod otlp;
mod policies;
mod seed;
mod snapshots;
mod support;
