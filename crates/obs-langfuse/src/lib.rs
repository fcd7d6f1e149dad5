#![doc = include_str!("../README.md")]

mod attribute;
mod batches;
mod config;
mod env;
mod exporter;
mod feedback;
mod ingestion;
mod judged;
mod logs;
mod metadata;
mod observation;
mod policies;
mod region;
mod reply;
mod scores;
mod span_metadata;
mod text;
mod trace;
mod traces;
mod usage;
mod validate;
mod wire;

pub use config::{Ingestion, LangfuseConfig, LogsWithoutTrace};
pub use exporter::{DESCRIPTOR, LangfuseExporter};
pub use region::Region;
