//! The producing side, seen from what arrives at a destination.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod collect;
mod context;
mod executors;
mod judgement;
mod logs;
mod metrics;
#[cfg(feature = "opentelemetry")]
mod opentelemetry;
mod propagation;
mod runtimes;
mod spans;
#[cfg(feature = "tower")]
mod tower;
mod trees;
