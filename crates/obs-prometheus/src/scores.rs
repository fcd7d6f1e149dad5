//! Scores as a gauge.

use obs_core::{Labels, Mapped, Metric, MetricValue, Records, Score, Str};

use crate::PrometheusExporter;
use crate::metrics::Changes;
use crate::table::Change;

const NAME: &str = "obs_score";
const HELP: &str = "The last score of its name and scorer.";

/// One call for the whole batch.
pub(crate) fn map(exporter: &PrometheusExporter, records: &Records<Score>) -> Mapped<Vec<Change>> {
    let mut changes = Changes::default();
    for (at, score) in records.iter().enumerate() {
        match score.value.as_f64() {
            Some(value) => changes.add(exporter, at, &gauge(score, value)),
            None => changes.refuse(at, "a score in words is no number, and Prometheus keeps numbers alone"),
        }
    }
    changes.end()
}

/// The gauge of a score; what it is about is no label, since every trace would be a series.
fn gauge(score: &Score, value: f64) -> Metric {
    let scorer = score.scorer.as_ref().and_then(|scorer| scorer.name.clone().or_else(|| scorer.id.clone()));
    let labels = [("score", Some(score.name.clone())), ("scorer", scorer), ("source", score.source.clone())];
    let mut metric = Metric::new(score.time, NAME, MetricValue::Gauge(value));
    metric.description = Some(HELP.into());
    metric.labels = present(labels);
    metric.resource.clone_from(&score.resource);
    metric
}

/// The labels that have a value.
pub(crate) fn present<const N: usize>(labels: [(&'static str, Option<Str>); N]) -> Labels {
    labels.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
