//! OTLP over HTTP in protobuf, by OpenTelemetry's own messages.

use std::fmt::Write as _;

use anyhow::{Context, Result, bail};
use obs_core::Signal;
use obs_testkit::Captured;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{Exemplar, Metric};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use crate::arrivals::place::{Arrival, Carrier};

/// A request to a receiver of all signals.
pub(in crate::arrivals) fn request(request: &Captured) -> Result<Carrier> {
    match request.path.as_str() {
        path if path.ends_with("/v1/traces") => Ok(spans(&request.body)?
            .iter()
            .map(|span| of(Signal::Traces, &span.trace_id, &span.span_id))
            .collect()),
        path if path.ends_with("/v1/logs") => logs(&request.body),
        path if path.ends_with("/v1/metrics") => metrics(&request.body),
        _ => bail!("not of OTLP"),
    }
}

pub(super) fn spans(body: &[u8]) -> Result<Vec<Span>> {
    let export = ExportTraceServiceRequest::decode(body).context("no OTLP")?;
    let scopes = export.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
    Ok(scopes.flat_map(|scope| scope.spans).collect())
}

/// Logs, among which scores and feedback are events.
fn logs(body: &[u8]) -> Result<Carrier> {
    let export = ExportLogsServiceRequest::decode(body).context("no OTLP")?;
    let scopes = export.resource_logs.into_iter().flat_map(|resource| resource.scope_logs);
    let logs = scopes.flat_map(|scope| scope.log_records);
    logs.map(|log| Ok(of(signal(&log)?, &log.trace_id, &log.span_id))).collect()
}

fn signal(log: &LogRecord) -> Result<Signal> {
    if log.event_name != "gen_ai.evaluation.result" {
        return Ok(Signal::Logs);
    }
    let name = log.attributes.iter().find(|pair| pair.key == "gen_ai.evaluation.name");
    match name.and_then(|pair| pair.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(name)) => super::judgement(name),
        _ => bail!("an evaluation without its name"),
    }
}

fn metrics(body: &[u8]) -> Result<Carrier> {
    let export = ExportMetricsServiceRequest::decode(body).context("no OTLP")?;
    let scopes = export.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
    let exemplars = scopes.flat_map(|scope| &scope.metrics).flat_map(exemplars);
    Ok(exemplars
        .map(|exemplar| {
            exemplar.map_or_else(
                || Arrival::new(Signal::Metrics, None, None),
                |exemplar| of(Signal::Metrics, &exemplar.trace_id, &exemplar.span_id),
            )
        })
        .collect())
}

/// The first exemplar of each point.
fn exemplars(metric: &Metric) -> Vec<Option<&Exemplar>> {
    match &metric.data {
        Some(Data::Gauge(data)) => data.data_points.iter().map(|point| point.exemplars.first()).collect(),
        Some(Data::Sum(data)) => data.data_points.iter().map(|point| point.exemplars.first()).collect(),
        Some(Data::Histogram(data)) => data.data_points.iter().map(|point| point.exemplars.first()).collect(),
        Some(Data::ExponentialHistogram(data)) => {
            data.data_points.iter().map(|point| point.exemplars.first()).collect()
        }
        Some(Data::Summary(data)) => data.data_points.iter().map(|_| None).collect(),
        None => Vec::new(),
    }
}

fn of(signal: Signal, trace: &[u8], span: &[u8]) -> Arrival {
    Arrival::new(signal, Some(&hex(trace)), Some(&hex(span)))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
