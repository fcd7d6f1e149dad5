//! What holds for the buckets of every histogram.

use obs_core::{ExpBuckets, ExpHistogram, Histogram, MetricValue};

/// Asserts that between two cumulative points no count at or below a bound of the later one has fallen, and that counts
/// ascend with the bounds.
pub(crate) fn never_fall(before: &MetricValue, after: &MetricValue) {
    let (before, after) = match (before, after) {
        (MetricValue::Histogram(before), MetricValue::Histogram(after)) => {
            (explicit(before), explicit(after))
        }
        (MetricValue::ExpHistogram(before), MetricValue::ExpHistogram(after)) => {
            (exponential(before), exponential(after))
        }
        (MetricValue::Sum { value: before, monotonic }, MetricValue::Sum { value: after, .. }) => {
            return assert!(after >= before || !monotonic);
        }
        other => panic!("a series changed its kind: {other:?}"),
    };
    assert!(after.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1), "{after:?}");
    for (bound, count) in &after {
        let known = before.iter().rev().find(|(known, _)| known <= bound).map_or(0, |(_, count)| *count);
        assert!(known <= *count, "at or below {bound}: {known} before, {count} after");
    }
}

/// Samples at or below each bound.
fn explicit(histogram: &Histogram) -> Vec<(f64, u64)> {
    let bounds = histogram.bounds.iter().copied().chain([f64::INFINITY]);
    cumulated(bounds.zip(histogram.counts.iter().copied()))
}

fn exponential(histogram: &ExpHistogram) -> Vec<(f64, u64)> {
    let bound = |index: i32| (f64::from(index) * f64::from(-histogram.scale).exp2()).exp2();
    let side = |buckets: &ExpBuckets| (buckets.offset..).zip(buckets.counts.clone()).collect::<Vec<_>>();
    let negative = side(&histogram.negative).into_iter().rev().map(|(at, count)| (-bound(at), count));
    let zero = (histogram.zero_threshold, histogram.zero_count);
    let positive = side(&histogram.positive).into_iter().map(|(at, count)| (bound(at + 1), count));
    cumulated(negative.chain([zero]).chain(positive))
}

fn cumulated(buckets: impl Iterator<Item = (f64, u64)>) -> Vec<(f64, u64)> {
    let add = |sum: &mut u64, (bound, count): (f64, u64)| {
        *sum += count;
        Some((bound, *sum))
    };
    buckets.scan(0, add).collect()
}
