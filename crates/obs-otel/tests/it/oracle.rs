//! Our requests beside those of `opentelemetry-otlp` for the same data, field by field.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use obs_core::{
    Attributes, Batch, Event, Histogram, Level, Link, Log, Metric, MetricValue, Resource, Scope, Span,
    SpanKind, SpanRecord, Status, Str, Temporality, Timestamp, Value,
};
use obs_testkit::CaptureServer;
use obs_testkit::fixtures::{at, span_id, trace_id};
use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{SpanContext, TraceState};
use opentelemetry::{Array, InstrumentationScope, KeyValue};
use opentelemetry_otlp::{LogExporter, SpanExporter, WithExportConfig};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogExporter as _, SdkLoggerProvider};
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanExporter as _, SpanLinks};

use crate::support::{Bench, Sent};

/// The resource that both sides have; obs adds nothing to one that says all of it.
const RESOURCE: [(&str, &str); 6] = [
    ("service.name", "shop"),
    ("service.instance.id", "1"),
    ("telemetry.sdk.name", "oracle"),
    ("deployment.environment", "test"),
    ("deployment.environment.name", "test"),
    ("host.name", "web-01"),
];

fn resource() -> Arc<Resource> {
    let attributes = RESOURCE.iter().map(|(key, value)| (*key, *value)).collect();
    let scope = Scope { name: "checkout".into(), version: Some("1.2".into()), attributes: Attributes::new() };
    Arc::new(Resource { attributes, scope: Some(scope) })
}

fn sdk_resource() -> opentelemetry_sdk::Resource {
    let attributes = RESOURCE.iter().map(|(key, value)| KeyValue::new(*key, *value));
    opentelemetry_sdk::Resource::builder_empty().with_attributes(attributes).build()
}

fn scope() -> InstrumentationScope {
    InstrumentationScope::builder("checkout").with_version("1.2").build()
}

