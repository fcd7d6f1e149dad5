//! Numbers, kinds and costs of measurements.

use obs_core::{Batch, Cost, Metric, MetricValue};
use obs_testkit::fixtures::at;
use serde_json::json;

use crate::server::{Sent, sent};

async fn one(value: MetricValue) -> Sent {
    sent(Batch::Metrics(vec![Metric::new(at(1), "m", value)].into())).await
}

#[tokio::test]
async fn a_number_below_zero_is_told_and_the_kind_with_it() {
    for (value, number, kind) in [
        (MetricValue::Add(1.0), 1.0, "counter"),
        (MetricValue::UpDown(-2.0), -2.0, "up_down_counter"),
        (MetricValue::Gauge(-5.0), -5.0, "gauge"),
        (MetricValue::Sample(0.125), 0.125, "histogram"),
        (MetricValue::Sum { value: 7.0, monotonic: true }, 7.0, "counter"),
        (MetricValue::Sum { value: -7.0, monotonic: false }, -7.0, "up_down_counter"),
    ] {
        let sent = one(value).await;
        assert_eq!(
            (&sent.item()["value"], &sent.item()["metadata"]["metricType"]),
            (&json!(number), &json!(kind))
        );
    }
}

#[tokio::test]
async fn what_is_no_number_is_refused_and_said() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let sent = one(MetricValue::Gauge(value)).await;
        assert_eq!((sent.receipt.rejected_count(), sent.items.len()), (1, 0));
        assert!(sent.receipt.rejected[0].reason.contains("no number in JSON"), "{:?}", sent.receipt);
    }
}

#[tokio::test]
async fn a_cost_is_mastra_s_cost_context_with_the_labels_model_and_provider() {
    let mut metric = Metric::new(at(1), "mastra_model_total_input_tokens", MetricValue::Add(1_169.0));
    metric.labels = [("provider", "openai"), ("model", "gpt-4o-mini")].into();
    metric.cost = Some(Box::new(Cost { partial: true, ..Cost::usd(0.004) }));
    let sent = sent(Batch::Metrics(vec![metric].into())).await;
    let wanted = json!({
        "provider": "openai", "model": "gpt-4o-mini", "estimatedCost": 0.004, "costUnit": "USD",
        "costMetadata": {"error": "partial_cost"},
    });
    assert_eq!(sent.item()["costContext"], wanted);
}

#[tokio::test]
async fn a_histogram_is_its_sum_and_all_of_it_stands_in_the_metadata() {
    let histogram = obs_core::Histogram {
        count: 3,
        sum: 1.5,
        bounds: [1.0].into(),
        counts: vec![2, 1],
        ..obs_core::Histogram::default()
    };
    let sent = one(MetricValue::Histogram(Box::new(histogram))).await;
    assert_eq!(sent.item()["value"], 1.5);
    let told = json!({"count": 3, "sum": 1.5, "bounds": [1.0], "counts": [2, 1]});
    assert_eq!(sent.item()["metadata"]["histogram"], told);
}
