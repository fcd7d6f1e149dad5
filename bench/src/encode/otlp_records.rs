//! OTLP logs and metric points: obs-otlp against `opentelemetry-proto`'s messages, which prost encodes.
//!
//! Both get the same records, and the bytes of both are the same.

use std::sync::Arc;

use obs_core::{
    Batch, Histogram, Level, Log, Metric, MetricValue, Resource, Scope, SpanId, SpanRef, Temporality,
    Timestamp, TraceContext, TraceId,
};
use obs_otlp::encode::{Encoding, LogParts, LogRequests, MetricRequests};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{
    self as wire, HistogramDataPoint, ResourceMetrics, ScopeMetrics, metric::Data,
};
use opentelemetry_proto::tonic::resource::v1::Resource as WireResource;
use prost::Message;

use super::records::{SCOPE, SERVICE, START, TRACE};
use super::{Contest, side};
use crate::table::Goal;

const MESSAGE: &str = "the tool answered";
const METRIC: &str = "gen_ai.client.operation.duration";
const BOUNDS: [f64; 14] =
    [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const LABELS: [(&str, &str); 4] = [
    ("gen_ai.operation.name", "chat"),
    ("gen_ai.provider.name", "anthropic"),
    ("gen_ai.request.model", "claude-sonnet-4-5"),
    ("server.address", "api.anthropic.com"),
];

/// Logs with three fields under a span.
pub(super) fn logs() -> Contest {
    assert!(our_logs(&log_batch(100)) == their_logs(&log_batch(100)), "the requests are the same");
    Contest {
        what: "OTLP logs to protobuf",
        sides: [
            side("encode.otlp-logs", log_batch, |batch| our_logs(batch).len()),
            side("prost.otlp-logs", log_batch, |batch| their_logs(batch).len()),
        ],
        goal: Goal::AtLeast(3.0),
    }
}

/// Points of a histogram with fourteen bounds and four labels.
pub(super) fn metrics() -> Contest {
    assert!(
        our_metrics(&metric_batch(100)) == their_metrics(&metric_batch(100)),
        "the requests are the same"
    );
    Contest {
        what: "OTLP histogram points to protobuf",
        sides: [
            side("encode.otlp-metrics", metric_batch, |batch| our_metrics(batch).len()),
            side("prost.otlp-metrics", metric_batch, |batch| their_metrics(batch).len()),
        ],
        goal: Goal::AtLeast(3.0),
    }
}

fn resource() -> Arc<Resource> {
    let mut resource = Resource::service(SERVICE);
    resource.scope = Some(Scope { name: SCOPE.into(), ..Scope::default() });
    Arc::new(resource)
}

fn log_batch(logs: usize) -> Batch {
    let (resource, context) = (resource(), Arc::new(TraceContext::default()));
    let log = |nth: usize| {
        let time = Timestamp::from_nanos(START + nth as u64);
        let mut log = Log::new_in(time, Level::Info, MESSAGE, Arc::clone(&context), Arc::clone(&resource));
        log.span =
            TraceId::new(TRACE).map(|trace_id| SpanRef { trace_id, span_id: SpanId::new(1 + nth as u64) });
        log.attributes.push("tool.name", "search");
        log.attributes.push("attempt", nth);
        log.attributes.push("score", 0.5);
        log
    };
    Batch::Logs((0..logs).map(log).collect::<Vec<_>>().into())
}

fn our_logs(batch: &Batch) -> Vec<u8> {
    let Batch::Logs(records) = batch else { return Vec::new() };
    let mut requests = LogRequests::new(Encoding::Protobuf, 512, 4 << 20).expecting(records.len());
    for (at, log) in records.iter().enumerate() {
        requests.push(at, &log.resource, &LogParts::of(log), |to| to.attributes(&log.attributes));
    }
    requests.finish().pop().map(|chunk| chunk.body).unwrap_or_default()
}

fn their_logs(batch: &Batch) -> Vec<u8> {
    let Batch::Logs(records) = batch else { return Vec::new() };
    let log_records = records.iter().map(log_record).collect();
    let scope_logs = vec![ScopeLogs { scope: Some(scope()), log_records, ..ScopeLogs::default() }];
    let resource_logs =
        vec![ResourceLogs { resource: Some(service()), scope_logs, ..ResourceLogs::default() }];
    ExportLogsServiceRequest { resource_logs }.encode_to_vec()
}

fn log_record(log: &Log) -> LogRecord {
    let attribute = |(key, value): (&obs_core::Str, &obs_core::Value)| {
        let value = match value {
            obs_core::Value::Str(text) => Value::StringValue(text.to_string()),
            obs_core::Value::I64(number) => Value::IntValue(*number),
            obs_core::Value::F64(number) => Value::DoubleValue(*number),
            other => Value::StringValue(format!("{other:?}")),
        };
        pair(key, value)
    };
    LogRecord {
        time_unix_nano: log.time.as_nanos(),
        observed_time_unix_nano: log.time.as_nanos(),
        severity_number: log.level.severity_number().into(),
        severity_text: log.level.as_str().to_uppercase(),
        body: Some(AnyValue { value: Some(Value::StringValue(log.message.to_string())) }),
        attributes: log.attributes.iter().map(attribute).collect(),
        flags: 1,
        trace_id: log.span.map(|span| span.trace_id.to_bytes().to_vec()).unwrap_or_default(),
        span_id: log.span.and_then(|span| span.span_id).map(|id| id.to_bytes().to_vec()).unwrap_or_default(),
        ..LogRecord::default()
    }
}

fn metric_batch(points: usize) -> Batch {
    let (resource, context, bounds) = (resource(), Arc::new(TraceContext::default()), Arc::from(BOUNDS));
    let point = |nth: usize| {
        let counts: Vec<u64> = (0..=BOUNDS.len()).map(|bucket| ((nth + bucket) % 7) as u64).collect();
        let histogram = Histogram {
            count: counts.iter().sum(),
            sum: nth as f64 * 0.5,
            bounds: Arc::clone(&bounds),
            counts,
            ..Histogram::default()
        };
        let value = MetricValue::Histogram(Box::new(histogram));
        let time = Timestamp::from_nanos(START + 60_000_000_000);
        let mut metric = Metric::new_in(time, METRIC, value, Arc::clone(&context), Arc::clone(&resource));
        metric.start = Some(Timestamp::from_nanos(START));
        metric.temporality = Some(Temporality::Cumulative);
        metric.unit = Some("s".into());
        metric.labels = LABELS.into();
        metric
    };
    Batch::Metrics((0..points).map(point).collect::<Vec<_>>().into())
}

fn our_metrics(batch: &Batch) -> Vec<u8> {
    let Batch::Metrics(records) = batch else { return Vec::new() };
    let mut requests = MetricRequests::new(Encoding::Protobuf, 512, 4 << 20).expecting(records.len());
    for (at, metric) in records.iter().enumerate() {
        if let Err(refused) = requests.push(at, metric) {
            unreachable!("every point is valid: {refused}");
        }
    }
    requests.finish().pop().map(|chunk| chunk.body).unwrap_or_default()
}

fn their_metrics(batch: &Batch) -> Vec<u8> {
    let Batch::Metrics(records) = batch else { return Vec::new() };
    let histogram = wire::Histogram {
        data_points: records.iter().map(data_point).collect(),
        aggregation_temporality: wire::AggregationTemporality::Cumulative.into(),
    };
    let metric = wire::Metric {
        name: METRIC.to_owned(),
        unit: "s".to_owned(),
        data: Some(Data::Histogram(histogram)),
        ..wire::Metric::default()
    };
    let scope_metrics =
        vec![ScopeMetrics { scope: Some(scope()), metrics: vec![metric], ..ScopeMetrics::default() }];
    let resource_metrics =
        vec![ResourceMetrics { resource: Some(service()), scope_metrics, ..ResourceMetrics::default() }];
    ExportMetricsServiceRequest { resource_metrics }.encode_to_vec()
}

fn data_point(metric: &Metric) -> HistogramDataPoint {
    let MetricValue::Histogram(histogram) = &metric.value else { return HistogramDataPoint::default() };
    let label =
        |(key, value): &(obs_core::Str, obs_core::Str)| pair(key, Value::StringValue(value.to_string()));
    HistogramDataPoint {
        attributes: metric.labels.iter().map(label).collect(),
        start_time_unix_nano: metric.start.map(Timestamp::as_nanos).unwrap_or_default(),
        time_unix_nano: metric.time.as_nanos(),
        count: histogram.count,
        sum: Some(histogram.sum),
        bucket_counts: histogram.counts.clone(),
        explicit_bounds: histogram.bounds.to_vec(),
        ..HistogramDataPoint::default()
    }
}

fn pair(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn service() -> WireResource {
    let attributes = vec![pair("service.name", Value::StringValue(SERVICE.to_owned()))];
    WireResource { attributes, ..WireResource::default() }
}

fn scope() -> InstrumentationScope {
    InstrumentationScope { name: SCOPE.to_owned(), ..InstrumentationScope::default() }
}
