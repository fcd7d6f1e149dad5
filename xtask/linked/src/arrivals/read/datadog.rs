//! Datadog: spans and evaluations of LLM Observability, logs, series and points of distributions.

use anyhow::{Context, Result, bail};
use obs_core::Signal;
use obs_testkit::Captured;
use serde_json::Value;

use super::list;
use crate::arrivals::place::{Arrival, Carrier};

pub(in crate::arrivals) fn request(request: &Captured) -> Result<Carrier> {
    let body = request.json().context("no JSON")?;
    match request.path.as_str() {
        "/api/intake/llm-obs/v1/trace/spans" => {
            all(&body["data"]["attributes"]["spans"], |span| Ok(of_span(span)))
        }
        "/api/intake/llm-obs/v2/eval-metric" => all(&body["data"]["attributes"]["metrics"], evaluation),
        "/api/v2/logs" => all(&body, |log| Ok(of_log(log))),
        "/api/v2/series" | "/api/v1/distribution_points" => {
            all(&body["series"], |_| Ok(Arrival::new(Signal::Metrics, None, None)))
        }
        _ => bail!("not of the API"),
    }
}

fn all(found: &Value, read: impl Fn(&Value) -> Result<Arrival>) -> Result<Carrier> {
    list(found)?.iter().map(read).collect()
}

fn of_span(span: &Value) -> Arrival {
    Arrival::new(Signal::Traces, span["trace_id"].as_str(), span["span_id"].as_str())
}

fn of_log(log: &Value) -> Arrival {
    Arrival::new(Signal::Logs, log["dd.trace_id"].as_str(), log["dd.span_id"].as_str())
}

/// A score joins a span; feedback names one, and its trace beside.
fn evaluation(evaluation: &Value) -> Result<Arrival> {
    let joined = &evaluation["join_on"]["span"];
    match evaluation["event_kind"].as_str() {
        Some("evaluation") => {
            Ok(Arrival::new(Signal::Scores, joined["trace_id"].as_str(), joined["span_id"].as_str()))
        }
        Some("feedback") => {
            let trace = evaluation["metadata"]["trace_id"].as_str();
            Ok(Arrival::new(Signal::Feedback, trace, evaluation["span_id"].as_str()))
        }
        _ => bail!("an evaluation of another kind: {evaluation:.200}"),
    }
}