fn attributes() -> Attributes {
    let list = Value::List(vec![Value::from("a"), Value::from("b")]);
    let pairs: [(&'static str, Value); 6] = [
        ("text", "naïve \"quoted\"".into()),
        ("yes", true.into()),
        ("count", (-42_i64).into()),
        ("ratio", 0.25.into()),
        ("list", list),
        ("empty", "".into()),
    ];
    pairs.into_iter().collect()
}

fn sdk_attributes(attributes: &Attributes) -> Vec<KeyValue> {
    let value = |value: &Value| match value {
        Value::Bool(value) => opentelemetry::Value::Bool(*value),
        Value::I64(value) => opentelemetry::Value::I64(*value),
        Value::F64(value) => opentelemetry::Value::F64(*value),
        Value::Str(text) => opentelemetry::Value::String(text.to_string().into()),
        Value::List(values) => {
            let texts = values.iter().map(|value| value.as_str().unwrap().to_owned().into());
            opentelemetry::Value::Array(Array::String(texts.collect()))
        }
        other => panic!("the SDK has no {other:?}"),
    };
    attributes.iter().map(|(key, of)| KeyValue::new(key.to_string(), value(of))).collect()
}

fn time(at: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(at.as_nanos())
}

/// Spans with all that both sides can hold.
fn spans() -> Vec<Span> {
    let of = |nth: u32, kind, status| {
        let mut span = Span::new(trace_id(1), span_id(nth), Str::from(format!("span {nth}")), at(nth.into()));
        (span.end, span.kind, span.status) = (Some(at(u64::from(nth) + 500)), kind, status);
        span.resource = resource();
        span
    };
    let mut whole = of(2, SpanKind::Client, Status::Error);
    whole.parent_span_id = Some(span_id(1));
    whole.attributes = attributes();
    whole.trace_state = Some("vendor=1,other=2".into());
    whole.events = vec![
        Event { time: at(3), name: "retry".into(), attributes: attributes() },
        Event { time: at(4), name: "gave up".into(), attributes: Attributes::new() },
    ];
    let link = |trace_state| Link {
        trace_id: trace_id(9),
        span_id: span_id(9),
        trace_state,
        attributes: attributes(),
    };
    whole.links = vec![link(None), link(Some("a=b".into()))];
    let mut remote = of(3, SpanKind::Server, Status::Ok);
    (remote.parent_span_id, remote.remote_parent) = (Some(span_id(77)), true);
    vec![
        of(1, SpanKind::Internal, Status::Unset),
        whole,
        remote,
        of(4, SpanKind::Producer, Status::Unset),
        of(5, SpanKind::Consumer, Status::Unset),
    ]
}

fn sdk_trace(id: obs_core::TraceId) -> opentelemetry::TraceId {
    opentelemetry::TraceId::from_bytes(id.to_bytes())
}

fn sdk_id(id: obs_core::SpanId) -> opentelemetry::SpanId {
    opentelemetry::SpanId::from_bytes(id.to_bytes())
}

fn context(trace: obs_core::TraceId, span: obs_core::SpanId, state: Option<&Str>) -> SpanContext {
    let state = state.map_or_else(TraceState::default, |state| state.parse().unwrap());
    let flags = opentelemetry::TraceFlags::SAMPLED;
    SpanContext::new(sdk_trace(trace), sdk_id(span), flags, false, state)
}

fn sdk_span(span: &Span) -> SpanData {
    let mut events = SpanEvents::default();
    events.events = span
        .events
        .iter()
        .map(|event| {
            let attributes = sdk_attributes(&event.attributes);
            opentelemetry::trace::Event::new(event.name.to_string(), time(event.time), attributes, 0)
        })
        .collect();
    let mut links = SpanLinks::default();
    links.links = span
        .links
        .iter()
        .map(|link| {
            let to = context(link.trace_id, link.span_id, link.trace_state.as_ref());
            opentelemetry::trace::Link::new(to, sdk_attributes(&link.attributes), 0)
        })
        .collect();
    let parent = span.parent_span_id.map_or(opentelemetry::SpanId::INVALID, sdk_id);
    SpanData {
        span_context: context(span.trace_id, span.span_id, span.trace_state.as_ref()),
        parent_span_id: parent,
        parent_span_is_remote: span.remote_parent,
        span_kind: match span.kind {
            SpanKind::Internal => opentelemetry::trace::SpanKind::Internal,
            SpanKind::Client => opentelemetry::trace::SpanKind::Client,
            SpanKind::Server => opentelemetry::trace::SpanKind::Server,
            SpanKind::Producer => opentelemetry::trace::SpanKind::Producer,
            SpanKind::Consumer => opentelemetry::trace::SpanKind::Consumer,
        },
        name: Cow::Owned(span.name.to_string()),
        start_time: time(span.start),
        end_time: time(span.end.unwrap()),
        attributes: sdk_attributes(&span.attributes),
        dropped_attributes_count: 0,
        events,
        links,
        status: match span.status {
            Status::Unset => opentelemetry::trace::Status::Unset,
            Status::Ok => opentelemetry::trace::Status::Ok,
            Status::Error => opentelemetry::trace::Status::error(""),
        },
        instrumentation_scope: scope(),
    }
}

#[tokio::test]
async fn spans_are_those_of_opentelemetry_otlp() {
    let server = CaptureServer::start().await;
    let endpoint = format!("{}/v1/traces", server.url());
    let mut exporter = SpanExporter::builder().with_http().with_endpoint(endpoint).build().unwrap();
    exporter.set_resource(&sdk_resource());
    exporter.export(spans().iter().map(sdk_span).collect()).await.unwrap();
    let theirs: Vec<_> = server.take_requests().iter().map(Sent::of).collect();
    let batch = Batch::Traces(spans().into_iter().map(SpanRecord::Ended).collect());
    let ours = Bench::start().await.sent(&batch).await;
    let (Sent::Traces(theirs), Sent::Traces(ours)) = (&theirs[0], &ours[0]) else { panic!("no spans") };
    let of = |request: &opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest| {
        request.resource_spans[0].clone()
    };
    let (theirs, ours) = (of(theirs), of(ours));
    assert_eq!(sorted(ours.resource), sorted(theirs.resource));
    assert_eq!(ours.scope_spans[0].scope, theirs.scope_spans[0].scope);
    assert_eq!(ours.scope_spans[0].spans.len(), 5);
    for (ours, theirs) in ours.scope_spans[0].spans.iter().zip(&theirs.scope_spans[0].spans) {
        // A status of which nothing is said is left out, which means the same.
        let mut ours = ours.clone();
        ours.status.get_or_insert_default();
        // A link of obs does not know whether the other span was sampled, which OTLP leaves open, too.
        let mut theirs = theirs.clone();
        theirs.links.iter_mut().for_each(|link| link.flags = 0);
        assert_eq!(ours, theirs, "{}", theirs.name);
    }
}

/// The SDK keeps a resource's attributes in no order.
fn sorted(
    resource: Option<opentelemetry_proto::tonic::resource::v1::Resource>,
) -> opentelemetry_proto::tonic::resource::v1::Resource {
    let mut resource = resource.unwrap();
    resource.attributes.sort_by(|one, other| one.key.cmp(&other.key));
    resource
}

fn logs() -> Vec<Log> {
    let levels = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Fatal];
    let mut logs: Vec<Log> = levels
        .into_iter()
        .map(|level| Log::new(at(7), level, Str::from(format!("at {}", level.as_str()))))
        .collect();
    logs[2].attributes = attributes();
    logs[3].span = Some(obs_core::SpanRef { trace_id: trace_id(1), span_id: Some(span_id(2)) });
    logs[4].event_name = Some("order.lost".into());
    for log in &mut logs {
        log.resource = resource();
    }
    logs
}

