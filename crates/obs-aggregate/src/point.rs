//! What a series holds: one point, and how two become one.

use std::sync::Arc;

use obs_core::{Histogram, MetricValue, Timestamp};

use crate::Refusal;
use crate::bounds::are_valid;

/// A point of one series; two of a series are always of the same variant.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Point {
    Sum(f64),
    Gauge { time: Timestamp, value: f64 },
    Histogram(Histogram),
}

impl Point {
    /// The point that one record is; `bounds` serve a sample.
    pub(crate) fn of(time: Timestamp, value: &MetricValue, bounds: &Arc<[f64]>) -> Result<Self, Refusal> {
        match value {
            MetricValue::Add(value) | MetricValue::Sum { value, monotonic: true } => match finite(*value)? {
                value if value < 0.0 => Err(Refusal::Negative),
                value => Ok(Self::Sum(value)),
            },
            MetricValue::UpDown(value) | MetricValue::Sum { value, monotonic: false } => {
                finite(*value).map(Self::Sum)
            }
            MetricValue::Gauge(value) => Ok(Self::Gauge { time, value: *value }),
            MetricValue::Sample(value) => finite(*value).map(|value| Self::Histogram(sample(value, bounds))),
            MetricValue::Histogram(histogram) => well_formed(histogram).map(Self::Histogram),
            MetricValue::ExpHistogram(_) => Err(Refusal::Unfoldable),
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
            (Self::Histogram(histogram), Self::Histogram(more)) => merge(histogram, more),
            (known, other) => debug_assert!(false, "a series mixes {known:?} and {other:?}"),
        }
    }

    /// Folds a sample into a histogram without making a point of it; `false` if this is none.
    pub(crate) fn observe(&mut self, value: f64) -> bool {
        let Self::Histogram(histogram) = self else { return false };
        let least = |known: f64| known.min(value);
        let most = |known: f64| known.max(value);
        (histogram.min, histogram.max) = match histogram.count {
            0 => (Some(value), Some(value)),
            _ => (histogram.min.map(least), histogram.max.map(most)),
        };
        histogram.count += 1;
        histogram.sum += value;
        histogram.counts[bucket(&histogram.bounds, value)] += 1;
        true
    }

    /// The point of this variant that changes no other; of a gauge, itself.
    pub(crate) fn nothing(&self) -> Self {
        match self {
            Self::Sum(_) => Self::Sum(0.0),
            Self::Gauge { .. } => self.clone(),
            Self::Histogram(histogram) => Self::Histogram(Histogram {
                bounds: Arc::clone(&histogram.bounds),
                counts: vec![0; histogram.counts.len()],
                ..Histogram::default()
            }),
        }
    }
}

fn finite(value: f64) -> Result<f64, Refusal> {
    if value.is_finite() { Ok(value) } else { Err(Refusal::NotFinite) }
}

fn sample(value: f64, bounds: &Arc<[f64]>) -> Histogram {
    let mut counts = vec![0; bounds.len() + 1];
    counts[bucket(bounds, value)] = 1;
    Histogram {
        count: 1,
        sum: value,
        min: Some(value),
        max: Some(value),
        bounds: Arc::clone(bounds),
        counts,
        exemplars: Vec::new(),
    }
}

/// The bucket of a value: the first whose upper bound is not below it.
fn bucket(bounds: &[f64], value: f64) -> usize {
    bounds.partition_point(|bound| *bound < value)
}

fn well_formed(histogram: &Histogram) -> Result<Histogram, Refusal> {
    let mut histogram = histogram.clone();
    finite(histogram.sum)?;
    if histogram.counts.is_empty() && histogram.bounds.is_empty() {
        histogram.counts.push(histogram.count);
    }
    let total = histogram.counts.iter().try_fold(0u64, |total, count| total.checked_add(*count));
    let fits = histogram.counts.len() == histogram.bounds.len() + 1 && total == Some(histogram.count);
    if fits && are_valid(&histogram.bounds) { Ok(histogram) } else { Err(Refusal::Malformed) }
}

