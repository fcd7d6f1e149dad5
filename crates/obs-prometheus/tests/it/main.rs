//! The exporter against the contract, the formats and the Pushgateway.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bench;
mod checker;
mod conformance;
mod folding;
mod gateway;
mod judgements;
mod laws;
mod naming;
mod oracle;
mod policies;
mod registry;
mod resources;
mod seed_table;
mod serving;
mod snapshots;
mod views;
