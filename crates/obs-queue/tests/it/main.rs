//! The laws of waiting on disk.

#![expect(clippy::result_large_err, reason = "the size of rusqlite's own error is not ours to change")]
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod dead_letters;
mod killed;
mod lane;
mod limits;
mod pipeline;
mod recovery;
mod secrets;
mod support;
mod trouble;
