#![doc = include_str!("../README.md")]

mod config;
mod env;
mod explore;
mod exporter;
mod feedback;
mod judged;
mod labels;
mod logs;
mod metadata;
mod metrics;
mod naming;
mod native;
mod owners;
mod policies;
mod proto;
mod remote_write;
mod reply;
mod route;
mod scores;
mod series;
mod streams;
mod traces;
mod validate;
mod way;
mod wire;

pub use config::{GrafanaConfig, LogsVia, LokiLine, MetricsVia};
pub use exporter::{DESCRIPTOR, GrafanaExporter};
pub use naming::{SeriesKind, series_name};
pub use obs_otel::{Address, Conventions, Histograms};
