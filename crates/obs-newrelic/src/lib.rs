#![doc = include_str!("../README.md")]

mod account;
mod beside;
mod config;
mod context;
mod custom;
mod env;
mod event;
mod exporter;
mod feedback;
mod judged;
mod logs;
mod metrics;
mod names;
mod native;
mod pack;
mod pairs;
mod points;
mod policies;
mod region;
mod reply;
mod route;
mod scores;
mod traces;
mod validate;
mod way;
mod wire;

pub use config::{EventType, MetricsApi, NewRelicConfig};
pub use exporter::{DESCRIPTOR, NewRelicExporter};
pub use obs_otel::{Address, Conventions, Histograms};
pub use region::Region;
