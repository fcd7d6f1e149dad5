#![doc = include_str!("../README.md")]
#![expect(clippy::result_large_err, reason = "the size of rusqlite's own error is not ours to change")]

mod config;
mod cursor;
mod disk_queue;
mod failure;
mod file;
mod lane;
mod pending;
mod reader;
mod rows;
mod schema;
mod shared;
mod transaction;
mod writer;

pub use config::{Durability, QueueConfig};
pub use disk_queue::DiskQueue;
