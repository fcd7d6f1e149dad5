//! What a series holds: one point, and how two become one.

use obs_core::{ExpHistogram, Histogram, MetricValue, Timestamp};

use crate::bounds::Shape;
use crate::{Refusal, explicit, exponential};

/// A point of one series; two of a series are always of the same variant.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Point {
    Sum(f64),
    Gauge { time: Timestamp, value: f64 },
    Histogram(Histogram),
    Exponential(ExpHistogram),
}

/// The most exemplars of an exponential histogram, as OpenTelemetry has it.
const EXEMPLARS_OF_EXPONENTIAL: usize = 20;

impl Shape {
    /// The point of no sample at all.
    pub(crate) fn empty(&self) -> Point {
        match self {
            Self::Explicit(bounds) => Point::Histogram(explicit::empty(bounds)),
            Self::Exponential => Point::Exponential(exponential::empty()),
        }
    }
}

impl Point {
    /// The point that one record is; a sample takes the `shape`.
    pub(crate) fn of(time: Timestamp, value: &MetricValue, shape: &Shape) -> Result<Self, Refusal> {
        match value {
            MetricValue::Add(value) | MetricValue::Sum { value, monotonic: true } => match finite(*value)? {
                value if value < 0.0 => Err(Refusal::Negative),
                value => Ok(Self::Sum(value)),
            },
            MetricValue::UpDown(value) | MetricValue::Sum { value, monotonic: false } => {
                finite(*value).map(Self::Sum)
            }
            MetricValue::Gauge(value) => Ok(Self::Gauge { time, value: *value }),
            MetricValue::Sample(value) => {
                let (value, mut point) = (finite(*value)?, shape.empty());
                point.observe(value);
                Ok(point)
            }
            MetricValue::Histogram(histogram) => explicit::well_formed(histogram).map(Self::Histogram),
            MetricValue::ExpHistogram(histogram) => {
                exponential::well_formed(histogram).map(Self::Exponential)
            }
        }
    }

    /// Folds `other`, the later one, into this.
    pub(crate) fn merge(&mut self, other: &Self) {
        match (self, other) {
            (Self::Sum(sum), Self::Sum(more)) => *sum += more,
            (Self::Gauge { time, value }, Self::Gauge { time: at, value: now }) => {
                if at >= time {
                    (*time, *value) = (*at, *now);
                }
            }
            (Self::Histogram(histogram), Self::Histogram(more)) => explicit::merge(histogram, more),
            (Self::Exponential(histogram), Self::Exponential(more)) => exponential::merge(histogram, more),
            (known, other) => debug_assert!(false, "a series mixes {known:?} and {other:?}"),
        }
    }

    /// Counts a finite sample in a histogram, and says whether its buckets got wider for it.
    pub(crate) fn observe(&mut self, value: f64) -> bool {
        match self {
            Self::Histogram(histogram) => explicit::observe(histogram, value),
            Self::Exponential(histogram) => {
                let scale = histogram.scale;
                exponential::observe(histogram, value);
                return histogram.scale < scale;
            }
            known => debug_assert!(false, "a sample for {known:?}"),
        }
        false
    }

    /// What came between two cumulative points; `None` if the later one began anew.
    pub(crate) fn difference(before: &Self, after: &Self, monotonic: bool) -> Option<Self> {
        match (before, after) {
            (Self::Sum(before), Self::Sum(after)) => {
                (!monotonic || after >= before).then(|| Self::Sum(after - before))
            }
            (Self::Histogram(before), Self::Histogram(after)) => {
                explicit::difference(before, after).map(Self::Histogram)
            }
            (Self::Exponential(before), Self::Exponential(after)) => {
                exponential::difference(before, after).map(Self::Exponential)
            }
            _ => None,
        }
    }

    /// The point of this variant that changes no other; of a gauge, itself.
    pub(crate) fn nothing(&self) -> Self {
        match self {
            Self::Sum(_) => Self::Sum(0.0),
            Self::Gauge { .. } => self.clone(),
            Self::Histogram(histogram) => Self::Histogram(explicit::empty(&histogram.bounds)),
            Self::Exponential(_) => Self::Exponential(exponential::empty()),
        }
    }

    /// Whether one exemplar stands for both measurements.
    pub(crate) fn is_same_bucket(&self, a: f64, b: f64) -> bool {
        match self {
            Self::Sum(_) | Self::Gauge { .. } => true,
            Self::Histogram(histogram) => {
                explicit::bucket(&histogram.bounds, a) == explicit::bucket(&histogram.bounds, b)
            }
            Self::Exponential(histogram) => {
                exponential::bucket(histogram, a) == exponential::bucket(histogram, b)
            }
        }
    }

    /// The most exemplars that it keeps, where they are not one a bucket.
    pub(crate) fn most_exemplars(&self) -> usize {
        match self {
            Self::Sum(_) | Self::Gauge { .. } => 1,
            Self::Histogram(histogram) => histogram.counts.len(),
            Self::Exponential(_) => EXEMPLARS_OF_EXPONENTIAL,
        }
    }
}

fn finite(value: f64) -> Result<f64, Refusal> {
    if value.is_finite() { Ok(value) } else { Err(Refusal::NotFinite) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_refused() {
        let shape = Shape::Explicit([1.0].into());
        let refusal = |value| Point::of(Timestamp::default(), &value, &shape).err();
        assert_eq!(refusal(MetricValue::Add(-1.0)), Some(Refusal::Negative));
        assert_eq!(refusal(MetricValue::Add(f64::NEG_INFINITY)), Some(Refusal::NotFinite));
        assert_eq!(refusal(MetricValue::UpDown(f64::NAN)), Some(Refusal::NotFinite));
        assert_eq!(refusal(MetricValue::Sample(f64::INFINITY)), Some(Refusal::NotFinite));
        assert_eq!(refusal(MetricValue::UpDown(-1.0)), None);
        assert_eq!(refusal(MetricValue::Gauge(-1.0)), None);
        assert_eq!(refusal(MetricValue::ExpHistogram(Box::default())), None);
        for (count, bounds, counts) in [
            (1, vec![1.0], vec![1]),
            (2, vec![1.0], vec![1, 0]),
            (1, vec![2.0, 1.0], vec![1, 0, 0]),
            (1, vec![], vec![u64::MAX, 2]),
        ] {
            let histogram = Histogram { count, bounds: bounds.into(), counts, ..Histogram::default() };
            assert_eq!(refusal(MetricValue::Histogram(histogram.into())), Some(Refusal::Malformed));
        }
        let bare = Histogram { count: 3, ..Histogram::default() };
        assert_eq!(refusal(MetricValue::Histogram(bare.into())), None);
    }
}
