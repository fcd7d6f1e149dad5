//! The laws of delivery, through the public interface.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounting;
mod decorators;
mod everyday;
mod fan_out;
mod hosts;
mod isolation;
mod limits;
mod make;
mod processors;
mod redaction;
mod series;
mod time;
mod watching;
