#![doc = include_str!("../README.md")]

mod address;
mod attributes;
mod config;
mod cool_down;
mod correlation;
mod entity;
mod env;
mod exporter;
mod feedback;
mod fields;
mod judged;
mod logs;
mod metadata;
mod metrics;
mod pack;
mod policy;
mod quota;
mod scores;
mod span_types;
mod traces;
mod usage;
mod validate;
mod wire;

pub use config::MastraConfig;
pub use exporter::{DESCRIPTOR, MastraExporter};