#[tokio::test]
async fn logs_are_those_of_opentelemetry_otlp() {
    let server = CaptureServer::start().await;
    let endpoint = format!("{}/v1/logs", server.url());
    let mut exporter = LogExporter::builder().with_http().with_endpoint(endpoint).build().unwrap();
    exporter.set_resource(&sdk_resource());
    let logger = SdkLoggerProvider::builder().build().logger("oracle");
    let (mut records, scope) = (Vec::new(), scope());
    for log in logs() {
        let mut record = logger.create_log_record();
        record.set_timestamp(time(log.time));
        record.set_observed_timestamp(time(log.time));
        let (severity, text) = match log.level {
            Level::Trace => (Severity::Trace, "TRACE"),
            Level::Debug => (Severity::Debug, "DEBUG"),
            Level::Info => (Severity::Info, "INFO"),
            Level::Warn => (Severity::Warn, "WARN"),
            Level::Error => (Severity::Error, "ERROR"),
            Level::Fatal => (Severity::Fatal, "FATAL"),
        };
        record.set_severity_number(severity);
        record.set_severity_text(text);
        record.set_body(AnyValue::String(log.message.to_string().into()));
        if log.event_name.is_some() {
            record.set_event_name("order.lost");
        }
        if let Some(span) = log.span {
            let flags = Some(opentelemetry::TraceFlags::SAMPLED);
            record.set_trace_context(sdk_trace(span.trace_id), sdk_id(span.span_id.unwrap()), flags);
        }
        for pair in sdk_attributes(&log.attributes) {
            let value = match pair.value {
                opentelemetry::Value::Bool(value) => AnyValue::Boolean(value),
                opentelemetry::Value::I64(value) => AnyValue::Int(value),
                opentelemetry::Value::F64(value) => AnyValue::Double(value),
                opentelemetry::Value::Array(Array::String(texts)) => {
                    AnyValue::ListAny(Box::new(texts.into_iter().map(AnyValue::String).collect()))
                }
                other => AnyValue::String(other.to_string().into()),
            };
            record.add_attribute(pair.key, value);
        }
        records.push(record);
    }
    let borrowed: Vec<_> = records.iter().map(|record| (record, &scope)).collect();
    exporter.export(LogBatch::new(&borrowed)).await.unwrap();
    let theirs: Vec<_> = server.take_requests().iter().map(Sent::of).collect();
    let ours = Bench::start().await.sent(&Batch::Logs(logs().into())).await;
    let (Sent::Logs(theirs), Sent::Logs(ours)) = (&theirs[0], &ours[0]) else { panic!("no logs") };
    let (theirs, ours) = (&theirs.resource_logs[0], &ours.resource_logs[0]);
    assert_eq!(sorted(ours.resource.clone()), sorted(theirs.resource.clone()));
    assert_eq!(ours.scope_logs[0].scope, theirs.scope_logs[0].scope);
    assert_eq!(ours.scope_logs[0].log_records.len(), 6);
    for (ours, theirs) in ours.scope_logs[0].log_records.iter().zip(&theirs.scope_logs[0].log_records) {
        assert_eq!(ours, theirs);
    }
}

/// Keeps what the SDK would send, in OTLP's form by the SDK's own transformation.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Option<ExportMetricsServiceRequest>>>);

impl PushMetricExporter for Kept {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        *self.0.lock().unwrap() = Some(ExportMetricsServiceRequest::from(metrics));
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> opentelemetry_sdk::metrics::Temporality {
        opentelemetry_sdk::metrics::Temporality::Cumulative
    }
}

const BOUNDS: [f64; 3] = [0.1, 1.0, 10.0];

