//! The producing side, seen from what arrives at a destination.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod collect;
mod context;
mod judgement;
mod logs;
mod metrics;
mod runtimes;
mod spans;
mod tail;
