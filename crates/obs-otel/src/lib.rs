#![doc = include_str!("../README.md")]

mod address;
mod children;
mod chunks;
mod config;
mod endpoint;
mod env;
mod exporter;
mod feedback;
#[cfg(feature = "grpc")]
mod grpc;
#[cfg(feature = "grpc")]
mod grpc_status;
mod judged;
mod logs;
mod metrics;
mod options;
mod plan;
mod prepare;
mod preset;
mod reply;
mod resource;
mod scores;
#[cfg(feature = "sdk")]
pub mod sdk;
#[cfg(feature = "sdk-exporter")]
pub mod sdk_exporter;
mod signal_config;
mod traces;
mod transport;
mod vendors;
mod wire;

pub use address::Address;
pub use config::OtelConfig;
pub use exporter::{DESCRIPTOR, OtelExporter};
pub use options::{Conventions, Histograms, Protocol, Temporality};
pub use preset::Preset;
pub use signal_config::SignalConfig;

/// The version of OpenTelemetry's GenAI conventions that attributes and events follow.
///
/// The conventions are in development and have no release of their own; nothing of the version goes over the wire.
pub const SEMCONV: &str = obs_otlp::encode::genai::VERSION;
