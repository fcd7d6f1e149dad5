//! Braintrust: rows, of which logs are some, and judgements of rows.

use anyhow::{Context, Result, bail};
use obs_core::Signal;
use obs_testkit::Captured;
use serde_json::Value;

use crate::arrivals::place::{Arrival, Carrier};
use crate::platforms::servers::PROJECT;

pub(in crate::arrivals) fn request(request: &Captured) -> Result<Carrier> {
    let path = request.path.strip_prefix(&format!("/v1/project_logs/{PROJECT}"));
    match (request.method.as_str(), path.unwrap_or(&request.path)) {
        ("POST", "/insert") => {
            Ok(list(request, "events")?.iter().map(row).collect::<Result<Vec<_>>>()?.concat())
        }
        ("POST", "/feedback") => {
            Ok(list(request, "feedback")?.iter().map(judgements).collect::<Result<Vec<_>>>()?.concat())
        }
        ("POST", "/v1/project") => Ok(Vec::new()),
        _ => bail!("not of the API"),
    }
}

fn list(request: &Captured, name: &str) -> Result<Vec<Value>> {
    let body = request.json().context("no JSON")?;
    body[name].as_array().cloned().with_context(|| format!("no list `{name}`"))
}

fn row(row: &Value) -> Result<Carrier> {
    let (trace, span) = (row["root_span_id"].as_str(), row["span_id"].as_str());
    if row["span_attributes"]["type"] == "log" {
        return Ok(vec![Arrival::new(Signal::Logs, trace, span)]);
    }
    let mut arrivals = judgements(row)?;
    if !row["span_attributes"].is_null() {
        arrivals.push(Arrival::new(Signal::Traces, trace, span));
    }
    Ok(arrivals)
}

/// What is said of a row, which has the span's id.
fn judgements(row: &Value) -> Result<Carrier> {
    let scores = row["scores"].as_object().into_iter().flatten();
    scores.map(|(name, _)| Ok(Arrival::new(super::judgement(name)?, None, row["id"].as_str()))).collect()
}
