//! One point: what a metric record says, in OTLP's kinds, checked.

use obs_core::{
    Exemplar, ExpBuckets, ExpHistogram, Histogram, Labels, Metric, MetricValue, SpanRef, Temporality,
    Timestamp,
};

use super::InvalidMetric;
use crate::encode::Fields;

/// The kind of a metric's data, with what all its points share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Gauge,
    Sum { temporality: Temporality, monotonic: bool },
    Histogram(Temporality),
    ExpHistogram(Temporality),
}

/// What stands in a data point.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point<'a> {
    pub(super) start: Option<Timestamp>,
    pub(super) time: Timestamp,
    pub(super) data: Data<'a>,
    labels: &'a Labels,
    /// The record's own exemplar, and the value that it stands for where it says none.
    exemplar: Option<(&'a Exemplar, Option<f64>)>,
    exemplars: &'a [Exemplar],
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Data<'a> {
    Number(f64),
    Histogram(Buckets<'a>),
    ExpHistogram(&'a ExpHistogram),
}

/// A histogram with explicit bounds, or one that has no buckets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Buckets<'a> {
    pub(super) count: u64,
    pub(super) sum: Option<f64>,
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
    pub(super) bounds: &'a [f64],
    /// The counts of all buckets but the last.
    bounded: &'a [u64],
    /// The count of the last bucket, if there are buckets.
    last: Option<u64>,
}

impl Buckets<'_> {
    pub(super) fn counts(&self) -> impl ExactSizeIterator<Item = u64> {
        let len = self.bounded.len() + usize::from(self.last.is_some());
        let last = self.last.unwrap_or_default();
        (0..len).map(move |at| self.bounded.get(at).copied().unwrap_or(last))
    }
}

/// Reads a record; a measurement that nothing aggregated is a delta of its own, at one moment.
pub(super) fn of(metric: &Metric) -> Result<(Kind, Point<'_>), InvalidMetric> {
    if metric.name.is_empty() {
        return Err(InvalidMetric::Unnamed);
    }
    let said = || metric.temporality.ok_or(InvalidMetric::NoTemporality);
    let delta = Temporality::Delta;
    let (kind, data) = match &metric.value {
        MetricValue::Add(value) if !(value.is_finite() && *value >= 0.0) => {
            return Err(InvalidMetric::Increment(*value));
        }
        MetricValue::UpDown(value) | MetricValue::Sample(value) if !value.is_finite() => {
            return Err(InvalidMetric::Measurement(*value));
        }
        MetricValue::Add(value) => (Kind::Sum { temporality: delta, monotonic: true }, Data::Number(*value)),
        MetricValue::UpDown(value) => {
            (Kind::Sum { temporality: delta, monotonic: false }, Data::Number(*value))
        }
        MetricValue::Sample(value) => (Kind::Histogram(delta), Data::Histogram(sample(*value))),
        MetricValue::Gauge(value) => (Kind::Gauge, Data::Number(*value)),
        MetricValue::Sum { value, monotonic } => {
            (Kind::Sum { temporality: said()?, monotonic: *monotonic }, Data::Number(*value))
        }
        MetricValue::Histogram(histogram) => {
            (Kind::Histogram(said()?), Data::Histogram(explicit(histogram)?))
        }
        MetricValue::ExpHistogram(histogram) => {
            exponential(histogram)?;
            (Kind::ExpHistogram(said()?), Data::ExpHistogram(histogram))
        }
    };
    let measured =
        matches!(metric.value, MetricValue::Add(_) | MetricValue::UpDown(_) | MetricValue::Sample(_));
    let (own, exemplars) = match &metric.value {
        MetricValue::Add(value)
        | MetricValue::UpDown(value)
        | MetricValue::Gauge(value)
        | MetricValue::Sample(value)
        | MetricValue::Sum { value, .. } => (Some(*value), [].as_slice()),
        MetricValue::Histogram(histogram) => (None, histogram.exemplars.as_slice()),
        MetricValue::ExpHistogram(histogram) => (None, histogram.exemplars.as_slice()),
    };
    let point = Point {
        start: metric.start.or(Some(metric.time).filter(|_| measured)),
        time: metric.time,
        data,
        labels: &metric.labels,
        exemplar: metric.exemplar.as_ref().map(|exemplar| (exemplar, own)),
        exemplars,
    };
    Ok((kind, point))
}

