#![doc = include_str!("../README.md")]

mod config;
mod dead_letters;
mod exporter;
mod feedback;
mod file;
mod lines;
mod logs;
mod memory;
mod metrics;
mod normalise;
mod scores;
mod sink;
mod traces;
mod wire;

pub use config::JsonConfig;
pub use dead_letters::dead_letter_lines;
pub use exporter::{DESCRIPTOR, JsonExporter};
pub use lines::{BadLine, BadLineCause, Lines, MAX_LINE_BYTES, read_lines};
pub use memory::Memory;
pub use normalise::{normalise, normalise_pretty};
