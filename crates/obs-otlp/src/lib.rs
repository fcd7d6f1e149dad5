#![doc = include_str!("../README.md")]

pub mod conventions;
#[cfg(feature = "ingest")]
pub mod ingest;
