//! Feedback as a counter.

use obs_core::{Feedback, Mapped, Metric, MetricValue, Records, ScoreValue};

use crate::PrometheusExporter;
use crate::metrics::Changes;
use crate::scores::present;
use crate::table::Change;

const NAME: &str = "obs_feedback";
const HELP: &str = "How much feedback of its kind people gave.";

/// One call for the whole batch.
pub(crate) fn map(exporter: &PrometheusExporter, records: &Records<Feedback>) -> Mapped<Vec<Change>> {
    let mut changes = Changes::default();
    for (at, feedback) in records.iter().enumerate() {
        changes.add(exporter, at, &counted(feedback));
    }
    changes.end()
}

/// One more of its kind; only a truth value is a label, since all others are any number of series.
fn counted(feedback: &Feedback) -> Metric {
    let value = match feedback.value {
        ScoreValue::Boolean(true) => Some("true".into()),
        ScoreValue::Boolean(false) => Some("false".into()),
        _ => None,
    };
    let labels =
        [("kind", Some(feedback.kind.clone())), ("source", feedback.source.clone()), ("value", value)];
    let mut metric = Metric::new(feedback.time, NAME, MetricValue::Add(1.0));
    metric.description = Some(HELP.into());
    metric.labels = present(labels);
    metric.resource.clone_from(&feedback.resource);
    metric
}
