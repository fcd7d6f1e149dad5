#![doc = include_str!("../README.md")]

mod config;
mod env;
mod exporter;
mod feedback;
mod ids;
mod judged;
mod links;
mod logs;
mod metadata;
mod numbers;
mod options;
mod pack;
mod plane;
mod policy;
mod scores;
mod shallow;
mod traces;
mod validate;
mod wire;

pub use config::BraintrustConfig;
pub use exporter::{BraintrustExporter, DESCRIPTOR};
pub use options::{LogRowStyle, Region, ScoreSource};
