#![doc = include_str!("../README.md")]

pub mod arbitrary;
mod capture;
pub mod conformance;
pub mod fixtures;
mod scripted;

pub use capture::{Answer, CaptureServer, Captured};
pub use scripted::{Calls, Fail, Scripted, Step};
