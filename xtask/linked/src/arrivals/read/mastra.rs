//! The Mastra platform: a route for each signal, whose name the list of the body has, too.

use anyhow::{Context, Result, bail};
use obs_core::Signal;
use obs_testkit::Captured;

use super::list;
use crate::arrivals::place::{Arrival, Carrier};

pub(in crate::arrivals) fn request(request: &Captured) -> Result<Carrier> {
    let route = request.path.strip_suffix("/publish").and_then(|path| path.rsplit('/').next());
    let (signal, name) = match route {
        Some("spans") => (Signal::Traces, "spans"),
        Some("logs") => (Signal::Logs, "logs"),
        Some("metrics") => (Signal::Metrics, "metrics"),
        Some("scores") => (Signal::Scores, "scores"),
        Some("feedback") => (Signal::Feedback, "feedback"),
        _ => bail!("not of the API"),
    };
    let body = request.json().context("no JSON")?;
    let items = list(&body[name])?.iter();
    Ok(items.map(|item| Arrival::new(signal, item["traceId"].as_str(), item["spanId"].as_str())).collect())
}
