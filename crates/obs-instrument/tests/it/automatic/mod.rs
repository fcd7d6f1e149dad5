//! Metrics that obs makes of spans, scores and feedback.

mod cardinality;
mod catalogue;
mod counting;

use obs_core::{Metric, MetricValue};

/// `name kind label=value …`, as the tables of these tests have it.
fn line(metric: &Metric) -> String {
    let kind = match metric.value {
        MetricValue::Add(_) => "counter",
        MetricValue::Sample(_) => "histogram",
        ref other => panic!("{other:?}"),
    };
    let labels = metric.labels.iter().map(|(label, value)| format!("{label}={value}"));
    let words = [metric.name.to_string(), kind.to_owned()].into_iter().chain(labels);
    words.collect::<Vec<_>>().join(" ")
}

fn lines<'a>(metrics: impl IntoIterator<Item = &'a Metric>) -> Vec<String> {
    let mut lines: Vec<_> = metrics.into_iter().map(line).collect();
    lines.sort();
    lines
}

pub(crate) fn number(metric: &Metric) -> f64 {
    match metric.value {
        MetricValue::Add(value) | MetricValue::Sample(value) => value,
        ref other => panic!("{other:?}"),
    }
}
