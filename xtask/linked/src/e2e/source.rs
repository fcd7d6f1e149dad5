//! What is sent.

use anyhow::Result;
use obs_core::{Batch, Record, Signal, SpanRecord};
use obs_testkit::fixtures;

use crate::demo;

/// The fixtures of every signal, one whole agent run, and the demo with its automatic metrics; no two records have the same ids.
pub(crate) fn all() -> Result<Vec<Record>> {
    let fixtures = Signal::ALL.into_iter().map(fixtures::batch);
    let batches: Vec<_> = fixtures.chain(fixtures::trace_batches()).collect();
    let mut all: Vec<_> = batches.iter().flat_map(records).collect();
    all.extend(demo::records()?);
    Ok(all)
}

/// The records of a batch, but starts of spans, which OTLP has not.
pub(crate) fn records(batch: &Batch) -> Vec<Record> {
    match batch {
        Batch::Traces(spans) => spans
            .iter()
            .filter(|span| matches!(span, SpanRecord::Ended(_)))
            .cloned()
            .map(Record::Span)
            .collect(),
        Batch::Metrics(metrics) => metrics.iter().cloned().map(Record::Metric).collect(),
        Batch::Logs(logs) => logs.iter().cloned().map(Record::Log).collect(),
        Batch::Scores(scores) => scores.iter().cloned().map(Record::Score).collect(),
        Batch::Feedback(feedback) => feedback.iter().cloned().map(Record::Feedback).collect(),
    }
}
