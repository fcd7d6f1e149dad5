#![doc = include_str!("../README.md")]

pub mod arbitrary;
mod capture;
pub mod conformance;
mod fault_proxy;
pub mod fixtures;
#[cfg(feature = "openapi")]
pub mod openapi;
pub mod policy_table;
mod scripted;

pub use capture::{Answer, CaptureServer, Captured, Part};
pub use fault_proxy::{Fault, FaultProxy, Traffic, Upstream};
pub use scripted::{Calls, Fail, Fate, Scripted, Step};