impl Point<'_> {
    /// The exemplars, each with a time and a value; one that stands for no value is none.
    pub(super) fn exemplars(&self) -> impl Iterator<Item = (Timestamp, f64, SpanRef)> {
        let own = self.exemplar.into_iter();
        let others = self.exemplars.iter().map(|exemplar| (exemplar, None));
        own.chain(others).filter_map(|(exemplar, own)| {
            let value = exemplar.value.or(own)?;
            Some((exemplar.time.unwrap_or(self.time), value, exemplar.span))
        })
    }

    /// Puts the labels; of two of the same name, which readers refuse, the first.
    pub(super) fn labels(&self, to: &mut Fields<'_>) {
        for (nth, (name, value)) in self.labels.iter().enumerate() {
            if self.labels[..nth].iter().all(|(before, _)| before != name) {
                to.str(name, value);
            }
        }
    }
}

/// A sample alone, which says nothing of buckets.
fn sample(value: f64) -> Buckets<'static> {
    let known = Some(value);
    Buckets { count: 1, sum: known, min: known, max: known, bounds: &[], bounded: &[], last: None }
}

fn explicit(histogram: &Histogram) -> Result<Buckets<'_>, InvalidMetric> {
    let Histogram { count, sum, min, max, bounds, counts, exemplars: _ } = histogram;
    let (mut last, mut bounded) = match counts.split_last() {
        Some((last, bounded)) if bounded.len() == bounds.len() => (Some(*last), bounded),
        None if bounds.is_empty() => (None, [].as_slice()),
        _ => return Err(InvalidMetric::Buckets { counts: counts.len(), bounds: bounds.len() }),
    };
    let mut bounds = &bounds[..];
    // A bucket up to infinity and the one beyond it are the same bucket.
    if let ([before @ .., f64::INFINITY], [before_counts @ .., count]) = (bounds, bounded) {
        (bounds, bounded) = (before, before_counts);
        last = last.map(|last| last.saturating_add(*count));
    }
    if !bounds.iter().all(|bound| bound.is_finite()) || !bounds.is_sorted_by(|a, b| a < b) {
        return Err(InvalidMetric::Bounds);
    }
    if !counts.is_empty() {
        same_count(*count, counts)?;
    }
    // A sum that is no finite number says nothing, and OTLP can leave it out.
    let sum = Some(*sum).filter(|sum| sum.is_finite());
    Ok(Buckets { count: *count, sum, min: *min, max: *max, bounds, bounded, last })
}

fn exponential(histogram: &ExpHistogram) -> Result<(), InvalidMetric> {
    let ExpHistogram { count, zero_count, zero_threshold, positive, negative, .. } = histogram;
    if !zero_threshold.is_finite() || *zero_threshold < 0.0 {
        return Err(InvalidMetric::ZeroThreshold(*zero_threshold));
    }
    for ExpBuckets { offset, counts } in [positive, negative] {
        let behind_the_first = i64::try_from(counts.len().saturating_sub(1)).unwrap_or(i64::MAX);
        if i64::from(*offset).saturating_add(behind_the_first) > i64::from(i32::MAX) {
            return Err(InvalidMetric::BucketIndex);
        }
    }
    same_count(*count, [zero_count].into_iter().chain(&positive.counts).chain(&negative.counts))
}

fn same_count<'a>(count: u64, buckets: impl IntoIterator<Item = &'a u64>) -> Result<(), InvalidMetric> {
    let buckets: u128 = buckets.into_iter().map(|bucket| u128::from(*bucket)).sum();
    if buckets == u128::from(count) { Ok(()) } else { Err(InvalidMetric::Count { count, buckets }) }
}
