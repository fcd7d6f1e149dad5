//! Requests, and the JSON of LLM Observability in Datadog's words; no logic.

use std::borrow::Cow;

use obs_core::{SpanId, TraceId, Value};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::slots::Point;

/// Which intake a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Spans of LLM Observability.
    LlmobsSpans,
    /// Evaluations of LLM Observability, which scores and feedback are.
    Evaluations,
    /// Logs, version 2.
    Logs,
    /// Series, version 2.
    Series,
    /// Points of distributions, version 1.
    Distributions,
    /// Spans as OTLP has them.
    OtlpTraces,
}

/// A request before compression; or several, where what belongs together is more than one holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) place: Place,
    /// They are sent one after the other, and the records are delivered when all are there.
    pub(crate) bodies: Vec<Vec<u8>>,
    /// The points of series in it.
    pub(crate) points: Vec<Point>,
}

impl Request {
    /// A request of one body.
    pub(crate) fn new(place: Place, body: Vec<u8>) -> Self {
        Self { place, bodies: vec![body], points: Vec::new() }
    }
}

/// A span.
#[derive(Debug, Serialize)]
pub(crate) struct SpanEvent<'a> {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) parent_id: Parent,
    pub(crate) name: &'a str,
    pub(crate) start_ns: u64,
    /// In nanoseconds.
    pub(crate) duration: u64,
    pub(crate) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session_id: Option<&'a str>,
    pub(crate) meta: Meta<'a>,
    #[serde(skip_serializing_if = "Numbers::is_empty")]
    pub(crate) metrics: Numbers,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<Cow<'a, str>>,
    /// Only by an Agent, as Datadog's own clients write it.
    #[serde(rename = "_dd", skip_serializing_if = "Option::is_none")]
    pub(crate) own: Option<Own>,
}

/// The span above, or the text `undefined` for a root.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parent(pub(crate) Option<SpanId>);

impl Serialize for Parent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(id) => id.serialize(serializer),
            None => serializer.serialize_str("undefined"),
        }
    }
}

/// The ids once more, where Datadog's own clients write those of APM.
#[derive(Debug, Serialize)]
pub(crate) struct Own {
    pub(crate) span_id: SpanId,
    pub(crate) trace_id: TraceId,
    pub(crate) apm_trace_id: TraceId,
}

/// What a span is about.
#[derive(Debug, Serialize)]
pub(crate) struct Meta<'a> {
    #[serde(flatten)]
    pub(crate) kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<Fault<'a>>,
    #[serde(skip_serializing_if = "Io::is_empty")]
    pub(crate) input: Io<'a>,
    #[serde(skip_serializing_if = "Io::is_empty")]
    pub(crate) output: Io<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model_provider: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tool_definitions: Option<Box<RawValue>>,
    pub(crate) metadata: Metadata<'a>,
}

/// The kind of a span: flat in the documented form, in an object of its own in the raw one.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Kind(&'static str),
    Span(RawKind),
}

#[derive(Debug, Serialize)]
pub(crate) struct RawKind {
    pub(crate) kind: &'static str,
}

/// What went wrong.
#[derive(Debug, Serialize)]
pub(crate) struct Fault<'a> {
    pub(crate) message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stack: Option<Cow<'a, str>>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(crate) error_type: Option<&'a str>,
}

/// What a span was given or gave back.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Io<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) messages: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) documents: Vec<Document<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prompt: Option<Prompt<'a>>,
}

impl Io<'_> {
    fn is_empty(&self) -> bool {
        self.value.is_none() && self.messages.is_none() && self.documents.is_empty() && self.prompt.is_none()
    }
}

/// What was retrieved or embedded.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Document<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<&'a str>,
}

/// The managed prompt that an input was made from.
#[derive(Debug, Serialize)]
pub(crate) struct Prompt<'a> {
    pub(crate) id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<&'a str>,
}

/// Numbers of a span by their names in Datadog.
#[derive(Debug, Default)]
pub(crate) struct Numbers(pub(crate) Vec<(&'static str, f64)>);

impl Numbers {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, number) in &self.0 {
            // Counts are written as integers: `7`, not `7.0`.
            match Some(*number as u64).filter(|count| *count as f64 == *number) {
                Some(count) => map.serialize_entry(name, &count)?,
                None => map.serialize_entry(name, number)?,
            }
        }
        map.end()
    }
}

/// Numbers, truth values and texts by unlike names.
#[derive(Debug, Default)]
pub(crate) struct Metadata<'a>(pub(crate) Vec<(Cow<'a, str>, Value)>);

impl Serialize for Metadata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// An evaluation, or what a user said.
#[derive(Debug, Serialize)]
pub(crate) struct Evaluation<'a> {
    pub(crate) event_kind: &'static str,
    #[serde(flatten)]
    pub(crate) joined: Joined<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) eval_scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) submitter: Option<Submitter<'a>>,
    pub(crate) ml_app: &'a str,
    pub(crate) timestamp_ms: u64,
    pub(crate) label: Cow<'a, str>,
    #[serde(flatten)]
    pub(crate) verdict: Verdict<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) assessment: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reasoning: Option<&'a str>,
    pub(crate) tags: Vec<Cow<'a, str>>,
    pub(crate) metadata: Metadata<'a>,
}

/// What an evaluation is about.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Joined<'a> {
    /// One span, of an evaluation.
    JoinOn { span: SpanContext },
    /// One span, of feedback.
    SpanId(Id<SpanId>),
    /// A trace, of feedback.
    TraceId(Id<TraceId>),
    /// A session, of feedback.
    SessionId(&'a str),
}

/// A span by its ids.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct SpanContext {
    pub(crate) span_id: Id<SpanId>,
    pub(crate) trace_id: Id<TraceId>,
}

/// An id as the span's way has it there: in hex as it was sent, or as a decimal number in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Id<T> {
    Hex(T),
    Decimal(T),
}

/// The number that an id is.
pub(crate) trait Number: Copy + Serialize {
    fn number(self) -> u128;
}

impl Number for TraceId {
    fn number(self) -> u128 {
        u128::from_be_bytes(self.to_bytes())
    }
}

impl Number for SpanId {
    fn number(self) -> u128 {
        u64::from_be_bytes(self.to_bytes()).into()
    }
}

impl<T: Number> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Hex(id) => id.serialize(serializer),
            Self::Decimal(id) => serializer.collect_str(&id.number()),
        }
    }
}

/// Who gave feedback.
#[derive(Debug, Serialize)]
pub(crate) struct Submitter<'a> {
    pub(crate) id: User<'a>,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
}

/// A user, or one whom nobody knows, by the id of what they gave.
#[derive(Debug)]
pub(crate) enum User<'a> {
    Known(&'a str),
    Unknown(Uuid),
}

impl Serialize for User<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(id) => serializer.serialize_str(id),
            Self::Unknown(id) => serializer.collect_str(&format_args!("anonymous-{id}")),
        }
    }
}

/// What an evaluation came to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "metric_type", rename_all = "snake_case")]
pub(crate) enum Verdict<'a> {
    Score { score_value: f64 },
    Boolean { boolean_value: bool },
    Categorical { categorical_value: &'a str },
    Text { text_value: &'a str },
}
