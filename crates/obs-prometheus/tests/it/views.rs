//! What an aggregator keeps apart stays apart in the table, and on the page nothing of it is missing.

use obs_aggregate::{AggregateConfig, Aggregator};
use obs_core::{
    Batch, ExpBuckets, ExpHistogram, Histogram, Metric, MetricValue, Resource, Scope, Signal, Str,
    Temporality, Timestamp, Value,
};
use obs_testkit::arbitrary;
use proptest::prelude::*;

use crate::bench::{at, delivered, export, metric, pull, refused, value};

/// The aggregator of a lane whose destination keeps totals.
fn aggregator() -> Aggregator {
    Aggregator::new(AggregateConfig::new(Temporality::Cumulative, Timestamp::default()))
}

/// What the lane hands over at a time, once these have come.
fn view(series: &mut Aggregator, metrics: &[Metric], seconds: u64) -> Vec<Metric> {
    for metric in metrics {
        series.fold(metric).unwrap();
    }
    let view = series.view(at(seconds));
    series.commit(view.id);
    view.metrics.into_iter().collect()
}

fn exponential(name: &'static str, counts: &[u64]) -> Metric {
    let positive = ExpBuckets { offset: 0, counts: counts.to_vec() };
    let count = counts.iter().sum();
    let histogram = ExpHistogram { count, sum: 6.0, positive, ..ExpHistogram::default() };
    let mut metric = metric(name, MetricValue::ExpHistogram(Box::new(histogram)));
    metric.temporality = Some(Temporality::Delta);
    metric
}

fn in_unit(mut metric: Metric, unit: &'static str) -> Metric {
    metric.unit = Some(Str::from(unit));
    metric
}

fn of_attribute(mut metric: Metric, value: Value) -> Metric {
    let attributes = [("load", value)].into_iter().collect();
    metric.resource = Resource { attributes, scope: None }.into();
    metric
}

#[tokio::test]
async fn explicit_and_exponential_histograms_of_a_name_are_shown_as_one() {
    let (exporter, mut series) = (pull(), aggregator());
    for seconds in [20, 30] {
        let metrics = [metric("size", MetricValue::Sample(3.0)), exponential("size", &[1, 2])];
        let handed = view(&mut series, &metrics, seconds);
        assert_eq!(handed.len(), 2, "the aggregator keeps two series");
        delivered(&exporter, handed).await;
    }
    assert_eq!(value(&exporter, "size_count", &[]), 8.0);
    assert_eq!(value(&exporter, "size_sum", &[]), 18.0);
    assert_eq!(value(&exporter, "size_bucket", &[("le", "+Inf")]), 8.0);
}

#[tokio::test]
async fn they_keep_the_bounds_that_both_have() {
    let exporter = pull();
    let explicit = Histogram {
        count: 3,
        sum: 9.0,
        bounds: [1.0, 3.0, 4.0].into(),
        counts: vec![1, 1, 1, 0],
        ..Histogram::default()
    };
    let mut explicit = metric("size", MetricValue::Histogram(Box::new(explicit)));
    explicit.temporality = Some(Temporality::Delta);
    delivered(&exporter, vec![explicit, exponential("size", &[1, 2, 4])]).await;
    assert_eq!(value(&exporter, "size_bucket", &[("le", "4.0")]), 6.0);
    assert_eq!(value(&exporter, "size_count", &[]), 10.0);
}

#[tokio::test]
async fn a_unit_that_says_nothing_and_none_are_added_up() {
    let (exporter, mut series) = (pull(), aggregator());
    let runs = || metric("runs", MetricValue::Add(1.0));
    for seconds in [20, 30] {
        let handed = view(&mut series, &[runs(), in_unit(runs(), ""), in_unit(runs(), " ")], seconds);
        assert_eq!(handed.len(), 3, "the aggregator keeps three series");
        delivered(&exporter, handed).await;
    }
    assert_eq!(value(&exporter, "runs_total", &[]), 6.0);
}

#[tokio::test]
async fn resources_whose_attributes_look_alike_as_text_are_added_up() {
    let (exporter, mut series) = (pull(), aggregator());
    let runs = || metric("runs", MetricValue::Add(1.0));
    let values = [Value::F64(f64::NAN), Value::from("NaN"), Value::Null];
    let handed = view(&mut series, &values.map(|value| of_attribute(runs(), value)), 20);
    assert_eq!(handed.len(), 3, "the aggregator keeps three series");
    delivered(&exporter, handed).await;
    assert_eq!(value(&exporter, "runs_total", &[]), 3.0);
}

fn explicit(name: &'static str, counts: &[u64]) -> Metric {
    let count = counts.iter().fold(0, |total: u64, count| total.saturating_add(*count));
    let bounds = [1.0, 2.0][..counts.len() - 1].into();
    let histogram = Histogram { count, bounds, counts: counts.to_vec(), ..Histogram::default() };
    delta(name, MetricValue::Histogram(Box::new(histogram)))
}

