//! Arbitrary metrics.

use obs_core::{Exemplar, ExpBuckets, ExpHistogram, Histogram, Labels, Metric, MetricValue, Temporality};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::shared::{context, distinct, number, resource, span_ref, text, timestamp};
use super::span_type::cost;

/// A histogram with ascending bounds, the last of which may be infinite, and one count more than bounds.
fn histogram() -> impl Strategy<Value = Histogram> {
    let bound = prop_oneof![9 => -1e9f64..1e9, 1 => Just(f64::INFINITY)];
    let bounds = vec(bound, 0..5).prop_map(|mut bounds| {
        bounds.sort_by(f64::total_cmp);
        bounds.dedup();
        bounds
    });
    let with_counts = bounds.prop_flat_map(|bounds| {
        let counts = vec(0u64..1_000_000, bounds.len() + 1);
        (Just(bounds), counts)
    });
    let numbers = (number(), of(number()), of(number()));
    (with_counts, numbers, vec(exemplar(), 0..3)).prop_map(
        |((bounds, counts), (sum, min, max), exemplars)| Histogram {
            count: counts.iter().sum(),
            sum,
            min,
            max,
            bounds: bounds.into(),
            counts,
            exemplars,
        },
    )
}

fn buckets() -> impl Strategy<Value = ExpBuckets> {
    (any::<i32>(), vec(0u64..1_000_000, 0..5)).prop_map(|(offset, counts)| ExpBuckets { offset, counts })
}

prop_compose! {
    fn exp_histogram()(
        sum in number(),
        (min, max) in (of(number()), of(number())),
        scale in -10i32..=20,
        zero_count in 0u64..1_000_000,
        zero_threshold in number(),
        positive in buckets(),
        negative in buckets(),
        exemplars in vec(exemplar(), 0..3),
    ) -> ExpHistogram {
        let count = zero_count + positive.counts.iter().sum::<u64>() + negative.counts.iter().sum::<u64>();
        ExpHistogram { count, sum, min, max, scale, zero_count, zero_threshold, positive, negative, exemplars }
    }
}

fn metric_value() -> BoxedStrategy<MetricValue> {
    prop_oneof![
        number().prop_map(MetricValue::Add),
        number().prop_map(MetricValue::UpDown),
        number().prop_map(MetricValue::Gauge),
        number().prop_map(MetricValue::Sample),
        (number(), any::<bool>()).prop_map(|(value, monotonic)| MetricValue::Sum { value, monotonic }),
        histogram().prop_map(|histogram| MetricValue::Histogram(Box::new(histogram))),
        exp_histogram().prop_map(|histogram| MetricValue::ExpHistogram(Box::new(histogram))),
    ]
    .boxed()
}

fn exemplar() -> impl Strategy<Value = Exemplar> {
    (span_ref(), of(number()), of(timestamp())).prop_map(|(span, value, time)| Exemplar { span, value, time })
}

prop_compose! {
    /// Any metric, measured or aggregated.
    pub fn metric()(
        (time, start) in (timestamp(), of(timestamp())),
        name in text(),
        (unit, description) in (of(text()), of(text())),
        labels in vec((text(), text()), 0..4),
        temporality in of(select(vec![Temporality::Delta, Temporality::Cumulative])),
        value in metric_value(),
        exemplar in of(exemplar()),
        cost in of(cost()),
        context in context(),
        resource in resource(),
    ) -> Metric {
        let labels = distinct(labels).into_iter().collect::<Labels>();
        let cost = cost.map(Box::new);
        Metric { time, start, name, unit, description, labels, temporality, value, exemplar, cost, context, resource }
    }
}
