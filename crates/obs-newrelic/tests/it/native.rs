//! The Metric API, point by point.

use std::sync::Arc;

use obs_core::{Batch, ErrorKind, Histogram, Metric, MetricValue, Resource, Temporality};
use serde_json::json;

use crate::support::{Bench, at};

fn point(name: &'static str, value: MetricValue) -> Metric {
    let mut metric = Metric::new(at(10_000), name, value);
    (metric.start, metric.temporality) = (Some(at(0)), Some(Temporality::Delta));
    metric.labels = [("model", "m"), ("count", "own"), (name, "same")].into();
    metric.resource = Arc::new(Resource::service("shop"));
    metric
}

fn histogram() -> Histogram {
    Histogram {
        count: 3,
        sum: 6.0,
        min: Some(1.0),
        max: Some(3.0),
        bounds: [2.0].into(),
        counts: vec![2, 1],
        ..Histogram::default()
    }
}

#[tokio::test]
async fn a_point_has_its_kind_its_window_and_names_that_clash_with_nothing() {
    let bench = Bench::native().await;
    let points = bench
        .points(&Batch::Metrics(
            vec![
                point("calls", MetricValue::Sum { value: 3.0, monotonic: true }),
                point("heat", MetricValue::Gauge(1.5)),
                point("time", MetricValue::Histogram(Box::new(histogram()))),
            ]
            .into(),
        ))
        .await;
    let start = at(0).as_millis();
    let attributes =
        |name: &str| json!({ "model": "m", "label.count": "own", format!("label.{name}"): "same" });
    let seen = |nth: usize, name: &str| {
        let mut seen = points[nth].clone();
        assert_eq!(seen["common"]["service.name"], "shop");
        assert_eq!(seen["attributes"], attributes(name));
        for part in ["common", "attributes"] {
            seen.as_object_mut().unwrap().remove(part);
        }
        seen
    };
    assert_eq!(
        seen(0, "calls"),
        json!({ "name": "calls", "type": "count", "value": 3.0, "timestamp": start, "interval.ms": 10_000 })
    );
    assert_eq!(
        seen(1, "heat"),
        json!({ "name": "heat", "type": "gauge", "value": 1.5, "timestamp": start + 10_000 })
    );
    let summary = json!({ "count": 3, "sum": 6.0, "min": 1.0, "max": 3.0 });
    assert_eq!(
        seen(2, "time"),
        json!({ "name": "time", "type": "summary", "value": summary, "timestamp": start, "interval.ms": 10_000 })
    );
}

#[tokio::test]
async fn a_point_without_a_form_is_rejected_with_the_reason_and_sinks_no_other() {
    let bench = Bench::native().await;
    let mut total = point("total", MetricValue::Sum { value: 3.0, monotonic: true });
    total.temporality = Some(Temporality::Cumulative);
    let batch = Batch::Metrics(
        vec![
            point("heat", MetricValue::Gauge(1.5)),
            total,
            point("nan", MetricValue::Gauge(f64::NAN)),
            point("calls", MetricValue::Add(1.0)),
        ]
        .into(),
    );
    let receipt = bench.export(&batch).await.unwrap();
    assert_eq!((receipt.delivered, receipt.rejected_count()), (2, 2));
    assert!(receipt.rejected.iter().all(|rejection| rejection.kind == ErrorKind::Encode));
    assert!(receipt.rejected[0].reason.contains("metrics_api = \"otlp\""));
}

#[tokio::test]
async fn points_of_several_resources_stand_in_blocks_of_one_request() {
    let bench = Bench::native().await;
    let metrics: Vec<_> = ["a", "b", "a"]
        .into_iter()
        .map(|service| {
            let mut metric = point("heat", MetricValue::Gauge(1.0));
            metric.resource = Arc::new(Resource::service(service));
            metric
        })
        .collect();
    bench.export(&Batch::Metrics(metrics.into())).await.unwrap();
    let requests = bench.server.take_requests();
    assert_eq!(requests.len(), 1);
    let services: Vec<_> = crate::support::points(&requests[0])
        .iter()
        .map(|point| point["common"]["service.name"].clone())
        .collect();
    assert_eq!(services, ["a", "b", "a"]);
}

#[tokio::test]
async fn an_attribute_of_the_resource_that_a_metric_is_called_as_stands_behind_a_prefix() {
    let bench = Bench::native().await;
    let points = bench
        .points(&Batch::Metrics(
            ["service.name", "heat"].map(|name| point(name, MetricValue::Gauge(1.0))).to_vec().into(),
        ))
        .await;
    assert_eq!(points[0]["common"]["resource.service.name"], "shop");
    assert_eq!(points[1]["common"]["service.name"], "shop");
}

#[tokio::test]
async fn no_attribute_is_called_as_the_metric_whatever_it_is_of() {
    let bench = Bench::native().await;
    for name in ["unit", "description", "label.count"] {
        let mut metric = Metric::new(at(1), name, MetricValue::Gauge(1.0));
        (metric.unit, metric.description) = (Some("ms".into()), Some("how long".into()));
        metric.labels = [("count", "c")].into();
        let points = bench.points(&Batch::Metrics(vec![metric].into())).await;
        let own = points[0]["attributes"].as_object().unwrap();
        assert!(!own.contains_key(name), "{own:?}");
        let told = own.values().map(ToString::to_string).collect::<String>();
        assert!(
            ["ms", "how long", "c"].iter().all(|text| told.contains(text)),
            "nothing is left out: {told}"
        );
    }
}
