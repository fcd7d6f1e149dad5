#![doc = include_str!("../README.md")]

mod config;
mod csv;
mod exporter;
mod feedback;
mod format;
mod logs;
mod metrics;
mod options;
mod parquet;
mod scores;
mod serializer;
mod table;
mod traces;
mod wire;

pub use config::FileConfig;
pub use exporter::{DESCRIPTOR, FileExporter};
pub use options::{Compression, FileFormat, Fsync, RotationPolicy};
pub use serializer::{RecordRef, Serializer};
pub use table::{ColumnInfo, ColumnType, TABLE_VERSION, columns};
