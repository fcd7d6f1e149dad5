//! The built program, run as a user runs it.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod demo;
mod import;
mod looking;
mod model;
mod program;
mod traces;
mod usage;
mod waiting;
