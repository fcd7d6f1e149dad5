//! Requests, and the values of flat objects; no logic.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use crate::pack::Packed;

/// Which address a body goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// OTLP.
    Traces,
    /// OTLP.
    Metrics,
    /// OTLP.
    Logs,
    /// New Relic's own API for metrics.
    MetricApi,
    /// New Relic's API for events.
    Events,
}

/// A body before compression.
#[derive(Debug)]
pub(crate) struct Post {
    pub(crate) place: Place,
    pub(crate) body: Vec<u8>,
}

/// What is posted for some records.
#[derive(Debug)]
pub(crate) struct Request {
    /// What carries them, and decides what became of them.
    pub(crate) main: Post,
    /// Events of the user's own, which follow once the records were taken.
    pub(crate) events: Vec<Packed>,
}

/// What an attribute can be: a text or a number.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar<'a> {
    Text(Cow<'a, str>),
    Int(i64),
    Count(u64),
    Float(f64),
}

impl Serialize for Scalar<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Int(number) => serializer.serialize_i64(*number),
            Self::Count(number) => serializer.serialize_u64(*number),
            Self::Float(number) => serializer.serialize_f64(*number),
        }
    }
}

/// A point of the Metric API.
#[derive(Debug, Serialize)]
pub(crate) struct Point<'a, A> {
    pub(crate) name: &'a str,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) value: PointValue,
    /// When its window began, in milliseconds.
    pub(crate) timestamp: u64,
    #[serde(rename = "interval.ms", skip_serializing_if = "Option::is_none")]
    pub(crate) interval: Option<u64>,
    pub(crate) attributes: A,
}

/// The value of a point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum PointValue {
    Number(f64),
    Summary { count: u64, sum: f64, min: f64, max: f64 },
}
