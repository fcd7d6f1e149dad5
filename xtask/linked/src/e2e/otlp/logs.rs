//! What a log, a score and feedback are to be in OTLP, by rules that no exporter shares.

use obs_core::{Feedback, Level, Log, Score, ScoreValue, SpanId, Target, Timestamp};
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

/// What a score is to be.
pub(super) fn score(score: &Score) -> Fact {
    let fact = judged(score.time, &score.target, &score.name, &score.value, score.comment.as_deref());
    of_context(beside(fact, &score.resource), &score.context)
}

/// What feedback is to be.
pub(super) fn feedback(feedback: &Feedback) -> Fact {
    let fact =
        judged(feedback.time, &feedback.target, &feedback.kind, &feedback.value, feedback.comment.as_deref());
    of_context(beside(fact, &feedback.resource), &feedback.context)
}

/// An evaluation, as the conventions have it.
fn judged(time: Timestamp, target: &Target, name: &str, value: &ScoreValue, comment: Option<&str>) -> Fact {
    let (number, label) = match value {
        ScoreValue::Numeric { value, .. } => (Some(*value), None),
        ScoreValue::Boolean(yes) => (Some(f64::from(u8::from(*yes))), Some(yes.to_string())),
        ScoreValue::Categorical(label) | ScoreValue::Text(label) => (None, Some(label.to_string())),
    };
    event(time, "gen_ai.evaluation.result", "")
        .with("level", Level::Info.severity_number())
        .with("trace", target.trace_id().map(|id| id.to_string()).unwrap_or_default())
        .with("span", place(target).map(|id| id.to_string()).unwrap_or_default())
        .with_attribute("gen_ai.evaluation.name", name)
        .with_attribute("gen_ai.evaluation.score.value", number.map(of_float))
        .with_attribute("gen_ai.evaluation.score.label", label)
        .with_attribute("gen_ai.evaluation.explanation", comment)
}

/// The span that an evaluation stands under: of a trace, its root where that is known.
fn place(target: &Target) -> Option<SpanId> {
    match target {
        Target::Span { span_id, .. } => Some(*span_id),
        Target::Trace { root_span_id, .. } => *root_span_id,
        _ => None,
    }
}

fn event(time: Timestamp, event: &str, message: &str) -> Fact {
    let (time, body) =
        (Value::from(time.as_nanos()), if message.is_empty() { Value::Null } else { message.into() });
    Fact::new("log", log_key(&time, event, &body)).with("time", time).with("body", body).with("event", event)
}
