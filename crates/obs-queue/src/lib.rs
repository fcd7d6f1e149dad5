#![doc = include_str!("../README.md")]
#![expect(clippy::result_large_err, reason = "the size of rusqlite's own error is not ours to change")]

mod config;
mod cursor;
mod database;
mod dead_letters;
mod disk_queue;
mod drain;
mod failure;
mod file;
mod lane;
mod look;
mod pending;
mod reader;
mod rows;
mod schema;
mod shared;
mod transaction;
mod view;
mod writer;

pub use config::{Durability, QueueConfig};
pub use dead_letters::{DeadLetter, DeadLetterConfig, DeadLetterFilter, DeadLetterStore, ReplayReport};
pub use disk_queue::DiskQueue;
pub use drain::DrainReport;
pub use look::DeadLetterFile;
pub use view::{Damage, LaneView, QueueView, Verified};
