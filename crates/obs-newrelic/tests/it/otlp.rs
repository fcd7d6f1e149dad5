//! OTLP as a receiver reads it.

use obs_core::Signal;
use obs_testkit::Captured;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

/// How many records a request carries, and of which signal.
pub(crate) fn count(request: &Captured) -> Option<(Signal, usize)> {
    match &*request.path {
        "/v1/traces" => Some((Signal::Traces, spans(request).len())),
        "/v1/metrics" => Some((Signal::Metrics, metrics(request).iter().map(points).sum())),
        "/v1/logs" => Some((Signal::Logs, logs(request).len())),
        _ => None,
    }
}

pub(crate) fn spans(request: &Captured) -> Vec<Span> {
    let request = ExportTraceServiceRequest::decode(&*request.body).unwrap();
    let groups = request.resource_spans.into_iter().flat_map(|group| group.scope_spans);
    groups.flat_map(|group| group.spans).collect()
}

pub(crate) fn metrics(request: &Captured) -> Vec<Metric> {
    let request = ExportMetricsServiceRequest::decode(&*request.body).unwrap();
    let groups = request.resource_metrics.into_iter().flat_map(|group| group.scope_metrics);
    groups.flat_map(|group| group.metrics).collect()
}

pub(crate) fn logs(request: &Captured) -> Vec<LogRecord> {
    let request = ExportLogsServiceRequest::decode(&*request.body).unwrap();
    let groups = request.resource_logs.into_iter().flat_map(|group| group.scope_logs);
    groups.flat_map(|group| group.log_records).collect()
}

/// The attributes of the first resource of a request with logs.
pub(crate) fn resource(request: &Captured) -> Vec<KeyValue> {
    let request = ExportLogsServiceRequest::decode(&*request.body).unwrap();
    request.resource_logs.into_iter().next().and_then(|group| group.resource).unwrap_or_default().attributes
}

fn points(metric: &Metric) -> usize {
    match metric.data.as_ref().unwrap() {
        Data::Gauge(of) => of.data_points.len(),
        Data::Sum(of) => of.data_points.len(),
        Data::Histogram(of) => of.data_points.len(),
        Data::ExponentialHistogram(of) => of.data_points.len(),
        Data::Summary(of) => of.data_points.len(),
    }
}

/// Bytes as hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}
