#![doc = include_str!("../README.md")]
#![expect(clippy::result_large_err, reason = "the size of rusqlite's own error is not ours to change")]

mod config;
mod contains;
mod exporter;
mod failure;
mod feedback;
mod file;
mod lists;
mod location;
mod logs;
mod metrics;
mod query;
mod reader;
mod retention;
mod row;
mod schema;
mod scores;
mod traces;
mod write;
mod writer;

pub use config::StoreConfig;
pub use exporter::StoreExporter;
pub use lists::RecordQuery;
pub use reader::StoreReader;
pub use retention::Pruned;
