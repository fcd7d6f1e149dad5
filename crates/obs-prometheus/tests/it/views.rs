//! What an aggregator keeps apart stays apart in the table, and on the page nothing of it is missing.

use obs_aggregate::{AggregateConfig, Aggregator};
use obs_core::{
    ExpBuckets, ExpHistogram, Histogram, Metric, MetricValue, Resource, Str, Temporality, Timestamp, Value,
};

use crate::bench::{at, delivered, metric, pull, value};

/// The aggregator of a lane whose destination keeps totals.
fn aggregator() -> Aggregator {
    Aggregator::new(AggregateConfig::new(Temporality::Cumulative, Timestamp::default()))
}

/// What the lane hands over at a time, once these have come.
fn view(series: &mut Aggregator, metrics: Vec<Metric>, seconds: u64) -> Vec<Metric> {
    for metric in &metrics {
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
        let metrics = vec![metric("size", MetricValue::Sample(3.0)), exponential("size", &[1, 2])];
        let handed = view(&mut series, metrics, seconds);
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
        let handed = view(&mut series, vec![runs(), in_unit(runs(), ""), in_unit(runs(), " ")], seconds);
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
    let handed = view(&mut series, values.map(|value| of_attribute(runs(), value)).into(), 20);
    assert_eq!(handed.len(), 3, "the aggregator keeps three series");
    delivered(&exporter, handed).await;
    assert_eq!(value(&exporter, "runs_total", &[]), 3.0);
}
