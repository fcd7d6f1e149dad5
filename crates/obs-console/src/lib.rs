#![doc = include_str!("../README.md")]

mod config;
mod exporter;
mod feedback;
mod logs;
mod metrics;
mod open;
mod render;
mod scores;
mod traces;

pub use config::{ConsoleConfig, Output};
pub use exporter::{ConsoleExporter, DESCRIPTOR};
pub use render::{Color, RenderOptions, render_trace};
