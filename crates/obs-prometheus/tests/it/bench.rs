//! What the tests share.

use obs_core::{
    Batch, Error, Exemplar, Exporter, Metric, MetricValue, Receipt, Resource, SpanRef, Temporality, Timestamp,
};
use obs_prometheus::{PrometheusConfig, PrometheusExporter};

use crate::checker::{self, Families};

/// What asks for OpenMetrics.
pub(crate) const OPEN: &str = "application/openmetrics-text;version=1.0.0";
/// The same with names of any characters.
pub(crate) const OPEN_UTF8: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8";

pub(crate) fn exporter(config: PrometheusConfig) -> PrometheusExporter {
    PrometheusExporter::new(config).unwrap()
}

pub(crate) fn pull() -> PrometheusExporter {
    exporter(PrometheusConfig::pull())
}

pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_nanos(seconds * 1_000_000_000)
}

pub(crate) fn metric(name: &'static str, value: MetricValue) -> Metric {
    Metric::new(at(10), name, value)
}

/// A cumulative point of a counter at a time.
pub(crate) fn total(name: &'static str, seconds: u64, value: f64) -> Metric {
    let mut metric = Metric::new(at(seconds), name, MetricValue::Sum { value, monotonic: true });
    metric.temporality = Some(Temporality::Cumulative);
    metric
}

pub(crate) fn of_service(mut metric: Metric, service: &'static str) -> Metric {
    metric.resource = Resource::service(service).into();
    metric
}

pub(crate) fn exemplar(value: Option<f64>) -> Exemplar {
    let trace_id = "0af7651916cd43dd8448eb211c80319c".parse().unwrap();
    let span = SpanRef { trace_id, span_id: Some("00f067aa0ba902b7".parse().unwrap()) };
    Exemplar { span, value, time: Some(at(5)) }
}

pub(crate) async fn export(exporter: &PrometheusExporter, metrics: Vec<Metric>) -> Result<Receipt, Error> {
    let batch = Batch::Metrics(metrics.into());
    let outcome = exporter.export(&batch).await;
    obs_testkit::conformance::assert_conserved(&batch, &outcome);
    outcome
}

/// Exports what all must be delivered.
pub(crate) async fn delivered(exporter: &PrometheusExporter, metrics: Vec<Metric>) {
    let receipt = export(exporter, metrics).await.unwrap();
    assert_eq!(receipt.rejected, [], "something was rejected");
}

/// Exports one metric that must be rejected, and says why it was.
pub(crate) async fn refused(exporter: &PrometheusExporter, metric: Metric) -> String {
    let receipt = export(exporter, vec![metric]).await.unwrap();
    assert_eq!((receipt.delivered, receipt.rejected.len()), (0, 1));
    receipt.rejected[0].reason.to_string()
}

/// The page in text 0.0.4, read.
pub(crate) fn page(exporter: &PrometheusExporter) -> Families {
    let text = exporter.render("").body;
    checker::read(&text, false).unwrap_or_else(|why| panic!("{why}\n{text}"))
}

/// The page in OpenMetrics, read.
pub(crate) fn open_page(exporter: &PrometheusExporter, accept: &str) -> Families {
    let rendered = exporter.render(accept);
    assert!(rendered.content_type.starts_with("application/openmetrics-text"));
    checker::read(&rendered.body, true).unwrap_or_else(|why| panic!("{why}\n{}", rendered.body))
}

/// The one sample of a name with these labels.
pub(crate) fn value(exporter: &PrometheusExporter, name: &str, labels: &[(&str, &str)]) -> f64 {
    checker::value(&page(exporter), name, labels)
}
