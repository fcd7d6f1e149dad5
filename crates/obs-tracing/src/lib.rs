#![doc = include_str!("../README.md")]

mod end;
mod event;
mod layer;
mod limits;
#[cfg(feature = "log")]
pub mod log;
mod look;
mod open;
mod options;
mod plan;
mod read;
mod spans;
mod stack;
mod trouble;
mod typed;
mod visit;

pub use layer::{ObsLayer, layer};
pub use limits::Limits;
pub use options::{CodeAttributes, Events};
