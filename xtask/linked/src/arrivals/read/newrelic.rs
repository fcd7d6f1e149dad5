//! New Relic: OTLP, and events for judgements.

use anyhow::{Context, Result, bail};
use obs_core::Signal;
use obs_testkit::Captured;
use serde_json::Value;

use super::{list, otlp};
use crate::arrivals::place::{Arrival, Carrier};

/// Where events go, as the address has it.
pub(in crate::arrivals) const EVENTS: &str = "/v1/accounts/{account_id}/events";

pub(in crate::arrivals) fn request(request: &Captured) -> Result<Carrier> {
    if request.path.starts_with("/v1/accounts/") {
        let body: Value = request.json().context("no JSON")?;
        return list(&body)?.iter().map(event).collect();
    }
    otlp::request(request)
}

fn event(event: &Value) -> Result<Arrival> {
    let signal = match event["eventType"].as_str() {
        Some("LlmEvaluation") => Signal::Scores,
        Some("LlmFeedbackMessage") => Signal::Feedback,
        _ => bail!("an event of another type: {event:.200}"),
    };
    Ok(Arrival::new(signal, event["trace.id"].as_str(), event["span.id"].as_str()))
}
