//! The laws of waiting on disk.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod dead_letters;
mod lane;
mod pipeline;
mod recovery;
mod secrets;
mod support;
mod trouble;
