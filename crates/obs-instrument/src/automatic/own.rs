//! The labels of the application's own metrics.

use obs_core::{Metric, MetricValue, Str, Temporality};
use rustc_hash::FxHashMap;

use super::cardinality::{LabelSets, Rules};

/// The most metrics whose label sets are counted; further ones are left to the limits of their destinations.
const METRICS: usize = 1_000;

/// The most labels that are told of as left out.
const TOLD: usize = 64;

/// Applies the rules to the application's own metrics.
#[derive(Debug, Default)]
pub(crate) struct OwnMetrics {
    sets: FxHashMap<Str, LabelSets>,
    told: Vec<Str>,
}

impl OwnMetrics {
    /// Leaves out and marks what the rules say.
    pub(crate) fn settle(&mut self, rules: &Rules, metric: &mut Metric) {
        if metric.labels.is_empty() || is_cumulative(metric) {
            return;
        }
        if self.told.len() < TOLD {
            self.tell(rules, metric);
        }
        let labels = &metric.labels;
        let known = self.sets.contains_key(&metric.name);
        if !known && self.sets.len() >= METRICS {
            metric.labels = rules.apply(labels);
            return;
        }
        if !known {
            self.sets.insert(metric.name.clone(), LabelSets::default());
        }
        if let Some(sets) = self.sets.get_mut(&metric.name) {
            let seen = labels.iter().map(|(label, value)| (label.as_str(), value.as_str()));
            metric.labels = sets.settle(rules, seen, || labels.clone());
        }
    }

    /// Says once of a label that it is left out.
    fn tell(&mut self, rules: &Rules, metric: &Metric) {
        for (label, _) in metric.labels.iter().filter(|(label, _)| rules.blocks(label)) {
            if !self.told.contains(label) {
                tracing::warn!(
                    target: "obs::metrics",
                    "the label {label} is left out of {} and of every other metric, since it differs from trace to trace; \
                     allow it by `cardinality.allowed_labels`",
                    metric.name
                );
                self.told.push(label.clone());
            }
        }
    }
}

/// Whether it is a point that counts from the beginning: several such must not become one series.
fn is_cumulative(metric: &Metric) -> bool {
    let measured = matches!(
        metric.value,
        MetricValue::Add(_) | MetricValue::UpDown(_) | MetricValue::Gauge(_) | MetricValue::Sample(_)
    );
    !measured && metric.temporality != Some(Temporality::Delta)
}
