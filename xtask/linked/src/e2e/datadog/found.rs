//! What the agent gave back, read strictly: what Datadog does not document is a fault.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::APP;
use crate::e2e::fact::Fact;

/// What spans can be.
const KINDS: [&str; 7] = ["agent", "workflow", "llm", "tool", "task", "embedding", "retrieval"];

/// The spans of a request by an agent: envelopes, each with spans.
pub(super) fn spans(body: &Value) -> Result<Vec<Fact>> {
    let mut facts = Vec::new();
    for envelope in list(body)? {
        ensure!(
            envelope["event_type"] == "span",
            "an envelope whose `event_type` is {}",
            envelope["event_type"]
        );
        ensure!(envelope["_dd.stage"] == "raw", "an envelope whose `_dd.stage` is {}", envelope["_dd.stage"]);
        ensure!(envelope["_dd.tracer_version"].is_string(), "an envelope without `_dd.tracer_version`");
        for span in list(&envelope["spans"])? {
            facts.push(read_span(span).with_context(|| format!("span {}", span["span_id"]))?);
        }
    }
    Ok(facts)
}

fn read_span(span: &Value) -> Result<Fact> {
    let (id, trace) = (hex(&span["span_id"], 16)?, hex(&span["trace_id"], 32)?);
    let parent = match &span["parent_id"] {
        Value::String(text) if text == "undefined" => text,
        other => hex(other, 16)?,
    };
    let kind = text(&span["meta"]["span"]["kind"])?;
    ensure!(KINDS.contains(&kind), "its kind is `{kind}`");
    let status = text(&span["status"])?;
    ensure!(["ok", "error"].contains(&status), "its status is `{status}`");
    ensure!(tags(&span["tags"])?.contains(&&*format!("ml_app:{APP}")), "no tag of its application");
    for (name, number) in span["metrics"].as_object().into_iter().flatten() {
        ensure!(number.is_number(), "its metric `{name}` is {number}");
    }
    for (name, value) in span["meta"]["metadata"].as_object().into_iter().flatten() {
        ensure!(
            value.is_string() || value.is_number() || value.is_boolean(),
            "its metadata `{name}` is {value}"
        );
    }
    ensure!(
        span["_dd"]["span_id"] == span["span_id"] && span["_dd"]["trace_id"] == span["trace_id"],
        "its `_dd` has other ids"
    );
    Ok(Fact::new("span", id)
        .with("name", text(&span["name"])?)
        .with("trace", trace)
        .with("parent", parent)
        .with("start", span["start_ns"].as_u64().context("its `start_ns` is no whole number")?)
        .with("duration", span["duration"].as_u64().context("its `duration` is no whole number")?)
        .with("status", status)
        .with("kind", kind)
        .with_attribute("model", span["meta"]["model_name"].clone())
        .with_attribute("session", span["session_id"].clone())
        .with_attribute("input_tokens", span["metrics"]["input_tokens"].as_f64())
        .with_attribute("output_tokens", span["metrics"]["output_tokens"].as_f64()))
}

/// The evaluations of a request, which has the same form by an agent and without.
pub(super) fn evaluations(body: &Value) -> Result<Vec<Fact>> {
    let data = &body["data"];
    ensure!(data["type"] == "evaluation_metric", "its type is {}", data["type"]);
    let metrics = list(&data["attributes"]["metrics"])?;
    metrics
        .iter()
        .map(|metric| read_evaluation(metric).with_context(|| format!("evaluation {}", metric["label"])))
        .collect()
}

fn read_evaluation(metric: &Value) -> Result<Fact> {
    ensure!(metric["ml_app"] == APP, "its application is {}", metric["ml_app"]);
    tags(&metric["tags"])?;
    let metadata = &metric["metadata"];
    let fact = match text(&metric["event_kind"])? {
        "evaluation" => {
            let span = &metric["join_on"]["span"];
            Fact::new("evaluation", text(&metadata["score_id"])?)
                .with("trace", hex(&span["trace_id"], 32)?)
                .with("span", hex(&span["span_id"], 16)?)
        }
        "feedback" => {
            ensure!(metric["submitter"]["id"].is_string(), "nobody gave it");
            let targets = ["span_id", "trace_id", "session_id"];
            let mut given = targets.into_iter().filter(|name| !metric[*name].is_null());
            let (Some(name), None) = (given.next(), given.next()) else {
                bail!("it is not about exactly one thing")
            };
            let about = format!("{name} {}", text(&metric[name])?);
            Fact::new("feedback", text(&metadata["feedback_id"])?).with("about", about)
        }
        other => bail!("its kind is `{other}`"),
    };
    let form = match text(&metric["metric_type"])? {
        "score" => "score_value",
        "boolean" => "boolean_value",
        "categorical" => "categorical_value",
        "text" => "text_value",
        other => bail!("its type is `{other}`"),
    };
    ensure!(!metric[form].is_null(), "no `{form}`");
    Ok(fact
        .with("label", text(&metric["label"])?)
        .with("form", form)
        .with("value", metric[form].clone())
        .with("millis", metric["timestamp_ms"].as_u64().context("its `timestamp_ms` is no whole number")?)
        .with_attribute("reasoning", metric["reasoning"].clone()))
}

fn list(value: &Value) -> Result<&Vec<Value>> {
    value.as_array().context("no list where one should be")
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().with_context(|| format!("{value} is no text"))
}

/// So many digits in hex, in small letters.
fn hex(value: &Value, digits: usize) -> Result<&str> {
    let text = text(value)?;
    let is_hex = text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    ensure!(is_hex, "`{text}` is no id of {digits} digits");
    Ok(text)
}

/// Tags: they begin with a letter and have at most 200 characters.
fn tags(value: &Value) -> Result<Vec<&str>> {
    let tags = list(value)?.iter().map(text).collect::<Result<Vec<_>>>()?;
    let is_one = |tag: &&&str| tag.starts_with(char::is_alphabetic) && tag.chars().count() <= 200;
    let wrong = tags.iter().find(|tag| !is_one(tag));
    ensure!(wrong.is_none(), "`{}` is no tag", wrong.unwrap_or(&""));
    Ok(tags)
}
