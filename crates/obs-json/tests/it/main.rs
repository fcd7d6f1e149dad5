//! The exporter against the contract, what it writes, and what can be done with it afterwards.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conformance;
mod dead_letters;
mod files;
mod memory;
mod normalise;
mod reading;
mod wire;
