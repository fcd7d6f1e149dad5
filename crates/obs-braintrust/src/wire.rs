//! The vendor's JSON, in the vendor's words; no logic.

use std::borrow::Cow;

use obs_core::{Payload, Timestamp, Value};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::ids::Id;

/// A row of `POST …/insert`.
#[derive(Debug, Serialize)]
pub(crate) struct Row<'a, M> {
    pub(crate) id: Id,
    pub(crate) span_id: Id,
    pub(crate) root_span_id: Id,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) span_parents: Option<Parents>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) input: Option<Document<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output: Option<Document<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<Fault<'a>>,
    pub(crate) metadata: M,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metrics: Option<Metrics>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) span_attributes: Option<SpanAttributes<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) context: Option<Context<'a>>,
    pub(crate) _is_merge: bool,
}

/// What a row is below: one span, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parents(pub(crate) Option<Id>);

impl Serialize for Parents {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0)
    }
}

/// A document of the application's own.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Document<'a> {
    Payload(&'a Payload),
    Json(Box<RawValue>),
    Value(Value),
}

/// What went wrong: a message, or all that is known of it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Fault<'a> {
    Message(&'a str),
    Whole(&'a obs_core::ErrorInfo),
}

/// Numbers of a row; times are seconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Metrics {
    pub(crate) start: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) end: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prompt_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) completion_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prompt_cached_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prompt_cache_creation_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prompt_cache_creation_5m_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prompt_cache_creation_1h_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prompt_audio_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prompt_image_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) completion_reasoning_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) completion_audio_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) completion_image_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) time_to_first_token: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) estimated_cost: Option<f64>,
}

/// What a row stands for.
#[derive(Debug, Serialize)]
pub(crate) struct SpanAttributes<'a> {
    /// `null` for a log, as Braintrust has it.
    pub(crate) name: Option<Cow<'a, str>>,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) purpose: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_level: Option<&'static str>,
}

/// Where a row comes from.
#[derive(Debug, Serialize)]
pub(crate) struct Context<'a> {
    pub(crate) span_origin: Origin<'a>,
}

/// What wrote a row, and what observed what it tells.
#[derive(Debug, Serialize)]
pub(crate) struct Origin<'a> {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instrumentation: Option<&'a obs_core::Scope>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) environment: Option<Environment<'a>>,
}

/// Where the program runs.
#[derive(Debug, Serialize)]
pub(crate) struct Environment<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<&'a str>,
}

/// An item of `POST …/feedback`.
#[derive(Debug, Serialize)]
pub(crate) struct Item<'a, M> {
    pub(crate) id: Id,
    #[serde(skip_serializing_if = "Named::is_empty")]
    pub(crate) scores: Named<'a, f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expected: Option<Document<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) comment: Option<Cow<'a, str>>,
    pub(crate) metadata: M,
    pub(crate) source: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<&'a str>,
}

/// An object of some values by their names, none of which is there twice.
#[derive(Debug, Clone)]
pub(crate) struct Named<'a, T>(Vec<(Cow<'a, str>, T)>);

impl<T> Default for Named<'_, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'a, T> Named<'a, T> {
    pub(crate) fn one(name: Cow<'a, str>, value: T) -> Self {
        Self(vec![(name, value)])
    }

    pub(crate) fn push(&mut self, name: Cow<'a, str>, value: T) {
        self.0.push((name, value));
    }

    pub(crate) fn append(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Serialize> Serialize for Named<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// A time as ISO 8601 has it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Time(pub(crate) Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.rfc3339())
    }
}
