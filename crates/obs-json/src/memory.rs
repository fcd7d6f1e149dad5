//! Records kept in memory, and how a test finds them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use obs_core::{
    Batch, Feedback, Level, Log, Metric, Record, Score, Signal, Span, SpanId, SpanRecord, Trace, TraceId,
};

use crate::{normalise, normalise_pretty};

/// What a [`JsonExporter::memory`](crate::JsonExporter::memory) was given, in the order of arrival.
///
/// Clones share the records.
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<Mutex<Vec<Batch>>>);

impl Memory {
    pub(crate) fn push(&self, batch: Batch) {
        self.batches().push(batch);
    }

    /// How many records of a signal there are.
    pub fn len(&self, signal: Signal) -> usize {
        self.batches().iter().filter(|batch| batch.signal() == signal).map(Batch::len).sum()
    }

    /// Whether nothing arrived.
    pub fn is_empty(&self) -> bool {
        self.batches().is_empty()
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.batches().clear();
    }

    /// Everything.
    pub fn records(&self) -> Vec<Record> {
        self.batches().iter().flat_map(Batch::to_records).collect()
    }

    /// Everything in canonical JSON, as a file would hold it.
    pub fn lines(&self) -> String {
        let mut lines = Vec::new();
        for batch in self.batches().iter() {
            batch.write_lines(&mut lines, |_, _| {});
        }
        String::from_utf8_lossy(&lines).into_owned()
    }

    /// Everything as a tree with stable ids and without times; see [`normalise`].
    pub fn normalised(&self) -> serde_json::Value {
        normalise(&self.records())
    }

    /// [`Self::normalised`] laid out, for a snapshot.
    pub fn normalised_pretty(&self) -> String {
        normalise_pretty(&self.records())
    }

    /// The spans that ended.
    pub fn spans(&self) -> Vec<Span> {
        self.spans_where(|_| true)
    }

    /// The spans that ended with this name.
    pub fn spans_named(&self, name: &str) -> Vec<Span> {
        self.spans_where(|span| span.name == name)
    }

    /// The spans that ended of this type, by its name in files: `tool_call`.
    pub fn spans_of_type(&self, name: &str) -> Vec<Span> {
        self.spans_where(|span| span.span_type.name() == name)
    }

    /// The spans that ended and pass.
    pub fn spans_where(&self, passes: impl Fn(&Span) -> bool) -> Vec<Span> {
        let ended = |record: &SpanRecord| record.ended().filter(|span| passes(span)).cloned();
        self.select(|batch| match batch {
            Batch::Traces(spans) => spans.iter().filter_map(ended).collect(),
            _ => Vec::new(),
        })
    }

    /// The last span of this id that ended.
    pub fn span(&self, id: SpanId) -> Option<Span> {
        self.spans_where(|span| span.span_id == id).pop()
    }

    /// The spans of which a start arrived and no end; starts arrive only where an exporter wants them.
    pub fn unfinished_spans(&self) -> Vec<Span> {
        let ended: BTreeSet<SpanId> = self.spans().iter().map(|span| span.span_id).collect();
        let started = |record: &SpanRecord| match record {
            SpanRecord::Started(span) if !ended.contains(&span.span_id) => Some(span.clone()),
            _ => None,
        };
        self.select(|batch| match batch {
            Batch::Traces(spans) => spans.iter().filter_map(started).collect(),
            _ => Vec::new(),
        })
    }

    /// The ids of all traces that a span ended in, in the order of arrival.
    pub fn trace_ids(&self) -> Vec<TraceId> {
        let mut seen = BTreeSet::new();
        self.spans().iter().map(|span| span.trace_id).filter(|id| seen.insert(*id)).collect()
    }

    /// Everything known of a trace, its spans by start time.
    pub fn trace(&self, id: TraceId) -> Trace {
        let mut trace = Trace::new(id);
        trace.spans = self.spans_where(|span| span.trace_id == id);
        trace.spans.sort_by_key(|span| span.start);
        trace.logs = self.logs_where(|log| log.span.is_some_and(|span| span.trace_id == id));
        trace.scores = self.scores_where(|score| score.target.trace_id() == Some(id));
        trace.feedback = self.feedback_where(|feedback| feedback.target.trace_id() == Some(id));
        trace
    }

    /// The logs.
    pub fn logs(&self) -> Vec<Log> {
        self.logs_where(|_| true)
    }

    /// The logs of this level.
    pub fn logs_at(&self, level: Level) -> Vec<Log> {
        self.logs_where(|log| log.level == level)
    }

    /// The logs that pass.
    pub fn logs_where(&self, passes: impl Fn(&Log) -> bool) -> Vec<Log> {
        self.select(|batch| match batch {
            Batch::Logs(logs) => logs.iter().filter(|log| passes(log)).cloned().collect(),
            _ => Vec::new(),
        })
    }

    /// The metrics.
    pub fn metrics(&self) -> Vec<Metric> {
        self.metrics_where(|_| true)
    }

    /// The metrics of this name.
    pub fn metrics_named(&self, name: &str) -> Vec<Metric> {
        self.metrics_where(|metric| metric.name == name)
    }

    /// The metrics that pass.
    pub fn metrics_where(&self, passes: impl Fn(&Metric) -> bool) -> Vec<Metric> {
        self.select(|batch| match batch {
            Batch::Metrics(metrics) => metrics.iter().filter(|metric| passes(metric)).cloned().collect(),
            _ => Vec::new(),
        })
    }

    /// The scores.
    pub fn scores(&self) -> Vec<Score> {
        self.scores_where(|_| true)
    }

    /// The scores of this name.
    pub fn scores_named(&self, name: &str) -> Vec<Score> {
        self.scores_where(|score| score.name == name)
    }

    /// The scores that pass.
    pub fn scores_where(&self, passes: impl Fn(&Score) -> bool) -> Vec<Score> {
        self.select(|batch| match batch {
            Batch::Scores(scores) => scores.iter().filter(|score| passes(score)).cloned().collect(),
            _ => Vec::new(),
        })
    }

    /// The feedback.
    pub fn feedback(&self) -> Vec<Feedback> {
        self.feedback_where(|_| true)
    }

    /// The feedback of this kind.
    pub fn feedback_of_kind(&self, kind: &str) -> Vec<Feedback> {
        self.feedback_where(|feedback| feedback.kind == kind)
    }

    /// The feedback that passes.
    pub fn feedback_where(&self, passes: impl Fn(&Feedback) -> bool) -> Vec<Feedback> {
        self.select(|batch| match batch {
            Batch::Feedback(feedback) => {
                feedback.iter().filter(|feedback| passes(feedback)).cloned().collect()
            }
            _ => Vec::new(),
        })
    }

    fn select<T>(&self, of: impl FnMut(&Batch) -> Vec<T>) -> Vec<T> {
        // The batches are cloned, which copies no record, so that a predicate may ask the memory again.
        let batches = self.batches().clone();
        batches.iter().flat_map(of).collect()
    }

    fn batches(&self) -> MutexGuard<'_, Vec<Batch>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
