#![doc = include_str!("../README.md")]

mod buckets;
mod config;
mod env;
mod exponential;
mod exporter;
mod feedback;
mod foreign;
mod gateway;
mod labels;
mod listener;
mod metrics;
mod names;
mod naming;
mod negotiate;
mod number;
mod options;
mod page;
mod point;
mod scores;
mod serve;
mod shown;
mod table;
mod units;
mod validate;
mod wire;

pub use config::PrometheusConfig;
pub use exporter::{DESCRIPTOR, PrometheusExporter};
pub use options::{MetricMapping, MetricNames, MetricType, Mode, PushMethod};
pub use shown::Rendered;
