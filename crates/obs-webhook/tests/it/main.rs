//! The exporter against the contract, and every request it makes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conformance;
mod wire;
