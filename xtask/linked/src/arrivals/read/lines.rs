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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_of_its_signal_and_has_its_ids() {
        let ids = r#"{"trace_id":"t","span_id":"s"}"#;
        for (signal, record) in [
            (Signal::Traces, format!(r#"{{"ended":{ids}}}"#)),
            (Signal::Traces, format!(r#"{{"started":{ids}}}"#)),
            (Signal::Metrics, format!(r#"{{"exemplar":{{"span":{ids}}}}}"#)),
            (Signal::Logs, format!(r#"{{"span":{ids}}}"#)),
            (Signal::Scores, format!(r#"{{"target":{{"span":{ids}}}}}"#)),
            (Signal::Feedback, format!(r#"{{"target":{{"span":{ids}}}}}"#)),
        ] {
            let read = line(&format!(r#"{{"v":1,"signal":"{signal}","record":{record}}}"#)).unwrap();
            assert_eq!(read, [Arrival::new(signal, Some("t"), Some("s"))]);
        }
        let none = line(r#"{"v":1,"signal":"logs","record":{"message":"m"}}"#).unwrap();
        assert_eq!(none, [Arrival::new(Signal::Logs, None, None)]);
        for wrong in ["", r#"{"signal":"spans"}"#, "[]"] {
            assert!(line(wrong).is_err(), "{wrong}");
        }
    }
}
