//! What the store promises, held against real files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![expect(clippy::result_large_err, reason = "the size of rusqlite's own error is not ours to change")]

mod conformance;
mod exporting;
#[cfg(unix)]
mod files;
mod processes;
mod reading;
mod retention;
mod round_trip;
mod support;
