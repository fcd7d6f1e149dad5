//! Braintrust: rows under the span's id, which scores and feedback are merged into; logs as rows of their own.

use obs_core::{Log, ScoreValue, Span, SpanId, Target};
use serde_json::Value;

use super::{Item, Judgement, Kept, Kind, Platform, of_log, of_span, plain, word};

/// Braintrust's rules.
#[derive(Debug)]
pub(crate) struct Braintrust;

const TYPES: &[(&str, &str)] = &[
    ("workflow_step", "function"),
    ("llm_generation", "llm"),
    ("tool_call", "tool"),
    ("mcp_tool_call", "tool"),
    ("memory_lookup", "function"),
    ("memory_update", "function"),
    ("rag_query", "function"),
    ("embedding", "llm"),
    ("eval_execution", "score"),
    ("generic", "task"),
];

impl Platform for Braintrust {
    fn name(&self) -> &'static str {
        "braintrust"
    }

    fn span(&self, span: &Span) -> Item {
        let item = Item::new(Kind::Span, span.span_id.to_string())
            .with("trace", span.trace_id.to_string())
            .with_or_null("parent", span.parent_span_id.map(|id| id.to_string()))
            .with("type", word(TYPES, &span.span_type));
        of_span(item, span)
    }

    fn log(&self, log: &Log) -> Kept {
        let trace = log.span.map(|span| span.trace_id.to_string());
        let under = log.span.and_then(|span| span.span_id).map(|id| id.to_string());
        let place = under.or_else(|| trace.clone()).unwrap_or_default();
        let item = of_log(&place, &log.message, log.time.as_millis() as f64);
        Kept::As(item.with("trace", trace).with("level", log.level.as_str()))
    }

    fn judgement(&self, judgement: &Judgement<'_>) -> Kept {
        let row = match row(judgement.target) {
            Ok(row) => row,
            Err(why) => return Kept::Unresolvable(why),
        };
        let value = match judgement.value {
            ScoreValue::Numeric { value, range: Some(range) } if range.max > range.min => {
                (value - range.min) / (range.max - range.min)
            }
            ScoreValue::Numeric { value, .. } => *value,
            ScoreValue::Boolean(yes) => f64::from(*yes),
            ScoreValue::Categorical(_) | ScoreValue::Text(_) => {
                return Kept::Unresolvable("words, which are a comment there and no score");
            }
        };
        Kept::As(score(&row.to_string(), judgement.name, &value.into()))
    }
}

/// A score of this name on this row, which is where feedback stands, too.
pub(crate) fn score(row: &str, name: &str, value: &Value) -> Item {
    Item::new(Kind::Judgement, format!("{row}/{name}")).with("value", plain(value))
}

/// The row that a target is.
fn row(target: &Target) -> Result<SpanId, &'static str> {
    match target {
        Target::Span { span_id, .. } => Ok(*span_id),
        Target::Trace { root_span_id: Some(root), .. } => Ok(*root),
        Target::Trace { root_span_id: None, .. } => Err("a trace whose root is unknown"),
        Target::Session { .. } => Err("a session"),
        Target::ExperimentRun { .. } => Err("a run of an experiment"),
    }
}

/// What a row is: a span with its scores, a log, or scores alone, of a span that came in another request.
pub(crate) fn items(row: &Value) -> Vec<Item> {
    let (id, attributes, metrics) = (text(&row["id"]), &row["span_attributes"], &row["metrics"]);
    if attributes["type"] == "log" {
        let millis = metrics["start"].as_f64().unwrap_or_default() * 1e3;
        // Outside of a span or a trace a log stands for it itself.
        let [span, trace] =
            [&row["span_id"], &row["root_span_id"]].map(text).map(|of| (of != id).then_some(of));
        let item = of_log(span.or(trace).unwrap_or_default(), text(&row["output"]), millis);
        return vec![item.with("trace", trace).with("level", attributes["log_level"].clone())];
    }
    let scores = row["scores"].as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let mut items: Vec<_> = scores.map(|(name, value)| score(id, name, value)).collect();
    if !row["span_id"].is_null() {
        let seconds = |name: &str| metrics[name].as_f64();
        let first_token =
            seconds("start").zip(seconds("time_to_first_token")).map(|(start, after)| start + after);
        let span = Item::new(Kind::Span, id)
            .with("trace", row["root_span_id"].clone())
            .with_or_null("parent", row["span_parents"][0].clone())
            .with("type", attributes["type"].clone())
            .with("name", attributes["name"].clone())
            .with("start", seconds("start").map(|at| at * 1e3))
            .with("end", seconds("end").map(|at| at * 1e3))
            .with("first_token", first_token.map(|at| at * 1e3))
            .with("user", row["metadata"]["user_id"].clone())
            .with("input_tokens", metrics["prompt_tokens"].clone())
            .with("output_tokens", metrics["completion_tokens"].clone())
            .with("cost", metrics["estimated_cost"].clone())
            .with("failed", !row["error"].is_null());
        items.push(span);
    }
    items
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
