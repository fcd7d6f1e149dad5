#![doc = include_str!("../README.md")]

mod aggregator;
mod bounds;
mod config;
mod exemplars;
mod explicit;
mod exponential;
mod identity;
mod input;
mod point;
mod refusal;
mod series;
mod stream;

pub use aggregator::{Aggregator, View, ViewId};
pub use bounds::{DEFAULT_BOUNDS, SECONDS_BOUNDS, TOKEN_BOUNDS};
pub use config::AggregateConfig;
pub use refusal::Refusal;
pub use stream::OVERFLOW_LABEL;
