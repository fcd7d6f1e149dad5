//! What the value of a metric says.

use obs_core::{Metric, MetricValue};

/// A number, or what is told of a distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Told {
    Number(f64),
    Distribution { count: u64, sum: f64, min: Option<f64>, max: Option<f64> },
}

/// What the value says, whatever its kind.
pub(crate) fn told(value: &MetricValue) -> Told {
    match value {
        MetricValue::Add(value)
        | MetricValue::UpDown(value)
        | MetricValue::Gauge(value)
        | MetricValue::Sample(value)
        | MetricValue::Sum { value, .. } => Told::Number(*value),
        MetricValue::Histogram(of) => {
            Told::Distribution { count: of.count, sum: of.sum, min: of.min, max: of.max }
        }
        MetricValue::ExpHistogram(of) => {
            Told::Distribution { count: of.count, sum: of.sum, min: of.min, max: of.max }
        }
    }
}

/// When the window of a point began, in milliseconds, and how long it is; at least one, as New Relic has none of no length.
pub(crate) fn window(metric: &Metric) -> (u64, u64) {
    let end = metric.time.as_millis();
    let start = metric.start.map_or(end, |start| start.as_millis().min(end));
    (start, (end - start).max(1))
}
