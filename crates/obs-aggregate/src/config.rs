//! What the owner of an aggregator chooses.

use obs_core::{Error, Temporality, Timestamp};

use crate::bounds;

/// How records become series.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AggregateConfig {
    /// Whether views of counters and histograms stand alone or accumulate.
    pub temporality: Temporality,
    /// When the reader began: the start of the first interval.
    pub start: Timestamp,
    /// The most series of one metric, the one for the overflow included; 2,000 by default, as OpenTelemetry has it.
    pub max_series: usize,
    /// The most metrics, counted by resource, name, kind and unit; 1,000 by default, so that memory stays bounded.
    pub max_metrics: usize,
    /// Upper bounds of buckets by the metric's name; none by default.
    pub bounds: Vec<(String, Vec<f64>)>,
}

impl AggregateConfig {
    /// Views in this temporality for a reader that begins at `start`.
    pub fn new(temporality: Temporality, start: Timestamp) -> Self {
        Self { temporality, start, max_series: 2_000, max_metrics: 1_000, bounds: Vec::new() }
    }

    /// The most series of one metric, at least one: the one for the overflow.
    #[must_use]
    pub fn with_max_series(mut self, max: usize) -> Self {
        self.max_series = max.max(1);
        self
    }

    /// The most metrics, at least one.
    #[must_use]
    pub fn with_max_metrics(mut self, max: usize) -> Self {
        self.max_metrics = max.max(1);
        self
    }

    /// The upper bounds of the buckets of one metric, inclusive; none makes a histogram of count and sum alone.
    ///
    /// # Errors
    /// A configuration error if they are not finite and strictly ascending.
    pub fn with_bounds(mut self, metric: impl Into<String>, upper: Vec<f64>) -> Result<Self, Error> {
        let metric = metric.into();
        if !bounds::are_valid(&upper) {
            let what =
                format!("the bounds of {metric} must be finite and ascending, each once; got {upper:?}");
            return Err(Error::config("bounds", what));
        }
        self.bounds.push((metric, upper));
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_out_of_order_are_refused_by_name() {
        let config = AggregateConfig::new(Temporality::Delta, Timestamp::default());
        let error = config.with_bounds("queue.depth", vec![2.0, 1.0]).unwrap_err();
        assert!(error.message().starts_with("bounds: the bounds of queue.depth must be"), "{error}");
    }
}
