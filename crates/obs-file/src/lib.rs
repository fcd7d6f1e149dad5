#![doc = include_str!("../README.md")]

mod config;
mod exporter;
mod traces;
mod wire;

pub use config::FileConfig;
pub use exporter::{DESCRIPTOR, FileExporter};
