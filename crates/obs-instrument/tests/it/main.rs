//! The producing side, seen from what arrives at a destination.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod automatic;
mod collect;
mod context;
mod cost;
mod ending;
mod environment;
mod errors;
mod executors;
mod hidden;
mod judgement;
mod limits;
mod logs;
mod macros;
mod mastra;
mod mastra_judged;
mod measured;
mod metrics;
#[cfg(feature = "opentelemetry")]
mod opentelemetry;
mod passing;
mod posthoc;
mod posthoc_bounds;
mod prices;
mod probability;
mod propagation;
mod registry;
#[cfg(feature = "tower")]
mod requests;
mod runtimes;
mod sampling;
mod secrets;
mod spans;
mod sums;
mod tail;
#[cfg(feature = "tower")]
mod tower;
mod trees;
mod workflow;
