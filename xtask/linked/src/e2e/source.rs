//! What is sent.

use anyhow::Result;
use obs_core::{Batch, Record, Signal, SpanRecord};
use obs_testkit::fixtures;

use crate::demo;

/// Records that are sent together.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) name: &'static str,
    pub(crate) records: Vec<Record>,
}

/// The fixtures of every signal, one whole agent run, and the demo.
pub(crate) fn all() -> Result<Vec<Source>> {
    Ok(vec![
        Source {
            name: "fixtures",
            records: Signal::ALL.into_iter().flat_map(|signal| records(&fixtures::batch(signal))).collect(),
        },
        Source { name: "agent run", records: fixtures::trace_batches().iter().flat_map(records).collect() },
        Source { name: "demo", records: demo::records()? },
    ])
}

fn records(batch: &Batch) -> Vec<Record> {
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
