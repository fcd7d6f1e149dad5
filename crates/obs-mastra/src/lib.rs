#![doc = include_str!("../README.md")]

mod config;
mod exporter;
mod traces;
mod wire;

pub use config::MastraConfig;
pub use exporter::{DESCRIPTOR, MastraExporter};
