//! What a record adds to its series.

use std::sync::Arc;

use obs_aggregate::{Refusal, histogram};
use obs_core::{Exemplar, ExpHistogram, Histogram, Metric, MetricValue, SpanRef, Temporality, Timestamp};

use crate::buckets::Buckets;
use crate::units::Scale;

/// What kind of series a record belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Counter,
    UpDown,
    Gauge,
    Histogram,
    Exponential,
}

impl Kind {
    pub(crate) fn of(value: &MetricValue) -> Self {
        match value {
            MetricValue::Add(_) | MetricValue::Sum { monotonic: true, .. } => Self::Counter,
            MetricValue::UpDown(_) | MetricValue::Sum { monotonic: false, .. } => Self::UpDown,
            MetricValue::Gauge(_) => Self::Gauge,
            MetricValue::Sample(_) | MetricValue::Histogram(_) => Self::Histogram,
            MetricValue::ExpHistogram(_) => Self::Exponential,
        }
    }

    /// The kind that a family has: its histograms are shown as one, whatever they count in.
    pub(crate) fn of_family(self) -> Self {
        if self == Self::Exponential { Self::Histogram } else { self }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::UpDown => "up-down counter",
            Self::Gauge => "gauge",
            Self::Histogram | Self::Exponential => "histogram",
        }
    }
}

/// A value, how it joins its series, and when it was.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Point {
    pub(crate) value: Value,
    pub(crate) feed: Feed,
    pub(crate) time: Timestamp,
}

/// How points join their series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feed {
    /// Each adds to what is there: measurements and deltas.
    Adds,
    /// The latest stands for all before it: gauges and cumulative points.
    Replaces,
}

/// What a series holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Number {
        value: f64,
        exemplar: Option<Sampled>,
    },
    Histogram(Buckets),
    /// It is shown under explicit bounds.
    Exponential(Box<ExpHistogram>),
}

/// A measurement that stands for others, with the span it was made under.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sampled {
    pub(crate) value: f64,
    pub(crate) time: Timestamp,
    pub(crate) span: SpanRef,
}

impl Sampled {
    fn of(exemplar: &Exemplar, metric: &Metric, own: Option<f64>) -> Option<Self> {
        let value = exemplar.value.or(own).filter(|value| value.is_finite())?;
        Some(Self { value, time: exemplar.time.unwrap_or(metric.time), span: exemplar.span })
    }

    /// The same in another unit.
    pub(crate) fn scaled(&self, scale: Scale) -> Self {
        Self { value: scale.apply(self.value), ..self.clone() }
    }
}

impl Point {
    /// The point of a record; `bounds` are those of a sample's histogram.
    pub(crate) fn of(metric: &Metric, bounds: impl FnOnce() -> Arc<[f64]>) -> Result<Self, Refusal> {
        let feed = match &metric.value {
            MetricValue::Gauge(_) => Feed::Replaces,
            MetricValue::Add(_) | MetricValue::UpDown(_) | MetricValue::Sample(_) => Feed::Adds,
            _ => match metric.temporality {
                Some(Temporality::Cumulative) => Feed::Replaces,
                Some(Temporality::Delta) => Feed::Adds,
                None => return Err(Refusal::NoTemporality),
            },
        };
        Ok(Self { value: value(metric, feed, bounds)?, feed, time: metric.time })
    }
}

