//! The exporter against the contract, and every file it writes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod closing;
mod conformance;
mod csv;
mod dead_letters;
mod full_disk;
mod killed;
mod leftovers;
mod limits;
mod oracle;
mod parquet;
mod processes;
mod reading;
mod retention;
mod snapshots;
mod strangers;
mod support;
mod table;
