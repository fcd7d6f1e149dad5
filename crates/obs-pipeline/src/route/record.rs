//! One record of any signal, by reference.

use obs_core::{Batch, Feedback, Log, Metric, Score, Signal, SpanRecord, TraceId};

/// One record of any signal, as a route's predicate sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RecordRef<'a> {
    /// Of traces.
    Span(&'a SpanRecord),
    /// Of metrics.
    Metric(&'a Metric),
    /// Of logs.
    Log(&'a Log),
    /// Of scores.
    Score(&'a Score),
    /// Of feedback.
    Feedback(&'a Feedback),
}

impl RecordRef<'_> {
    /// The signal it belongs to.
    pub fn signal(self) -> Signal {
        match self {
            Self::Span(_) => Signal::Traces,
            Self::Metric(_) => Signal::Metrics,
            Self::Log(_) => Signal::Logs,
            Self::Score(_) => Signal::Scores,
            Self::Feedback(_) => Signal::Feedback,
        }
    }

    /// The trace that it is part of or speaks of.
    ///
    /// `None` for logs outside a trace, for scores and feedback on a session or an experiment's run, and for every
    /// metric: a metric belongs to its series, also where one trace is its exemplar.
    pub fn trace_id(self) -> Option<TraceId> {
        match self {
            Self::Span(record) => Some(record.span().trace_id),
            Self::Metric(_) => None,
            Self::Log(log) => log.span.map(|span| span.trace_id),
            Self::Score(score) => score.target.trace_id(),
            Self::Feedback(feedback) => feedback.target.trace_id(),
        }
    }
}

/// Runs over the records of a batch in order.
pub(super) fn for_each<'a>(batch: &'a Batch, look: impl FnMut(RecordRef<'a>)) {
    match batch {
        Batch::Traces(records) => records.iter().map(RecordRef::Span).for_each(look),
        Batch::Metrics(records) => records.iter().map(RecordRef::Metric).for_each(look),
        Batch::Logs(records) => records.iter().map(RecordRef::Log).for_each(look),
        Batch::Scores(records) => records.iter().map(RecordRef::Score).for_each(look),
        Batch::Feedback(records) => records.iter().map(RecordRef::Feedback).for_each(look),
    }
}
