#![doc = include_str!("../README.md")]

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
