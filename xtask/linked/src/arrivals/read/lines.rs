//! Records in the canonical JSON, one on each line.

use anyhow::{Context, Result, bail};
use obs_core::Signal;
use serde_json::Value;

use crate::arrivals::place::{Arrival, Carrier};

/// A line: the signal, and the record.
pub(in crate::arrivals) fn line(text: &str) -> Result<Carrier> {
    let line: Value = serde_json::from_str(text).context("no JSON")?;
    record(&line).map(|arrival| vec![arrival])
}

/// A record with its signal.
pub(super) fn record(line: &Value) -> Result<Arrival> {
    let record = &line["record"];
    let ended = if record["ended"].is_null() { &record["started"] } else { &record["ended"] };
    let (signal, named) = match line["signal"].as_str().unwrap_or_default() {
        "traces" => (Signal::Traces, ended),
        "metrics" => (Signal::Metrics, &record["exemplar"]["span"]),
        "logs" => (Signal::Logs, &record["span"]),
        "scores" => (Signal::Scores, &record["target"]["span"]),
        "feedback" => (Signal::Feedback, &record["target"]["span"]),
        other => bail!("a record of a signal `{other}`"),
    };
    Ok(Arrival::new(signal, named["trace_id"].as_str(), named["span_id"].as_str()))
}
