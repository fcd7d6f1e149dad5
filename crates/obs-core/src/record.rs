//! One record of any signal.

use serde::{Deserialize, Serialize};

use crate::{Feedback, Log, Metric, Score, Signal, Span};

/// What the signal `traces` consists of.
///
/// `Started` is made only while some destination wants it; a trace starts and ends with its root span.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanRecord {
    /// A span began; it has no end, and what is added later is missing.
    Started(Span),
    /// A span ended.
    Ended(Span),
}

impl SpanRecord {
    /// The span.
    #[inline]
    pub fn span(&self) -> &Span {
        match self {
            Self::Started(span) | Self::Ended(span) => span,
        }
    }

    /// The span, to change.
    #[inline]
    pub fn span_mut(&mut self) -> &mut Span {
        match self {
            Self::Started(span) | Self::Ended(span) => span,
        }
    }

    /// The span, if it ended.
    pub fn ended(&self) -> Option<&Span> {
        match self {
            Self::Started(_) => None,
            Self::Ended(span) => Some(span),
        }
    }
}

/// One record of any signal.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a hand-over type for tools and readers; hot paths use typed batches"
)]
pub enum Record {
    /// Of traces.
    Span(SpanRecord),
    /// Of metrics.
    Metric(Metric),
    /// Of logs.
    Log(Log),
    /// Of scores.
    Score(Score),
    /// Of feedback.
    Feedback(Feedback),
}

impl Record {
    /// The signal it belongs to.
    pub fn signal(&self) -> Signal {
        match self {
            Self::Span(_) => Signal::Traces,
            Self::Metric(_) => Signal::Metrics,
            Self::Log(_) => Signal::Logs,
            Self::Score(_) => Signal::Scores,
            Self::Feedback(_) => Signal::Feedback,
        }
    }
}

macro_rules! record_from {
    ($($from:ty => $variant:ident),*) => {
        $(impl From<$from> for Record {
            fn from(record: $from) -> Self {
                Self::$variant(record)
            }
        })*
    };
}

record_from!(SpanRecord => Span, Metric => Metric, Log => Log, Score => Score, Feedback => Feedback);
