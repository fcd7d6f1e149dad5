//! The exporter against the contract, and every request it makes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod children;
mod conformance;
mod env;
#[cfg(feature = "grpc")]
mod grpc;
mod limits;
mod mastra;
mod mistakes;
mod options;
mod oracle;
mod policies;
mod presets;
#[cfg(feature = "sdk")]
mod sdk;
#[cfg(feature = "sdk-exporter")]
mod sdk_exporter;
#[cfg(feature = "sdk-exporter")]
mod sdk_limits;
mod snapshots;
mod support;
