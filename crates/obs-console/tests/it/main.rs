//! What is printed, and the contract of an exporter.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod conformance;
mod paper;
mod printed;
mod sample;
mod tree;
