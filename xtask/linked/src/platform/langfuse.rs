//! Langfuse: observations under the span's id, logs as events, scores under their own id.

use obs_core::{Level, Log, ScoreValue, Signal, Span, Target};
use serde_json::Value;

use super::{Item, Judgement, Kept, Kind, Platform, millis, of_log, of_span, plain, word};

/// Langfuse's rules.
#[derive(Debug)]
pub(crate) struct Langfuse;

const TYPES: &[(&str, &str)] = &[
    ("agent_run", "agent"),
    ("workflow_run", "chain"),
    ("workflow_step", "chain"),
    ("llm_generation", "generation"),
    ("tool_call", "tool"),
    ("mcp_tool_call", "tool"),
    ("memory_lookup", "retriever"),
    ("rag_query", "retriever"),
    ("embedding", "embedding"),
    ("eval_execution", "evaluator"),
    ("generic", "span"),
];

impl Platform for Langfuse {
    fn name(&self) -> &'static str {
        "langfuse"
    }

    fn span(&self, span: &Span) -> Item {
        let item = Item::new(Kind::Span, span.span_id.to_string())
            .with("trace", span.trace_id.to_string())
            .with_or_null("parent", span.parent_span_id.map(|id| id.to_string()))
            .with("type", word(TYPES, &span.span_type));
        of_span(item, span)
    }

    fn log(&self, log: &Log) -> Kept {
        let Some(span) = log.span else { return Kept::Unresolvable("a log without a trace") };
        let parent = span.span_id.map(|id| id.to_string()).unwrap_or_default();
        let item = of_log(&parent, &log.message, log.time.as_millis() as f64)
            .with("trace", span.trace_id.to_string())
            .with("level", level(log.level));
        Kept::As(item)
    }

    fn judgement(&self, judgement: &Judgement<'_>) -> Kept {
        let name = match judgement.signal {
            Signal::Feedback => format!("feedback_{}", judgement.name),
            _ => judgement.name.to_owned(),
        };
        let item = Item::new(Kind::Judgement, judgement.id.clone()).with("name", name);
        let value = match judgement.value {
            ScoreValue::Categorical(word) | ScoreValue::Text(word) => Value::from(&**word),
            number => number.as_f64().into(),
        };
        let item = item.with("value", value).with("target", target(judgement.target));
        Kept::As(item.with("comment", judgement.comment))
    }
}

fn target(target: &Target) -> String {
    match target {
        Target::Span { trace_id, span_id, .. } => format!("observation {span_id} of {trace_id}"),
        Target::Trace { trace_id, .. } => format!("trace {trace_id}"),
        Target::Session { session_id } => format!("session {session_id}"),
        Target::ExperimentRun { run_id } => format!("run {run_id}"),
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Trace | Level::Debug => "DEBUG",
        Level::Info => "DEFAULT",
        Level::Warn => "WARNING",
        Level::Error | Level::Fatal => "ERROR",
    }
}

/// What an observation is: a log where it is an event, else a span.
///
/// The keys are those of the API that reads; `usageDetails` and `costDetails` are maps of exclusive buckets.
pub(crate) fn item(observation: &Value) -> Item {
    let parent = &observation["parentObservationId"];
    let kind = text(&observation["type"]).to_ascii_lowercase();
    let level = text(&observation["level"]).to_ascii_uppercase();
    if kind == "event" {
        let time = millis(&observation["startTime"]).as_f64().unwrap_or_default();
        let log = of_log(text(parent), &words(&observation["input"]), time);
        return log.with("trace", observation["traceId"].clone()).with("level", level);
    }
    let usage = &observation["usageDetails"];
    Item::new(Kind::Span, text(&observation["id"]))
        .with("trace", observation["traceId"].clone())
        .with_or_null("parent", parent.clone())
        .with("type", kind)
        .with("name", observation["name"].clone())
        .with("start", millis(&observation["startTime"]))
        .with("end", millis(&observation["endTime"]))
        .with("first_token", millis(&observation["completionStartTime"]))
        .with("user", observation["userId"].clone())
        .with("input_tokens", sum(usage, "input"))
        .with("output_tokens", sum(usage, "output"))
        .with("cost", observation["costDetails"]["total"].clone())
        .with("failed", level == "ERROR")
}

/// What a score is, as the API that reads has it.
pub(crate) fn score(score: &Value) -> Item {
    let subject = &score["subject"];
    let id = text(&subject["id"]);
    let target = match text(&subject["kind"]) {
        "observation" => format!("observation {id} of {}", text(&subject["traceId"])),
        "experiment" => format!("run {id}"),
        kind => format!("{kind} {id}"),
    };
    Item::new(Kind::Judgement, text(&score["id"]))
        .with("name", score["name"].clone())
        .with("value", plain(&score["value"]))
        .with("target", target)
        .with("comment", score["comment"].clone())
}

/// The sum of the buckets whose name holds this word, as the platform itself counts; null where there is none.
fn sum(usage: &Value, word: &str) -> Value {
    let buckets = usage.as_object().into_iter().flatten().filter(|(name, _)| name.contains(word));
    let counts: Vec<_> = buckets.filter_map(|(_, count)| count.as_u64()).collect();
    if counts.is_empty() { Value::Null } else { counts.iter().sum::<u64>().into() }
}

/// Text that may have been sent as JSON.
fn words(value: &Value) -> String {
    let text = text(value);
    serde_json::from_str(text).unwrap_or_else(|_| text.to_owned())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
