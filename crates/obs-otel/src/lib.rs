#![doc = include_str!("../README.md")]

mod config;
mod exporter;
mod traces;
mod wire;

pub use config::OtelConfig;
pub use exporter::{DESCRIPTOR, OtelExporter};
