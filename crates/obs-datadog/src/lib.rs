#![doc = include_str!("../README.md")]

mod addresses;
mod bodies;
mod clock;
mod complaints;
mod config;
mod env;
mod exporter;
mod feedback;
mod judged;
mod log_fields;
mod logs;
mod messages;
mod metadata;
mod metric_tags;
mod metrics;
mod metrics_config;
mod naming;
mod numbered;
mod numbers;
#[cfg(feature = "official-client")]
mod official;
mod options;
mod pack;
mod places;
mod plan;
mod policies;
mod scores;
mod series;
mod sites;
mod slots;
mod spread;
mod tags;
mod traces;
mod typed;
mod units;
mod validate;
mod ways;
mod wire;

pub use config::DatadogConfig;
pub use exporter::{DESCRIPTOR, DatadogExporter};
pub use metrics_config::{CustomMetric, Histograms, MetricType, MetricsConfig};
pub use obs_otel::Address;
pub use options::{ApmConfig, Mode, TraceIdFormat};