/// What the SDK makes of measurements.
fn theirs() -> ExportMetricsServiceRequest {
    let kept = Kept::default();
    let reader = PeriodicReader::builder(kept.clone()).with_interval(Duration::from_hours(1)).build();
    let provider = SdkMeterProvider::builder().with_reader(reader).with_resource(sdk_resource()).build();
    let meter = provider.meter_with_scope(scope());
    let label = [KeyValue::new("model", "gpt-4o")];
    let counter = meter.f64_counter("runs").with_unit("{run}").with_description("Runs of agents").build();
    for _ in 0..3 {
        counter.add(1.0, &label);
    }
    let in_flight = meter.f64_up_down_counter("in_flight").build();
    in_flight.add(5.0, &label);
    in_flight.add(-2.0, &label);
    meter.f64_gauge("queue").with_unit("{item}").build().record(-7.5, &label);
    let duration = meter.f64_histogram("duration").with_unit("s").with_boundaries(BOUNDS.to_vec()).build();
    for sample in [0.1, 0.5, 2.0, 50.0] {
        duration.record(sample, &label);
    }
    provider.force_flush().unwrap();
    let request = kept.0.lock().unwrap().take();
    request.unwrap()
}

/// The same as series.
fn series() -> Vec<Metric> {
    let of = |name: &'static str, value, series: bool| {
        let mut metric = Metric::new(at(9), name, value);
        metric.labels = [("model", "gpt-4o")].into_iter().collect();
        metric.resource = resource();
        if series {
            (metric.start, metric.temporality) = (Some(at(1)), Some(Temporality::Cumulative));
        }
        metric
    };
    let mut runs = of("runs", MetricValue::Sum { value: 3.0, monotonic: true }, true);
    (runs.unit, runs.description) = (Some("{run}".into()), Some("Runs of agents".into()));
    let in_flight = of("in_flight", MetricValue::Sum { value: 3.0, monotonic: false }, true);
    let mut queue = of("queue", MetricValue::Gauge(-7.5), false);
    queue.unit = Some("{item}".into());
    let histogram = Histogram {
        count: 4,
        sum: 52.6,
        min: Some(0.1),
        max: Some(50.0),
        bounds: BOUNDS.to_vec().into(),
        counts: vec![1, 1, 1, 1],
        exemplars: Vec::new(),
    };
    let mut duration = of("duration", MetricValue::Histogram(Box::new(histogram)), true);
    duration.unit = Some("s".into());
    vec![runs, in_flight, queue, duration]
}

/// Without the times, which the SDK takes from its own clock.
fn timeless(
    mut request: ExportMetricsServiceRequest,
) -> Vec<opentelemetry_proto::tonic::metrics::v1::Metric> {
    let mut metrics = std::mem::take(&mut request.resource_metrics[0].scope_metrics[0].metrics);
    for metric in &mut metrics {
        match metric.data.as_mut().unwrap() {
            Data::Gauge(gauge) => gauge.data_points.iter_mut().for_each(|point| {
                assert!(point.time_unix_nano > 0);
                (point.start_time_unix_nano, point.time_unix_nano) = (0, 0);
            }),
            Data::Sum(sum) => sum.data_points.iter_mut().for_each(|point| {
                assert!(point.time_unix_nano > point.start_time_unix_nano && point.start_time_unix_nano > 0);
                (point.start_time_unix_nano, point.time_unix_nano) = (0, 0);
            }),
            Data::Histogram(histogram) => histogram.data_points.iter_mut().for_each(|point| {
                assert!(point.time_unix_nano > point.start_time_unix_nano && point.start_time_unix_nano > 0);
                (point.start_time_unix_nano, point.time_unix_nano) = (0, 0);
            }),
            other => panic!("nobody made {other:?}"),
        }
    }
    metrics.sort_by(|one, other| one.name.cmp(&other.name));
    metrics
}

#[tokio::test]
async fn metrics_are_those_of_opentelemetrys_sdk() {
    let theirs = tokio::task::spawn_blocking(theirs).await.unwrap();
    let ours = Bench::start().await.sent(&Batch::Metrics(series().into())).await;
    let Sent::Metrics(ours) = ours[0].clone() else { panic!("no metrics") };
    assert_eq!(
        sorted(ours.resource_metrics[0].resource.clone()),
        sorted(theirs.resource_metrics[0].resource.clone())
    );
    assert_eq!(
        ours.resource_metrics[0].scope_metrics[0].scope,
        theirs.resource_metrics[0].scope_metrics[0].scope
    );
    let (ours, theirs) = (timeless(ours), timeless(theirs));
    assert_eq!(ours.len(), 4);
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours, theirs, "{}", theirs.name);
    }
}
