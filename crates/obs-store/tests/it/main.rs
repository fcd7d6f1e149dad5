//! What the store promises, held against real files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod arbitrary;
mod round_trip;
mod support;
