//! Metrics: points of one metric in one message, those in the group of their resource.

mod group;
mod invalid;
mod json;
mod message;
mod point;
mod protobuf;
mod requests;

pub use invalid::InvalidMetric;
pub use requests::MetricRequests;
