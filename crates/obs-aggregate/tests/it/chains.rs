//! Points of one aggregator, folded by the next: what a collector does with another's series.

use obs_aggregate::{AggregateConfig, Aggregator, Refusal};
use obs_core::{ExpBuckets, ExpHistogram, HistogramForm, Metric, MetricValue, Temporality, Timestamp};
use proptest::prelude::*;

use crate::buckets;

fn at(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

fn temporality() -> impl Strategy<Value = Temporality> {
    prop_oneof![Just(Temporality::Delta), Just(Temporality::Cumulative)]
}

/// Count and sum, however the samples are bucketed.
fn total(value: &MetricValue) -> (u64, f64) {
    match value {
        MetricValue::Histogram(histogram) => (histogram.count, histogram.sum),
        MetricValue::ExpHistogram(histogram) => (histogram.count, histogram.sum),
        MetricValue::Sum { value, .. } => (0, *value),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn law_1_accounting_points_of_another_aggregator_add_up_to_its_records(
        values in prop::collection::vec(-1_000i32..100_000, 1..60),
        every in 1usize..9, source in temporality(), reader in temporality(), exponential in any::<bool>(),
        failing in any::<u32>(),
    ) {
        let form = if exponential { HistogramForm::Exponential } else { HistogramForm::Explicit };
        let mut first = Aggregator::new(AggregateConfig::new(source, at(0)).with_histogram_form(form));
        // What arrives as a histogram keeps its form: the second one's own is for samples alone.
        let mut second = Aggregator::new(AggregateConfig::new(reader, at(0)));
        let (mut seen, mut last): ((u64, f64), Option<MetricValue>) = ((0, 0.0), None);
        let rounds = values.len().div_ceil(every);
        for (round, values) in values.chunks(every).enumerate() {
            let fails = |bit: usize| round + 1 < rounds && failing & (1 << (bit % 32)) != 0;
            let now = at((round as u64 + 1) * 10);
            for value in values {
                first.fold(&Metric::new(now, "size", MetricValue::Sample((*value).into()))).unwrap();
            }
            let view = first.view(now);
            view.metrics.iter().for_each(|point| second.fold(point).unwrap());
            // A cumulative point may be told again; a delta that was not committed would be in the next one, too.
            if source == Temporality::Delta || !fails(round + 16) {
                first.commit(view.id);
            }
            let view = second.view(now);
            prop_assert_eq!(view.metrics.len(), 1);
            let point = &view.metrics[0];
            let (count, sum) = total(&point.value);
            if reader == Temporality::Cumulative {
                seen = (count, sum);
                if let Some(last) = last.replace(point.value.clone()) {
                    buckets::never_fall(&last, &point.value);
                }
            } else if !fails(round) {
                seen = (seen.0 + count, seen.1 + sum);
            }
            if !fails(round) {
                second.commit(view.id);
            }
        }
        let sum: i32 = values.iter().sum();
        prop_assert_eq!(seen, (values.len() as u64, f64::from(sum)));
    }
}

fn exponential(scale: i32, counts: &[u64], temporality: Option<Temporality>) -> Metric {
    let count = counts.iter().sum();
    let positive = ExpBuckets { offset: 0, counts: counts.to_vec() };
    let value = ExpHistogram { count, sum: count as f64, scale, positive, ..ExpHistogram::default() };
    let mut metric = Metric::new(at(1), "size", MetricValue::ExpHistogram(Box::new(value)));
    metric.temporality = temporality;
    metric
}

#[test]
fn exponential_points_of_other_scales_merge_at_the_coarser_one() {
    let mut series = Aggregator::new(AggregateConfig::new(Temporality::Delta, at(0)));
    assert_eq!(series.fold(&exponential(0, &[1], None)), Err(Refusal::NoTemporality));
    let mut malformed = exponential(0, &[1], Some(Temporality::Delta));
    if let MetricValue::ExpHistogram(histogram) = &mut malformed.value {
        histogram.count = 9;
    }
    assert_eq!(series.fold(&malformed), Err(Refusal::Malformed));
    series.fold(&exponential(1, &[1, 2, 3], Some(Temporality::Delta))).unwrap();
    series.fold(&exponential(0, &[10], Some(Temporality::Delta))).unwrap();
    let view = series.view(at(10));
    let MetricValue::ExpHistogram(merged) = &view.metrics[0].value else { panic!("{view:?}") };
    assert_eq!((merged.scale, merged.count, merged.sum), (0, 16, 16.0));
    assert_eq!(merged.positive, ExpBuckets { offset: 0, counts: vec![13, 3] });
}

#[test]
fn a_cumulative_exponential_point_adds_what_it_has_grown_by() {
    let mut series = Aggregator::new(AggregateConfig::new(Temporality::Delta, at(0)));
    let mut counts = Vec::new();
    for (time, scale, buckets) in
        [(10, 1, [1, 2].as_slice()), (20, 1, &[1, 5]), (30, 0, &[7]), (40, 0, &[2]), (35, 0, &[1])]
    {
        let mut point = exponential(scale, buckets, Some(Temporality::Cumulative));
        point.time = at(time);
        series.fold(&point).unwrap();
        let view = series.view(at(time));
        counts.push(total(&view.metrics[0].value).0);
        series.commit(view.id);
    }
    assert_eq!(counts, [3, 3, 1, 2, 0], "grown, grown, coarser, begun anew, late");
}

#[test]
fn explicit_and_exponential_histograms_of_one_name_are_two_series() {
    let mut series = Aggregator::new(
        AggregateConfig::new(Temporality::Cumulative, at(0)).with_exponential("size").unwrap(),
    );
    let mut other = Aggregator::new(AggregateConfig::new(Temporality::Delta, at(0)));
    other.fold(&Metric::new(at(1), "size", MetricValue::Sample(3.0))).unwrap();
    for point in other.view(at(2)).metrics {
        series.fold(&point).unwrap();
    }
    series.fold(&Metric::new(at(1), "size", MetricValue::Sample(3.0))).unwrap();
    series.fold(&exponential(3, &[1], Some(Temporality::Delta))).unwrap();
    let view = series.view(at(10));
    let counts: Vec<_> = view.metrics.iter().map(|metric| total(&metric.value).0).collect();
    assert_eq!(counts, [1, 2], "{view:?}");
}
