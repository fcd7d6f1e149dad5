//! Langfuse: OTLP by `opentelemetry-proto`, scores as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use obs_core::Timestamp;
use obs_testkit::Captured;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::{Value, json};

use super::{Decoded, place};
use crate::platform::langfuse::{item, score};

pub(super) fn decode(requests: &[Captured]) -> Decoded {
    let mut decoded = Decoded::default();
    for request in requests {
        let basic = request.header("authorization").is_some_and(|value| value.starts_with("Basic "));
        if !basic {
            decoded.faults.push(format!("{}: no Basic authorization", place(request)));
        }
        let read = match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/api/public/otel/v1/traces") => spans(request, &mut decoded),
            ("POST", "/api/public/scores") => scores(request, &mut decoded),
            ("GET", "/api/public/projects" | "/api/public/health") => Ok(()),
            _ => Err("not of the API".to_owned()),
        };
        decoded.faults.extend(read.err().map(|fault| format!("{}: {fault}", place(request))));
    }
    decoded
}

fn spans(request: &Captured, decoded: &mut Decoded) -> Result<(), String> {
    if request.header("x-langfuse-ingestion-version") != Some("4") {
        return Err("x-langfuse-ingestion-version is not 4".into());
    }
    let kind = request.header("content-type").unwrap_or_default();
    let export = if kind.contains("application/x-protobuf") {
        ExportTraceServiceRequest::decode(&*request.body).map_err(|cause| cause.to_string())?
    } else {
        serde_json::from_slice(&request.body).map_err(|cause| cause.to_string())?
    };
    let scopes = export.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
    for span in scopes.flat_map(|scope| &scope.spans) {
        let zero = |id: &[u8]| id.iter().all(|byte| *byte == 0);
        if span.trace_id.len() != 16 || span.span_id.len() != 8 || zero(&span.trace_id) || zero(&span.span_id)
        {
            decoded.faults.push(format!("span `{}` has no valid ids", span.name));
        }
        if !span.parent_span_id.is_empty() && zero(&span.parent_span_id) {
            decoded
                .faults
                .push(format!("span `{}` has a parent of zeros, which is no root there", span.name));
        }
        if span.end_time_unix_nano < span.start_time_unix_nano {
            decoded.faults.push(format!("span `{}` ends before it begins", span.name));
        }
        decoded.items.push(item(&observation(span)));
    }
    Ok(())
}

/// The span in the words of the API that reads, by the rules by which the server takes it.
fn observation(span: &Span) -> Value {
    let attributes: BTreeMap<_, _> = span
        .attributes
        .iter()
        .map(|pair| (pair.key.as_str(), text(pair.value.as_ref().and_then(|v| v.value.as_ref()))))
        .collect();
    let attribute = |name: &str| attributes.get(name).cloned().flatten();
    let own = |name: &str| attribute(&format!("langfuse.observation.{name}"));
    let document = |name: &str| own(name).and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let failed = span.status.as_ref().is_some_and(|status| status.code == 2);
    let level = own("level").unwrap_or_else(|| if failed { "ERROR" } else { "DEFAULT" }.to_owned());
    json!({
        "id": hex(&span.span_id),
        "traceId": hex(&span.trace_id),
        "parentObservationId": (!span.parent_span_id.is_empty()).then(|| hex(&span.parent_span_id)),
        "type": own("type"),
        "name": span.name,
        "level": alias(&level),
        "input": own("input"),
        "startTime": Timestamp::from_nanos(span.start_time_unix_nano).rfc3339().to_string(),
        "endTime": Timestamp::from_nanos(span.end_time_unix_nano).rfc3339().to_string(),
        "completionStartTime": own("completion_start_time"),
        "userId": attribute("langfuse.user.id").or_else(|| attribute("user.id")),
        "usageDetails": document("usage_details"),
        "costDetails": document("cost_details"),
    })
}

/// What the server reads the words for levels as.
fn alias(level: &str) -> &'static str {
    match level.trim().to_ascii_uppercase().as_str() {
        "DEBUG" | "TRACE" | "VERBOSE" => "DEBUG",
        "WARN" | "WARNING" => "WARNING",
        "ERROR" | "FATAL" | "CRITICAL" => "ERROR",
        _ => "DEFAULT",
    }
}

fn text(value: Option<&Any>) -> Option<String> {
    match value {
        Some(Any::StringValue(text)) => Some(text.clone()),
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// One score, or a list of them where the account takes lists.
fn scores(request: &Captured, decoded: &mut Decoded) -> Result<(), String> {
    let body = request.json().ok_or("no JSON")?;
    for body in body.as_array().unwrap_or(&vec![body.clone()]) {
        let targets = ["traceId", "sessionId", "datasetRunId"].map(|name| &body[name]);
        if targets.iter().filter(|target| !target.is_null()).count() != 1 {
            decoded.faults.push(format!("score {}: not exactly one target", body["id"]));
        }
        let subject = match (&body["observationId"], targets) {
            (Value::Null, [Value::Null, Value::Null, run]) => json!({ "kind": "experiment", "id": run }),
            (Value::Null, [Value::Null, session, _]) => json!({ "kind": "session", "id": session }),
            (Value::Null, [trace, ..]) => json!({ "kind": "trace", "id": trace }),
            (observation, [trace, ..]) => {
                json!({ "kind": "observation", "id": observation, "traceId": trace })
            }
        };
        let words = matches!(body["dataType"].as_str(), Some("CATEGORICAL" | "TEXT" | "CORRECTION"));
        if body["value"].is_string() != words || body["value"].is_boolean() || body["timestamp"].is_null() {
            decoded
                .faults
                .push(format!("score {}: its value is not of its type, or it has no time", body["id"]));
        }
        let mut read = body.clone();
        read["subject"] = subject;
        decoded.items.push(score(&read));
    }
    Ok(())
}
