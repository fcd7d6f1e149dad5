//! The exporter against the contract, and every request it makes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod clashes;
mod conformance;
mod gateway;
mod limits;
mod mastra;
mod oracle;
mod otlp;
mod policies;
mod prom;
mod series;
mod snapshots;
mod support;
