//! What the owner of an aggregator chooses.

use obs_core::{Error, HistogramForm, Temporality, Timestamp};

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
    /// What samples become, where nothing is said of their metric; explicit by default, since every backend reads that.
    pub histogram_form: HistogramForm,
    /// Upper bounds of buckets by the metric's name; none by default. Such a metric has explicit bounds, whatever the form.
    pub bounds: Vec<(String, Vec<f64>)>,
    /// The names of metrics whose samples become exponential histograms, whatever the form; none by default.
    pub exponential: Vec<String>,
    /// Upper bounds of buckets by the metric's name, where samples become explicit histograms and `bounds` says nothing of
    /// the metric; none by default.
    pub advised: Vec<(String, Vec<f64>)>,
}

impl AggregateConfig {
    /// Views in this temporality for a reader that begins at `start`.
    pub fn new(temporality: Temporality, start: Timestamp) -> Self {
        Self {
            temporality,
            start,
            max_series: 2_000,
            max_metrics: 1_000,
            histogram_form: HistogramForm::Explicit,
            bounds: Vec::new(),
            exponential: Vec::new(),
            advised: Vec::new(),
        }
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
        check(&metric, &upper)?;
        if self.exponential.contains(&metric) {
            return Err(both_forms("bounds", &metric));
        }
        self.bounds.push((metric, upper));
        Ok(self)
    }

    /// The upper bounds of one metric's buckets, which give way to [`Self::with_bounds`], and to exponential histograms.
    ///
    /// # Errors
    /// A configuration error if they are not finite and strictly ascending.
    pub fn with_advised_bounds(mut self, metric: impl Into<String>, upper: Vec<f64>) -> Result<Self, Error> {
        let metric = metric.into();
        check(&metric, &upper)?;
        self.advised.push((metric, upper));
        Ok(self)
    }

    /// What samples become, where nothing is said of their metric.
    #[must_use]
    pub fn with_histogram_form(mut self, form: HistogramForm) -> Self {
        self.histogram_form = form;
        self
    }

    /// The samples of this metric become exponential histograms.
    ///
    /// # Errors
    /// A configuration error if the metric has bounds.
    pub fn with_exponential(mut self, metric: impl Into<String>) -> Result<Self, Error> {
        let metric = metric.into();
        if self.bounds.iter().any(|(known, _)| *known == metric) {
            return Err(both_forms("exponential", &metric));
        }
        self.exponential.push(metric);
        Ok(self)
    }
}

fn check(metric: &str, upper: &[f64]) -> Result<(), Error> {
    if bounds::are_valid(upper) {
        return Ok(());
    }
    let what = format!("the bounds of {metric} must be finite and ascending, each once; got {upper:?}");
    Err(Error::config("bounds", what))
}

fn both_forms(option: &str, metric: &str) -> Error {
    let what = format!("{metric} has both bounds and an exponential histogram; choose one of them");
    Error::config(option, what)
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

    #[test]
    fn a_metric_has_one_form() {
        let config = AggregateConfig::new(Temporality::Delta, Timestamp::default());
        let error = config.clone().with_exponential("a").unwrap().with_bounds("a", vec![1.0]).unwrap_err();
        assert!(error.message().starts_with("bounds: a has both"), "{error}");
        let error = config.with_bounds("a", vec![1.0]).unwrap().with_exponential("a").unwrap_err();
        assert!(error.message().starts_with("exponential: a has both"), "{error}");
    }
}
