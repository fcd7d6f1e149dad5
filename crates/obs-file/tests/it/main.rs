//! The exporter against the contract, and every file it writes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
