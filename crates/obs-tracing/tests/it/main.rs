//! What `tracing` tells, and what arrives of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod collect;
mod costs;
mod events;
mod everything;
mod filters;
mod flavours;
mod gen_ai;
mod isolation;
mod limits;
#[cfg(feature = "log")]
mod log_records;
mod loops;
mod program;
mod rig;
mod spans;
mod tasks;
mod tree;
mod unsampled;
