//! The exporter against the contract, and every request it makes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bench;
mod conformance;
mod delivery;
mod fields;
mod ids;
mod judging;
mod limits;
mod mastra;
mod openapi;
mod oracle;
mod oracle_of_feedback;
mod policies;
mod seed_table;
mod settings;
mod snapshots;
mod splitting;
mod trees;