fn merge(histogram: &mut Histogram, more: &Histogram) {
    let (known, other) = (histogram.count > 0, more.count > 0);
    (histogram.min, histogram.max) = match (known, other) {
        (true, true) => (both(histogram.min, more.min, f64::min), both(histogram.max, more.max, f64::max)),
        (false, true) => (more.min, more.max),
        (_, false) => (histogram.min, histogram.max),
    };
    histogram.count += more.count;
    histogram.sum += more.sum;
    if histogram.bounds == more.bounds {
        add(&mut histogram.counts, &more.counts);
        return;
    }
    let common: Arc<[f64]> =
        histogram.bounds.iter().filter(|bound| more.bounds.contains(bound)).copied().collect();
    histogram.counts = coarser(&histogram.bounds, &histogram.counts, &common);
    histogram.bounds = common;
    add(&mut histogram.counts, &coarser(&more.bounds, &more.counts, &histogram.bounds));
}

fn both(a: Option<f64>, b: Option<f64>, choose: fn(f64, f64) -> f64) -> Option<f64> {
    Some(choose(a?, b?))
}

fn add(counts: &mut [u64], more: &[u64]) {
    for (count, more) in counts.iter_mut().zip(more) {
        *count += more;
    }
}

/// Counts in buckets of which some bounds are gone: exact, since a bucket only ever joins its neighbour above.
fn coarser(bounds: &[f64], counts: &[u64], kept: &[f64]) -> Vec<u64> {
    let mut out = vec![0; kept.len() + 1];
    for (at, count) in counts.iter().enumerate() {
        let bucket = bounds.get(at).map_or(kept.len(), |upper| bucket(kept, *upper));
        out[bucket] += count;
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of_samples(values: &[i32], bounds: &[f64]) -> Histogram {
        let bounds: Arc<[f64]> = bounds.into();
        let Point::Histogram(mut all) = Point::Histogram(sample(0.0, &bounds)).nothing() else { panic!() };
        for value in values {
            merge(&mut all, &sample((*value).into(), &bounds));
        }
        all
    }

    proptest! {
        #[test]
        fn histograms_of_other_bounds_merge_to_what_the_common_bounds_would_have_counted(
            a in prop::collection::vec(-5i32..15, 0..20), b in prop::collection::vec(-5i32..15, 0..20),
        ) {
            let mut merged = of_samples(&a, &[0.0, 2.0, 5.0, 10.0]);
            merge(&mut merged, &of_samples(&b, &[0.0, 3.0, 5.0]));
            let all: Vec<i32> = a.iter().chain(&b).copied().collect();
            let expected = of_samples(&all, &[0.0, 5.0]);
            if b.is_empty() || a.is_empty() {
                prop_assert_eq!(merged.count, expected.count);
                prop_assert_eq!((merged.min, merged.max), (expected.min, expected.max));
            } else {
                prop_assert_eq!(merged, expected);
            }
        }
    }

    #[test]
    fn observing_a_sample_is_merging_its_point() {
        let bounds: Arc<[f64]> = Arc::from([0.0, 5.0]);
        let mut observed = Point::Histogram(sample(1.0, &bounds)).nothing();
        for value in [-1.0, 5.0, 7.0] {
            assert!(observed.observe(value));
        }
        assert_eq!(observed, Point::Histogram(of_samples(&[-1, 5, 7], &bounds)));
        assert!(!Point::Sum(1.0).observe(1.0));
    }

    #[test]
    fn a_value_on_a_bound_belongs_below_it() {
        assert_eq!(of_samples(&[5, 6, 10, 11], &[5.0, 10.0]).counts, [1, 2, 1]);
    }

    #[test]
    fn what_is_wrong_is_refused() {
        let bounds: Arc<[f64]> = Arc::from([1.0]);
        let refusal = |value| Point::of(Timestamp::default(), &value, &bounds).err();
        assert_eq!(refusal(MetricValue::Add(-1.0)), Some(Refusal::Negative));
        assert_eq!(refusal(MetricValue::Add(f64::NEG_INFINITY)), Some(Refusal::NotFinite));
        assert_eq!(refusal(MetricValue::UpDown(f64::NAN)), Some(Refusal::NotFinite));
        assert_eq!(refusal(MetricValue::Sample(f64::INFINITY)), Some(Refusal::NotFinite));
        assert_eq!(refusal(MetricValue::UpDown(-1.0)), None);
        assert_eq!(refusal(MetricValue::Gauge(-1.0)), None);
        assert_eq!(refusal(MetricValue::ExpHistogram(Box::default())), Some(Refusal::Unfoldable));
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
