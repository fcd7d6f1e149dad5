//! The exporter against the contract, and every request it makes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conformance;
mod ids;
mod limits;
mod mastra;
mod openapi;
mod oracle;
mod policies;
mod seed_table;
mod snapshots;
mod support;
