//! What a log, a score and feedback are to be in OTLP, by rules that no exporter shares.

use obs_core::{Log, ScoreValue, Target, Timestamp};
use serde_json::Value;

use super::found::log_key;
use super::normal::of_float;
use super::spans::{beside, of_context, own};
use crate::e2e::fact::Fact;

/// What a log is to be.
pub(super) fn log(log: &Log) -> Fact {
    let place = log.span.as_ref();
    let fact = event(log.time, log.event_name.as_deref().unwrap_or_default(), &log.message)
        .with("level", log.level.severity_number())
        .with("trace", place.map(|place| place.trace_id.to_string()).unwrap_or_default())
        .with("span", place.and_then(|place| place.span_id).map(|id| id.to_string()).unwrap_or_default());
    let fact = of_context(beside(fact, &log.resource), &log.context);
    let data = log.data.as_ref().map(|data| data.as_str().to_owned());
    own(fact.with_attribute("obs.log.data", data), &log.attributes)
}

fn event(time: Timestamp, event: &str, message: &str) -> Fact {
    let (time, body) =
        (Value::from(time.as_nanos()), if message.is_empty() { Value::Null } else { message.into() });
    Fact::new("log", log_key(&time, event, &body)).with("time", time).with("body", body).with("event", event)
}
