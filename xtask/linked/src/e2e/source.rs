//! What is sent.

use anyhow::Result;
use obs_core::{Batch, Metric, MetricValue, Record, Resource, Signal, SpanRecord};
use obs_testkit::fixtures;

use crate::demo;

/// A name, the kind of value, and values.
type Measured = (&'static str, fn(f64) -> MetricValue, &'static [f64]);

/// Metrics under the names that Mastra's exporters have.
const MASTRA: [Measured; 5] = [
    ("mastra_agent_runs_started", MetricValue::Add, &[1.0, 1.0, 1.0]),
    ("mastra_agent_duration_ms", MetricValue::Sample, &[850.0, 12.5, 90_000.0]),
    ("mastra_model_input_tokens", MetricValue::Add, &[1_169.0, 20.0]),
    ("mastra_tool_duration_ms", MetricValue::Sample, &[3.0]),
    ("mastra_scores_total", MetricValue::Add, &[1.0, 1.0]),
];

/// The fixtures of every signal, one whole agent run, Mastra's metrics and the demo; no two records have the same ids.
pub(crate) fn all() -> Result<Vec<Record>> {
    let fixtures = Signal::ALL.into_iter().map(fixtures::batch);
    let batches: Vec<_> = fixtures.chain(fixtures::trace_batches()).collect();
    let mut all: Vec<_> = batches.iter().flat_map(records).chain(mastra()).collect();
    all.extend(demo::records()?);
    Ok(all)
}

fn mastra() -> impl Iterator<Item = Record> {
    let resource = std::sync::Arc::new(Resource::service("mastra"));
    let values =
        MASTRA.iter().flat_map(|(name, of, values)| values.iter().map(move |value| (*name, of(*value))));
    values.enumerate().map(move |(nth, (name, value))| {
        let mut metric = Metric::new(fixtures::at(30_000 + nth as u64), name, value);
        metric.labels = [("agent", "support")].into();
        metric.resource = std::sync::Arc::clone(&resource);
        Record::Metric(metric)
    })
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
