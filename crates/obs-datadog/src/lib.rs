#![doc = include_str!("../README.md")]

mod config;
mod env;
mod exporter;
mod feedback;
mod logs;
mod metrics;
mod metrics_config;
#[cfg(feature = "official-client")]
mod official;
mod options;
mod places;
mod policies;
mod scores;
mod sites;
mod tags;
mod traces;
mod validate;
mod ways;
mod wire;

pub use config::DatadogConfig;
pub use exporter::{DESCRIPTOR, DatadogExporter};
pub use metrics_config::{CustomMetric, MetricsConfig};
pub use obs_otel::Address;
pub use options::{ApmConfig, Mode, TraceIdFormat};
