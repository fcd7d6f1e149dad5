#![doc = include_str!("../README.md")]

mod config;
mod exporter;
mod traces;
mod wire;

pub use config::NewrelicConfig;
pub use exporter::{DESCRIPTOR, NewrelicExporter};