fn value(metric: &Metric, feed: Feed, bounds: impl FnOnce() -> Arc<[f64]>) -> Result<Value, Refusal> {
    match &metric.value {
        MetricValue::Gauge(value) => Ok(Value::Number { value: *value, exemplar: None }),
        MetricValue::Add(value) | MetricValue::Sum { value, monotonic: true } => {
            if value.is_nan() || feed == Feed::Adds && value.is_infinite() {
                return Err(Refusal::NotFinite);
            }
            if *value < 0.0 {
                return Err(Refusal::Negative);
            }
            let own = matches!(metric.value, MetricValue::Add(_)).then_some(*value);
            let exemplar = metric.exemplar.as_ref().and_then(|found| Sampled::of(found, metric, own));
            Ok(Value::Number { value: *value, exemplar })
        }
        MetricValue::UpDown(value) | MetricValue::Sum { value, monotonic: false } => {
            let fits = if feed == Feed::Adds { value.is_finite() } else { !value.is_nan() };
            fits.then_some(Value::Number { value: *value, exemplar: None }).ok_or(Refusal::NotFinite)
        }
        MetricValue::Sample(value) => {
            if !value.is_finite() {
                return Err(Refusal::NotFinite);
            }
            let bounds = bounds();
            let mut counts = vec![0; bounds.len() + 1];
            counts[histogram::bucket(&bounds, *value)] = 1;
            let found = metric.exemplar.as_ref();
            let exemplar = found.and_then(|found| Sampled::of(found, metric, Some(*value)));
            Ok(Value::Histogram(Buckets::new(bounds, counts, *value, exemplar)))
        }
        MetricValue::Histogram(histogram) => explicit(metric, histogram).map(Value::Histogram),
        MetricValue::ExpHistogram(histogram) => exponential(metric, histogram),
    }
}

/// An exponential histogram that aggregation would take, as it would have it.
fn exponential(metric: &Metric, histogram: &ExpHistogram) -> Result<Value, Refusal> {
    let mut own = ExpHistogram::default();
    histogram::merge_exponential(&mut own, histogram)?;
    own.exemplars.clone_from(&histogram.exemplars);
    for exemplar in &mut own.exemplars {
        exemplar.time = exemplar.time.or(Some(metric.time));
    }
    Ok(Value::Exponential(Box::new(own)))
}

/// The buckets of a histogram that aggregation would take.
fn explicit(metric: &Metric, histogram: &Histogram) -> Result<Buckets, Refusal> {
    let bounds = Arc::clone(&histogram.bounds);
    let counts = vec![0; bounds.len() + 1];
    let mut own = Histogram { bounds, counts, ..Histogram::default() };
    histogram::merge(&mut own, histogram)?;
    let exemplars = histogram.exemplars.iter().filter_map(|exemplar| Sampled::of(exemplar, metric, None));
    Ok(Buckets::new(own.bounds, own.counts, own.sum, exemplars))
}

/// Adds `more`, and keeps of the exemplars the latest of each bucket that is shown.
fn add_exponential(known: &mut ExpHistogram, more: &ExpHistogram) -> Result<(), Refusal> {
    histogram::merge_exponential(known, more)?;
    if !more.exemplars.is_empty() {
        known.exemplars.extend_from_slice(&more.exemplars);
        let kept = Buckets::of(known).into_exemplars();
        let exemplar =
            |Sampled { value, time, span }| Exemplar { span, value: Some(value), time: Some(time) };
        known.exemplars = kept.map(exemplar).collect();
    }
    Ok(())
}

impl Value {
    /// Adds what came since, or what another source of the same series has.
    ///
    /// # Errors
    /// Their sum cannot be shown; then nothing changes.
    pub(crate) fn add(&mut self, other: &Self) -> Result<(), Refusal> {
        match (self, other) {
            (Self::Number { value, exemplar }, Self::Number { value: more, exemplar: newer }) => {
                let sum = *value + more;
                if value.is_finite() && more.is_finite() && !sum.is_finite() {
                    return Err(Refusal::NotFinite);
                }
                *value = sum;
                // `None` is before every time.
                if newer.as_ref().map(|newer| newer.time) >= exemplar.as_ref().map(|known| known.time) {
                    exemplar.clone_from(newer);
                }
                Ok(())
            }
            (Self::Histogram(buckets), Self::Histogram(more)) => buckets.add(more),
            (Self::Exponential(known), Self::Exponential(more)) => add_exponential(known, more),
            // Keys tell the variants apart, and the page has but two.
            _ => Err(Refusal::Malformed),
        }
    }

    /// The value in another unit.
    pub(crate) fn scaled(&self, scale: Scale) -> Self {
        match self {
            Self::Number { value, exemplar } => {
                let exemplar = exemplar.as_ref().map(|exemplar| exemplar.scaled(scale));
                Self::Number { value: scale.apply(*value), exemplar }
            }
            Self::Exponential(histogram) => Self::Histogram(Buckets::of(histogram).scaled(scale)),
            Self::Histogram(buckets) => Self::Histogram(buckets.scaled(scale)),
        }
    }
}
