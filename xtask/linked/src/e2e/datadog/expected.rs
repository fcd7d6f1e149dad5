//! What the agent is to have of our records, by Datadog's words and nobody's code.

use obs_core::{Record, ScoreValue, Span, SpanRecord, SpanType, Status, Target, Timestamp};
use serde_json::Value;

use crate::e2e::fact::Fact;

/// When a record was made.
pub(super) fn time(record: &Record) -> Timestamp {
    match record {
        Record::Span(span) => span.span().start,
        Record::Metric(metric) => metric.time,
        Record::Log(log) => log.time,
        Record::Score(score) => score.time,
        Record::Feedback(feedback) => feedback.time,
    }
}

pub(super) fn spans(records: &[Record]) -> Vec<Fact> {
    let ended = records.iter().filter_map(|record| match record {
        Record::Span(SpanRecord::Ended(span)) => Some(span),
        _ => None,
    });
    ended.map(span).collect()
}

fn span(span: &Span) -> Fact {
    let parent = span.parent_span_id.map_or_else(|| "undefined".to_owned(), |id| id.to_string());
    let took = span.end.map_or(0, |end| end.as_nanos().saturating_sub(span.start.as_nanos()));
    let failed = span.status == Status::Error || span.error.is_some();
    let (model, usage) =
        span.span_type.model().map_or((None, None), |(model, _, usage)| (model, Some(usage)));
    Fact::new("span", span.span_id.to_string())
        .with("name", &*span.name)
        .with("trace", span.trace_id.to_string())
        .with("parent", parent)
        .with("start", span.start.as_nanos())
        .with("duration", took)
        .with("status", if failed { "error" } else { "ok" })
        .with("kind", kind(span))
        .with_attribute("model", model.map(obs_core::Str::as_str))
        .with_attribute("session", span.context.session_id.as_deref())
        .with_attribute("input_tokens", usage.and_then(|usage| usage.input).map(|count| count as f64))
        .with_attribute("output_tokens", usage.and_then(|usage| usage.output).map(|count| count as f64))
}

fn kind(span: &Span) -> &'static str {
    match span.span_type.name() {
        "agent_run" => "agent",
        "workflow_run" => "workflow",
        "llm_generation" => "llm",
        "tool_call" | "mcp_tool_call" => "tool",
        "memory_lookup" | "rag_query" => "retrieval",
        "embedding" => "embedding",
        _ if matches!(span.span_type, SpanType::Generic) && span.is_root() => "workflow",
        _ => "task",
    }
}

/// Scores and feedback, by the ids that we made.
pub(super) fn evaluations(records: &[Record]) -> Vec<Fact> {
    let judged = records.iter().filter_map(|record| match record {
        Record::Score(score) => {
            let (trace, span) = of_score(&score.target);
            let fact = Fact::new("evaluation", score.id.to_string()).with("trace", trace).with("span", span);
            Some(verdict(
                fact,
                &score.name,
                &score.value,
                score.time,
                score.comment.as_deref(),
                "categorical_value",
            ))
        }
        Record::Feedback(given) => {
            let fact = Fact::new("feedback", given.id.to_string()).with("about", about(&given.target));
            Some(verdict(fact, &given.kind, &given.value, given.time, given.comment.as_deref(), "text_value"))
        }
        _ => None,
    });
    judged.collect()
}

/// A score joins a span, or the root of its trace.
fn of_score(target: &Target) -> (Value, Value) {
    let text = |id: Option<String>| id.map_or(Value::Null, Value::String);
    let span = target.span_id().or_else(|| target.root_span_id());
    (text(target.trace_id().map(|id| id.to_string())), text(span.map(|id| id.to_string())))
}

/// Feedback has one id, of what it is about.
fn about(target: &Target) -> String {
    match target {
        Target::Span { span_id, .. } => format!("span_id {span_id}"),
        Target::Trace { trace_id, .. } => format!("trace_id {trace_id}"),
        Target::Session { session_id } => format!("session_id {session_id}"),
        Target::ExperimentRun { run_id } => format!("run {run_id}"),
    }
}

fn verdict(
    fact: Fact,
    name: &str,
    value: &ScoreValue,
    at: Timestamp,
    comment: Option<&str>,
    words: &str,
) -> Fact {
    let letters = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    let (form, value): (_, Value) = match value {
        ScoreValue::Numeric { value, .. } => ("score_value", (*value).into()),
        ScoreValue::Boolean(yes) => ("boolean_value", (*yes).into()),
        ScoreValue::Categorical(word) => ("categorical_value", word.as_str().into()),
        ScoreValue::Text(text) => (words, text.as_str().into()),
    };
    fact.with("label", letters.collect::<String>())
        .with("form", form)
        .with("value", value)
        .with("millis", at.as_millis())
        .with_attribute("reasoning", comment)
}
