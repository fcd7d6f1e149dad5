//! Metrics that obs makes of spans, scores and feedback, so that nobody has to count by hand.

mod cardinality;
mod catalogue;
mod config;
mod counting;
mod errors;
mod labels;
mod own;
mod patterns;
mod processor;
mod started;

pub use catalogue::{AUTOMATIC_METRICS, AutomaticMetric, DEFAULT_PREFIX, GEN_AI_METRICS};
pub use config::{AutomaticMetrics, Cardinality};
pub use patterns::ValuePattern;
pub(crate) use processor::Automatic;
pub(crate) use started::{Starts, TOLD};
