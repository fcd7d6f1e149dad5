//! The exporter against the contract, the formats and the Pushgateway.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod checker;
mod conformance;