fn delta(name: &'static str, value: MetricValue) -> Metric {
    Metric { temporality: Some(Temporality::Delta), ..metric(name, value) }
}

#[tokio::test]
async fn a_histogram_is_taken_where_aggregation_takes_it_and_refused_in_its_words() {
    let explicit = |histogram| delta("size", MetricValue::Histogram(Box::new(histogram)));
    let of = |bounds: &[f64], counts: &[u64], sum| {
        let count = counts.iter().fold(0, |total: u64, count| total.wrapping_add(*count));
        explicit(Histogram {
            count,
            sum,
            bounds: bounds.into(),
            counts: counts.to_vec(),
            ..Histogram::default()
        })
    };
    let at_scale = |scale, offset, zero_threshold| {
        let positive = ExpBuckets { offset, counts: vec![1, 1] };
        let histogram = ExpHistogram { count: 2, scale, positive, zero_threshold, ..ExpHistogram::default() };
        delta("size", MetricValue::ExpHistogram(Box::new(histogram)))
    };
    let mut metrics = vec![
        of(&[1.0, 2.0], &[1, 2, 3], 4.0),
        of(&[1.0, f64::INFINITY], &[1, 2, 3], 4.0),
        of(&[f64::NEG_INFINITY, 1.0], &[1, 2, 3], 4.0),
        of(&[2.0, 1.0], &[1, 2, 3], 4.0),
        of(&[1.0], &[1, 2, 3], 4.0),
        of(&[1.0], &[u64::MAX, 1], 4.0),
        of(&[1.0], &[1, 2], f64::INFINITY),
        of(&[1.0], &[1, 2], f64::NAN),
        explicit(Histogram { count: 3, ..Histogram::default() }),
        at_scale(0, i32::MAX - 1, 0.0),
        at_scale(0, 0, f64::NAN),
        at_scale(0, 0, f64::INFINITY),
        at_scale(0, 0, -1.0),
    ];
    metrics.extend([-12, -11, -10, 20, 21, 25].map(|scale| at_scale(scale, -1, 0.0)));
    for metric in metrics {
        let said = aggregator().fold(&metric).err().map(|refusal| refusal.to_string());
        let receipt = export(&pull(), vec![metric.clone()]).await.unwrap();
        let reason = receipt.rejected.first().map(|rejection| rejection.reason.to_string());
        assert_eq!(reason, said, "{metric:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_added_is_refused_for_what_it_is() {
    let exporter = pull();
    for (first, second, said, shown) in [
        (explicit("a", &[u64::MAX]), explicit("a", &[1]), "more than a count", ("a_count", u64::MAX as f64)),
        (exponential("b", &[u64::MAX]), exponential("b", &[1]), "more than a count", ("b_sum", 6.0)),
        (
            metric("c", MetricValue::Sample(f64::MAX)),
            metric("c", MetricValue::Sample(f64::MAX)),
            "not finite",
            ("c_sum", f64::MAX),
        ),
        (
            metric("d", MetricValue::Add(f64::MAX)),
            metric("d", MetricValue::Add(f64::MAX)),
            "not finite",
            ("d_total", f64::MAX),
        ),
    ] {
        delivered(&exporter, vec![first]).await;
        let reason = refused(&exporter, second).await;
        assert!(reason.contains(said), "{reason}");
        assert_eq!(value(&exporter, shown.0, &[]), shown.1, "{}", shown.0);
    }
}

#[tokio::test]
async fn of_series_that_are_one_those_stay_out_whose_sum_is_none() {
    let of_scope = |scope: &'static str, counts: &[u64]| {
        let scope = Some(Scope { name: scope.into(), ..Scope::default() });
        Metric { resource: Resource { scope, ..Resource::default() }.into(), ..explicit("size", counts) }
    };
    let exporter = pull();
    delivered(&exporter, vec![of_scope("a", &[2, 1]), of_scope("b", &[u64::MAX]), of_scope("c", &[3, 4])])
        .await;
    assert_eq!(value(&exporter, "size_count", &[]), 10.0);
    assert_eq!(value(&exporter, "size_bucket", &[("le", "1.0")]), 5.0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// The name may be none, or taken; the numbers are always such that a page can show them.
    #[test]
    fn what_aggregation_shows_is_never_refused_for_its_numbers(
        batches in prop::collection::vec(arbitrary::batch(Signal::Metrics, 12), 1..4),
    ) {
        let mut series = aggregator();
        for batch in &batches {
            let Batch::Metrics(metrics) = batch else { panic!("no metrics") };
            // What aggregation refuses is in no view.
            let _ = metrics.iter().map(|metric| series.fold(metric)).filter(Result::is_err).count();
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for shown in series.view(at(20)).metrics {
            let receipt = runtime.block_on(export(&pull(), vec![shown.clone()])).unwrap();
            let reason = receipt.rejected.first().map(|rejection| rejection.reason.to_string());
            prop_assert!(
                reason.as_ref().is_none_or(|reason| reason.contains("name")),
                "{:?}: {:?}", reason, shown
            );
        }
    }
}
