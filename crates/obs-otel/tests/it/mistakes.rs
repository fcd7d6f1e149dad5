//! The mistakes in metrics that other exporters make, where they show on the wire.

use obs_aggregate::{AggregateConfig, Aggregator};
use obs_core::{Batch, Metric, MetricValue, Temporality};
use obs_testkit::fixtures::at;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{AggregationTemporality, Metric as Sent, number_data_point};

use crate::support::{Bench, Sent as Request, attribute};

/// What reaches the wire of these measurements, folded as the pipeline folds them.
async fn sent(temporality: Temporality, measured: &[MetricValue]) -> Vec<Sent> {
    let mut series = Aggregator::new(AggregateConfig::new(temporality, at(0)));
    for (nth, value) in measured.iter().enumerate() {
        let mut metric = Metric::new(at(nth as u64 + 1), "runs", value.clone());
        metric.unit = Some("{run}".into());
        metric.labels = [("agent", "support")].into_iter().collect();
        series.fold(&metric).unwrap();
    }
    let view = series.view(at(1_000));
    let bench = Bench::start().await;
    let requests = bench.sent(&Batch::Metrics(view.metrics.into())).await;
    assert_eq!(requests.len(), 1, "mistake 6: one request for all");
    let Request::Metrics(request) = &requests[0] else { panic!("no metrics") };
    // Mistake 11: a metric stands within its scope, and that within its resource.
    let resource = &request.resource_metrics[0];
    assert!(attribute(&resource.resource.as_ref().unwrap().attributes, "service.name").is_some());
    assert_eq!(resource.scope_metrics[0].scope.as_ref().unwrap().name, "obs");
    resource.scope_metrics[0].metrics.clone()
}

#[tokio::test]
async fn a_counter_is_a_monotonic_sum_with_a_temporality_a_start_and_its_unit() {
    for (temporality, wire) in [
        (Temporality::Cumulative, AggregationTemporality::Cumulative),
        (Temporality::Delta, AggregationTemporality::Delta),
    ] {
        let metrics =
            sent(temporality, &[MetricValue::Add(1.0), MetricValue::Add(1.0), MetricValue::Add(1.0)]).await;
        assert_eq!((metrics.len(), &*metrics[0].unit), (1, "{run}"), "mistake 8");
        let Some(Data::Sum(sum)) = &metrics[0].data else { panic!("mistake 1: {:?}", metrics[0].data) };
        assert_eq!(sum.aggregation_temporality(), wire, "mistake 2");
        assert!(sum.is_monotonic, "mistake 3");
        let point = &sum.data_points[0];
        assert_eq!(sum.data_points.len(), 1);
        assert_eq!(
            point.value,
            Some(number_data_point::Value::AsDouble(3.0)),
            "mistake 7: increments are summed"
        );
        assert!(point.start_time_unix_nano >= at(0).as_nanos(), "mistake 5");
        assert_eq!(point.time_unix_nano, at(1_000).as_nanos(), "mistake 9: whole nanoseconds");
    }
}

#[tokio::test]
async fn a_histogram_has_its_count_and_buckets_that_add_up() {
    let metrics = sent(Temporality::Cumulative, &[MetricValue::Sample(3.0), MetricValue::Sample(70.0)]).await;
    let Some(Data::Histogram(histogram)) = &metrics[0].data else { panic!("{:?}", metrics[0].data) };
    assert_eq!(histogram.aggregation_temporality(), AggregationTemporality::Cumulative, "mistake 2");
    let point = &histogram.data_points[0];
    assert_eq!((point.count, point.sum), (2, Some(73.0)), "mistake 4");
    assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
    assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
}

#[tokio::test]
async fn a_metric_without_a_form_in_otlp_is_refused_and_sinks_no_other() {
    let bench = Bench::start().await;
    let good = Metric::new(at(1), "queue", MetricValue::Gauge(-1.0));
    let bad = Metric::new(at(1), "runs", MetricValue::Add(f64::NAN));
    let receipt = bench.export(&Batch::Metrics([bad, good].into_iter().collect())).await.unwrap();
    assert_eq!((receipt.delivered, receipt.rejected_count()), (1, 1));
    assert!(receipt.rejected[0].reason.contains("must be finite"), "{}", receipt.rejected[0].reason);
}
