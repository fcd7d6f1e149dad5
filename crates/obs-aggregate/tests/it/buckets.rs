//! What holds for the buckets of every histogram.

use obs_aggregate::{AggregateConfig, Aggregator};
use obs_core::{
    ExpBuckets, ExpHistogram, Histogram, HistogramForm, Metric, MetricValue, Temporality, Timestamp,
};
use proptest::prelude::*;

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

fn at(nanos: usize) -> Timestamp {
    Timestamp::from_nanos(nanos as u64)
}

fn form() -> impl Strategy<Value = HistogramForm> {
    prop_oneof![Just(HistogramForm::Explicit), Just(HistogramForm::Exponential)]
}

fn samples() -> impl Strategy<Value = Vec<f64>> {
    let sample = prop_oneof![4 => -1e3f64..1e5, 1 => -1e-9f64..1e-9, 1 => -1e30f64..1e30, 1 => Just(0.0)];
    prop::collection::vec(sample, 1..80)
}

proptest! {
    #[test]
    fn histogram_buckets_are_monotone_along_bounds_and_over_cumulative_views(
        samples in samples(), every in 1usize..20, form in form(), failing in any::<u32>(),
    ) {
        let config = AggregateConfig::new(Temporality::Cumulative, at(0)).with_histogram_form(form);
        let mut series = Aggregator::new(config);
        let mut last = None;
        for (round, samples) in samples.chunks(every).enumerate() {
            for sample in samples {
                series.fold(&Metric::new(at(round), "size", MetricValue::Sample(*sample))).unwrap();
            }
            let mut view = series.view(at(round + 1));
            let value = view.metrics.remove(0).value;
            if let Some(last) = last.replace(value.clone()) {
                never_fall(&last, &value);
            }
            if failing & (1 << (round % 32)) == 0 {
                series.commit(view.id);
            }
        }
    }

    #[test]
    fn consecutive_deltas_start_where_the_one_delivered_before_ended(
        samples in samples(), every in 1usize..20, form in form(), failing in any::<u32>(),
    ) {
        let config = AggregateConfig::new(Temporality::Delta, at(7)).with_histogram_form(form);
        let mut series = Aggregator::new(config);
        let mut end = at(7);
        for (round, samples) in samples.chunks(every).enumerate() {
            for sample in samples {
                series.fold(&Metric::new(at(0), "size", MetricValue::Sample(*sample))).unwrap();
            }
            let view = series.view(at(10 * (round + 1)));
            prop_assert_eq!(view.metrics[0].start, Some(end));
            if failing & (1 << (round % 32)) == 0 {
                end = view.metrics[0].time;
                series.commit(view.id);
            }
        }
    }
}
