#![doc = include_str!("../README.md")]

mod capabilities;
mod config;
mod endpoint;
mod env;
mod exporter;
mod feedback;
mod ids;
mod judgement;
mod memory;
mod metadata;
mod multipart;
mod object;
mod payloads;
mod policy;
mod run;
mod scores;
mod sending;
mod server;
mod settings;
mod traces;
mod usage;
mod wire;

pub use config::{FeedbackTransport, LangsmithConfig};
pub use endpoint::Region;
pub use exporter::{DESCRIPTOR, LangsmithExporter};
pub use ids::RunIds;
pub use policy::{FEEDBACK, LOOKUPS, RUNS};
