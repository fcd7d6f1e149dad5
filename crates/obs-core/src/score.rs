//! Evaluation results.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::json::float;
use crate::{Attributes, Resource, SpanId, Str, Timestamp, TraceContext, TraceId};

/// An evaluation result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Made by the client, so that a retry overwrites itself.
    pub id: Uuid,
    /// When the judgement was made.
    pub time: Timestamp,
    /// What was judged.
    pub target: Target,
    /// What was measured: `relevance`, `toxicity`.
    pub name: Str,
    /// The result.
    pub value: ScoreValue,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Str>,
    /// Where it comes from: `live`, `trace`, `experiment`, `human`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Str>,
    /// What judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scorer: Option<Scorer>,
    /// The experiment it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experiment_id: Option<Str>,
    /// Anything else.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub metadata: Attributes,
    /// What is known of the trace.
    #[serde(default)]
    pub context: Arc<TraceContext>,
    /// What produced it.
    #[serde(default)]
    pub resource: Arc<Resource>,
}

impl Score {
    /// A score with everything optional left out.
    pub fn new(
        id: Uuid,
        time: Timestamp,
        target: Target,
        name: impl Into<Str>,
        value: impl Into<ScoreValue>,
    ) -> Self {
        Self {
            id,
            time,
            target,
            name: name.into(),
            value: value.into(),
            comment: None,
            source: None,
            scorer: None,
            experiment_id: None,
            metadata: Attributes::new(),
            context: TraceContext::none(),
            resource: Resource::none(),
        }
    }
}

/// What a score or feedback is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// One span.
    Span {
        /// Its trace.
        trace_id: TraceId,
        /// The span.
        span_id: SpanId,
        /// The trace's root, if known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        root_span_id: Option<SpanId>,
    },
    /// A whole trace.
    Trace {
        /// The trace.
        trace_id: TraceId,
        /// Its root; a backend that keys traces by their root needs it, and refuses as `unresolvable_target` without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        root_span_id: Option<SpanId>,
    },
    /// A session.
    Session {
        /// Its id.
        session_id: Str,
    },
    /// A run of an experiment.
    ExperimentRun {
        /// Its id.
        run_id: Str,
    },
}

impl Target {
    /// The trace, if the target is in one.
    pub fn trace_id(&self) -> Option<TraceId> {
        match self {
            Self::Span { trace_id, .. } | Self::Trace { trace_id, .. } => Some(*trace_id),
            Self::Session { .. } | Self::ExperimentRun { .. } => None,
        }
    }

    /// The span, if the target is one.
    pub fn span_id(&self) -> Option<SpanId> {
        match self {
            Self::Span { span_id, .. } => Some(*span_id),
            _ => None,
        }
    }

    /// The trace's root, if known.
    pub fn root_span_id(&self) -> Option<SpanId> {
        match self {
            Self::Span { root_span_id, .. } | Self::Trace { root_span_id, .. } => *root_span_id,
            Self::Session { .. } | Self::ExperimentRun { .. } => None,
        }
    }
}

/// The result of a judgement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreValue {
    /// A number.
    Numeric {
        /// The number.
        #[serde(with = "float")]
        value: f64,
        /// What it can range over, if known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        range: Option<Range>,
    },
    /// Yes or no.
    Boolean(bool),
    /// One of several words.
    Categorical(Str),
    /// Free words.
    Text(Str),
}

impl ScoreValue {
    /// A number without a known range.
    pub fn numeric(value: f64) -> Self {
        Self::Numeric { value, range: None }
    }

    /// A number between zero and one.
    pub fn ratio(value: f64) -> Self {
        Self::Numeric { value, range: Some(Range { min: 0.0, max: 1.0 }) }
    }

    /// One of several words.
    pub fn category(word: impl Into<Str>) -> Self {
        Self::Categorical(word.into())
    }

    /// Free words.
    pub fn text(words: impl Into<Str>) -> Self {
        Self::Text(words.into())
    }

    /// The number, a boolean as 0 or 1; `None` for words.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Numeric { value, .. } => Some(*value),
            Self::Boolean(value) => Some(f64::from(u8::from(*value))),
            Self::Categorical(_) | Self::Text(_) => None,
        }
    }
}

macro_rules! numeric_from {
    ($($number:ty),*) => {
        $(impl From<$number> for ScoreValue {
            fn from(value: $number) -> Self {
                Self::numeric(f64::from(value))
            }
        })*
    };
}

numeric_from!(f64, f32, i32, u32, u8);

impl From<bool> for ScoreValue {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

/// What a number can range over, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// The least.
    #[serde(with = "float")]
    pub min: f64,
    /// The greatest.
    #[serde(with = "float")]
    pub max: f64,
}

impl Range {
    /// Where `value` lies, 0 at the least and 1 at the greatest, beyond them for a value beyond; `None` for an empty range.
    pub fn normalise(&self, value: f64) -> Option<f64> {
        let width = self.max - self.min;
        (width > 0.0).then(|| (value - self.min) / width)
    }
}

/// What judged.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Scorer {
    /// Its stable id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Str>,
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Str>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_normalises_without_clamping() {
        let stars = Range { min: 1.0, max: 5.0 };
        assert_eq!(stars.normalise(3.0), Some(0.5));
        assert_eq!(stars.normalise(7.0), Some(1.5));
        assert_eq!(Range { min: 1.0, max: 1.0 }.normalise(1.0), None);
        assert_eq!(ScoreValue::from(true).as_f64(), Some(1.0));
        assert_eq!(ScoreValue::from(4), ScoreValue::numeric(4.0));
        assert_eq!(ScoreValue::category("good"), ScoreValue::Categorical("good".into()));
        assert_eq!(ScoreValue::text("ok").as_f64(), None);
    }
}
