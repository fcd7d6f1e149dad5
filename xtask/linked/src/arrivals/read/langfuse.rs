//! Langfuse: spans and logs by OTLP, judgements as JSON.

use anyhow::{Context, Result, bail};
use obs_core::Signal;
use obs_testkit::Captured;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::Value;

use super::otlp::{hex, spans};
use crate::arrivals::place::{Arrival, Carrier};

pub(in crate::arrivals) fn request(request: &Captured) -> Result<Carrier> {
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/api/public/otel/v1/traces") => Ok(spans(&request.body)?.iter().map(observation).collect()),
        ("POST", "/api/public/scores") => Ok(vec![score(&request.json().context("no JSON")?)?]),
        ("GET", "/api/public/projects") => Ok(Vec::new()),
        _ => bail!("not of the API"),
    }
}

/// A log is an observation below the span it was made in.
fn observation(span: &Span) -> Arrival {
    let kind = span.attributes.iter().find(|pair| pair.key == "langfuse.observation.type");
    let kind = kind.and_then(|pair| pair.value.as_ref()?.value.as_ref());
    let event = matches!(kind, Some(Any::StringValue(kind)) if kind == "event");
    let (signal, id) =
        if event { (Signal::Logs, &span.parent_span_id) } else { (Signal::Traces, &span.span_id) };
    Arrival::new(signal, Some(&hex(&span.trace_id)), Some(&hex(id)))
}

fn score(score: &Value) -> Result<Arrival> {
    let signal = super::judgement(score["name"].as_str().unwrap_or_default())?;
    Ok(Arrival::new(signal, score["traceId"].as_str(), score["observationId"].as_str()))
}
