//! The page against the records, by a table that shares nothing with the exporter.

use obs_core::{Batch, Exporter, Metric, MetricValue, Signal};
use obs_prometheus::PrometheusConfig;
use obs_testkit::fixtures::batch;

use crate::bench::{exporter, page};
use crate::checker;

/// A number of a record.
type Read = fn(&Metric) -> f64;

/// The metric, the sample that shows it, its `le`, and the number that it must be.
const FIELDS: &[(&str, &str, Option<&str>, Read)] = &[
    ("requests", "requests_total", None, number),
    ("tokens.input", "tokens_input_total", None, number),
    ("queue.size", "queue_size", None, number),
    ("temperature", "temperature_celsius", None, number),
    ("latency", "latency_seconds_count", None, |_| 1.0),
    ("latency", "latency_seconds_sum", None, number),
    ("latency", "latency_seconds_bucket", Some("0.08"), |_| 0.0),
    ("latency", "latency_seconds_bucket", Some("0.16"), |_| 1.0),
    ("requests.total", "requests_seconds_total", None, number),
    ("balance", "balance_seconds", None, number),
    ("latency.explicit", "latency_explicit_seconds_count", None, count),
    ("latency.explicit", "latency_explicit_seconds_sum", None, number),
    ("latency.explicit", "latency_explicit_seconds_bucket", Some("0.5"), |_| 3.0),
    ("latency.exponential", "latency_exponential_seconds_count", None, count),
    ("latency.exponential", "latency_exponential_seconds_sum", None, number),
    ("latency.exponential", "latency_exponential_seconds_bucket", Some("-1.0"), |_| 2.0),
    ("latency.exponential", "latency_exponential_seconds_bucket", Some("1.0"), |_| 5.0),
    ("latency.exponential", "latency_exponential_seconds_bucket", Some("+Inf"), count),
];

fn number(metric: &Metric) -> f64 {
    match &metric.value {
        MetricValue::Add(value)
        | MetricValue::UpDown(value)
        | MetricValue::Gauge(value)
        | MetricValue::Sample(value)
        | MetricValue::Sum { value, .. } => *value,
        MetricValue::Histogram(histogram) => histogram.sum,
        MetricValue::ExpHistogram(histogram) => histogram.sum,
    }
}

fn count(metric: &Metric) -> f64 {
    match &metric.value {
        MetricValue::Histogram(histogram) => histogram.count as f64,
        MetricValue::ExpHistogram(histogram) => histogram.count as f64,
        _ => f64::NAN,
    }
}

#[tokio::test]
async fn every_fixture_is_read_back_from_the_page() {
    let exporter = exporter(PrometheusConfig::pull());
    let fixtures = batch(Signal::Metrics);
    let receipt = exporter.export(&fixtures).await.unwrap();
    assert_eq!(receipt.delivered, fixtures.len());
    let page = page(&exporter);
    let Batch::Metrics(metrics) = &fixtures else { panic!("no metrics") };
    for metric in metrics.iter() {
        assert!(FIELDS.iter().any(|(name, ..)| *name == metric.name.as_str()), "{} has no row", metric.name);
    }
    for (name, sample, le, read) in FIELDS {
        let metric = metrics.iter().find(|metric| metric.name.as_str() == *name).unwrap();
        let mut labels: Vec<(&str, &str)> =
            metric.labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        labels.extend(metric.resource.service_name().map(|name| ("service_name", name)));
        labels.extend(le.map(|le| ("le", le)));
        assert_eq!(checker::value(&page, sample, &labels), read(metric), "{sample}");
    }
}
