#![doc = include_str!("../README.md")]

pub mod answer;
pub mod chat;
pub mod conventions;
pub mod encode;
#[cfg(feature = "ingest")]
pub mod ingest;
mod levels;
