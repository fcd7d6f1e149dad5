//! What is too large, not a number or nowhere: it is refused, and the series stays as it was.

use obs_aggregate::{AggregateConfig, Aggregator, Refusal};
use obs_core::{ExpBuckets, ExpHistogram, Histogram, Metric, MetricValue, Temporality, Timestamp};
use proptest::prelude::*;

fn at(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

fn series(temporality: Temporality) -> Aggregator {
    Aggregator::new(AggregateConfig::new(temporality, at(0)))
}

fn point(value: MetricValue, temporality: Temporality) -> Metric {
    let mut metric = Metric::new(at(1), "size", value);
    metric.temporality = Some(temporality);
    metric
}

fn explicit(counts: &[u64]) -> MetricValue {
    let bounds = (1..counts.len()).map(|bound| bound as f64).collect();
    let count = counts.iter().sum();
    MetricValue::Histogram(Box::new(Histogram {
        count,
        bounds,
        counts: counts.to_vec(),
        ..Histogram::default()
    }))
}

fn exponential(scale: i32, offset: i32, counts: &[u64]) -> MetricValue {
    let positive = ExpBuckets { offset, counts: counts.to_vec() };
    let count = counts.iter().sum();
    MetricValue::ExpHistogram(Box::new(ExpHistogram { count, scale, positive, ..ExpHistogram::default() }))
}

fn count(value: &MetricValue) -> u64 {
    match value {
        MetricValue::Histogram(histogram) => histogram.count,
        MetricValue::ExpHistogram(histogram) => histogram.count,
        other => panic!("{other:?}"),
    }
}

#[test]
fn counts_beyond_what_can_be_counted_are_refused_whatever_was_viewed_or_settled_meanwhile() {
    for value in [explicit(&[u64::MAX - 1, 0]), exponential(0, 3, &[u64::MAX - 1])] {
        for (views, commits) in [(false, false), (true, false), (true, true)] {
            let mut series = series(Temporality::Cumulative);
            let large = point(value.clone(), Temporality::Delta);
            series.fold(&large).unwrap();
            if views {
                let view = series.view(at(10));
                assert_eq!(if commits { series.commit(view.id) } else { 1 }, 1);
            }
            assert_eq!(series.fold(&large), Err(Refusal::TooLarge), "{views} {commits}");
            let one = match value {
                MetricValue::Histogram(_) => explicit(&[0, 1]),
                _ => exponential(1, 9, &[1]),
            };
            series.fold(&point(one.clone(), Temporality::Delta)).unwrap();
            assert_eq!(series.fold(&point(one, Temporality::Delta)), Err(Refusal::TooLarge));
            let view = series.view(at(20));
            assert_eq!(count(&view.metrics[0].value), u64::MAX);
            assert_eq!((view.records, series.commit(view.id)), (2 - usize::from(commits), view.records));
        }
    }
}

#[test]
fn a_sample_beyond_what_can_be_counted_is_refused() {
    let mut series = series(Temporality::Delta);
    series.fold(&point(explicit(&[u64::MAX, 0]), Temporality::Delta)).unwrap();
    assert_eq!(series.fold(&Metric::new(at(2), "size", MetricValue::Sample(1.0))), Err(Refusal::TooLarge));
    assert_eq!((series.pending(), count(&series.view(at(10)).metrics[0].value)), (1, u64::MAX));
}

#[test]
fn a_sum_of_finite_numbers_never_becomes_infinite() {
    for value in [MetricValue::Add(f64::MAX), MetricValue::UpDown(-f64::MAX), MetricValue::Sample(f64::MAX)] {
        let mut series = series(Temporality::Cumulative);
        let record = Metric::new(at(1), "size", value.clone());
        series.fold(&record).unwrap();
        assert_eq!(series.fold(&record), Err(Refusal::NotFinite), "{value:?}");
        let view = series.view(at(10));
        series.commit(view.id);
        assert_eq!(series.fold(&record), Err(Refusal::NotFinite), "{value:?}, settled");
        assert_eq!(series.pending(), 0);
    }
}

#[test]
fn a_cumulative_point_whose_growth_is_not_finite_is_refused_and_forgotten() {
    let mut series = series(Temporality::Cumulative);
    let mut results = Vec::new();
    for (time, value) in [(1, f64::MAX), (2, -f64::MAX), (3, f64::MAX / 2.0)] {
        let mut point = point(MetricValue::Sum { value, monotonic: false }, Temporality::Cumulative);
        point.time = at(time);
        results.push(series.fold(&point));
    }
    assert_eq!(results, [Ok(()), Err(Refusal::NotFinite), Ok(())]);
    let level = MetricValue::Sum { value: f64::MAX / 2.0, monotonic: false };
    assert_eq!(series.view(at(10)).metrics[0].value, level);
}

#[test]
fn a_bucket_that_no_number_is_in_is_refused() {
    for (scale, first, last) in [(0, -1075, 1023), (3, -8593, 8191), (-4, -68, 63), (-10, -2, 0)] {
        for temporality in [Temporality::Delta, Temporality::Cumulative] {
            let refusal = |offset| {
                let mut series = series(Temporality::Cumulative);
                let value = exponential(scale, offset, &[1]);
                series.fold(&point(value, temporality)).err()
            };
            for offset in [i32::MIN, first - 1, last + 1, i32::MAX - 1, i32::MAX] {
                assert_eq!(refusal(offset), Some(Refusal::Malformed), "{offset} at {scale}");
            }
            assert_eq!((refusal(first), refusal(last)), (None, None), "at {scale}");
        }
    }
}

#[test]
fn the_last_indices_of_a_very_fine_scale_merge() {
    for temporality in [Temporality::Delta, Temporality::Cumulative] {
        let mut series = series(Temporality::Delta);
        for (time, offset) in [(1, i32::MAX), (2, i32::MAX - 1), (3, i32::MAX)] {
            let mut point = point(exponential(25, offset, &[time]), temporality);
            point.time = at(time);
            series.fold(&point).unwrap();
        }
        let expected = if temporality == Temporality::Delta { 6 } else { 3 };
        assert_eq!(count(&series.view(at(10)).metrics[0].value), expected);
    }
}

#[test]
fn a_least_and_greatest_that_are_no_numbers_are_unknown() {
    for mut value in [explicit(&[1]), exponential(0, 1, &[1])] {
        let (min, max) = match &mut value {
            MetricValue::Histogram(histogram) => (&mut histogram.min, &mut histogram.max),
            MetricValue::ExpHistogram(histogram) => (&mut histogram.min, &mut histogram.max),
            other => panic!("{other:?}"),
        };
        (*min, *max) = (Some(f64::NAN), Some(f64::INFINITY));
        let mut series = series(Temporality::Delta);
        series.fold(&point(value, Temporality::Delta)).unwrap();
        let view = series.view(at(10));
        let extremes = match &view.metrics[0].value {
            MetricValue::Histogram(histogram) => (histogram.min, histogram.max),
            MetricValue::ExpHistogram(histogram) => (histogram.min, histogram.max),
            other => panic!("{other:?}"),
        };
        assert_eq!(extremes, (None, None));
    }
}

/// A merge that compares each bound with each would take minutes here.
#[test]
fn histograms_of_very_many_bounds_merge() {
    let of = |step: usize| Histogram {
        bounds: (0..300_000).map(|at| (at * step) as f64).collect(),
        counts: vec![0; 300_001],
        ..Histogram::default()
    };
    let mut series = series(Temporality::Delta);
    for step in [2, 3] {
        series.fold(&point(MetricValue::Histogram(Box::new(of(step))), Temporality::Delta)).unwrap();
    }
    let view = series.view(at(10));
    let MetricValue::Histogram(merged) = &view.metrics[0].value else { panic!("{view:?}") };
    assert_eq!(merged.bounds.len(), 100_000, "those that are multiples of six");
    assert!(merged.bounds.iter().all(|bound| bound % 6.0 == 0.0));
}

#[derive(Debug, Clone)]
enum Step {
    Sum(f64),
    Level(f64, bool),
    Count(u64, bool),
    View,
    Commit,
}

fn step() -> impl Strategy<Value = Step> {
    let large = || prop_oneof![Just(f64::MAX), Just(-f64::MAX), Just(f64::MAX / 2.0), Just(-1.0)];
    let count = prop_oneof![Just(u64::MAX), Just(u64::MAX / 2), Just(1u64), Just(0)];
    prop_oneof![
        large().prop_map(Step::Sum),
        (large(), any::<bool>()).prop_map(|(value, cumulative)| Step::Level(value, cumulative)),
        (count, any::<bool>()).prop_map(|(count, cumulative)| Step::Count(count, cumulative)),
        Just(Step::View),
        Just(Step::Commit),
    ]
}

proptest! {
    #[test]
    fn no_interleaving_of_extremes_overflows(steps in prop::collection::vec(step(), 0..40), is_delta in any::<bool>()) {
        let mut series = series(if is_delta { Temporality::Delta } else { Temporality::Cumulative });
        let (mut open, mut folded, mut settled) = (None, 0, 0);
        let form = |cumulative| if cumulative { Temporality::Cumulative } else { Temporality::Delta };
        for (time, step) in steps.into_iter().enumerate() {
            let mut record = match step {
                Step::Sum(value) => Metric::new(at(0), "size", MetricValue::UpDown(value)),
                Step::Level(value, cumulative) => {
                    point(MetricValue::Sum { value, monotonic: false }, form(cumulative))
                }
                Step::Count(count, cumulative) => point(explicit(&[count, 0]), form(cumulative)),
                Step::Commit => {
                    settled += open.take().map_or(0, |open| series.commit(open));
                    continue;
                }
                Step::View => {
                    let view = series.view(at(time as u64));
                    for metric in &view.metrics {
                        match &metric.value {
                            MetricValue::Sum { value, .. } => prop_assert!(value.is_finite()),
                            MetricValue::Histogram(all) => prop_assert_eq!(all.counts[0], all.count),
                            other => panic!("{other:?}"),
                        }
                    }
                    open = Some(view.id);
                    continue;
                }
            };
            record.time = at(time as u64);
            folded += usize::from(series.fold(&record).is_ok());
            prop_assert_eq!(folded, settled + series.pending());
        }
    }
}
