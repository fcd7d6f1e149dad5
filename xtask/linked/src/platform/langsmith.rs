//! LangSmith: runs and feedback; the id of a run is the span's behind eight bytes of zero.

use obs_core::{Log, ScoreValue, Span, SpanId, Target};
use serde_json::Value;

use super::{Item, Judgement, Kept, Kind, Platform, millis, of_span, plain, word};

/// LangSmith's rules.
#[derive(Debug)]
pub(crate) struct Langsmith;

const TYPES: &[(&str, &str)] = &[
    ("llm_generation", "llm"),
    ("tool_call", "tool"),
    ("mcp_tool_call", "tool"),
    ("memory_lookup", "retriever"),
    ("rag_query", "retriever"),
    ("embedding", "embedding"),
    ("generic", "chain"),
];

impl Platform for Langsmith {
    fn name(&self) -> &'static str {
        "langsmith"
    }

    /// A span whose parent is not known is a root there.
    fn span(&self, span: &Span) -> Item {
        let top = span.ancestors().last().map_or(span.span_id, |top| top.span_id);
        let item = Item::new(Kind::Span, run(span.span_id))
            .with("trace", run(top))
            .with_or_null("parent", span.path.as_ref().map(|parent| run(parent.span_id)))
            .with("type", word(TYPES, &span.span_type));
        of_span(item, span)
    }

    fn log(&self, _: &Log) -> Kept {
        Kept::Unsupported
    }

    fn judgement(&self, judgement: &Judgement<'_>) -> Kept {
        let of = match judgement.target {
            Target::Span { span_id, .. } => *span_id,
            Target::Trace { root_span_id: Some(root), .. } => *root,
            Target::Trace { root_span_id: None, .. } => {
                return Kept::Unresolvable("a trace whose root is unknown");
            }
            Target::Session { .. } => return Kept::Unresolvable("a session"),
            Target::ExperimentRun { .. } => return Kept::Unresolvable("a run of an experiment"),
        };
        let item = Item::new(Kind::Judgement, judgement.id.clone())
            .with("run", run(of))
            .with("name", judgement.name);
        let item = match judgement.value {
            ScoreValue::Categorical(word) | ScoreValue::Text(word) => item.with("word", &**word),
            number => item.with("value", number.as_f64()),
        };
        Kept::As(item.with("comment", judgement.comment))
    }
}

/// The id of the run that a span is.
pub(crate) fn run(span: SpanId) -> String {
    let hex = span.to_string();
    format!("00000000-0000-0000-{}-{}", &hex[..4], &hex[4..])
}

/// What a run is; `usage` names where its tokens stand, which differs between what is sent and what is read.
pub(crate) fn item(run: &Value, [input, output, cost]: [&Value; 3]) -> Item {
    // The service tells amounts as text, so that no digit is lost.
    let amount =
        cost.as_str().and_then(|cost| cost.parse::<f64>().ok()).map_or_else(|| cost.clone(), Value::from);
    let mut events = run["events"].as_array().into_iter().flatten();
    let first_token = match &run["first_token_time"] {
        Value::Null => {
            events.find(|event| event["name"] == "new_token").map_or(&Value::Null, |event| &event["time"])
        }
        time => time,
    };
    Item::new(Kind::Span, run["id"].as_str().unwrap_or_default())
        .with("trace", run["trace_id"].clone())
        .with_or_null("parent", run["parent_run_id"].clone())
        .with("type", run["run_type"].clone())
        .with("name", run["name"].clone())
        .with("start", millis(&run["start_time"]))
        .with("end", millis(&run["end_time"]))
        .with("first_token", millis(first_token))
        .with("user", run["extra"]["metadata"]["user_id"].clone())
        .with("input_tokens", input.clone())
        .with("output_tokens", output.clone())
        .with("cost", amount)
        .with("failed", !run["error"].is_null())
}

/// What a piece of feedback is.
pub(crate) fn feedback(feedback: &Value) -> Item {
    Item::new(Kind::Judgement, feedback["id"].as_str().unwrap_or_default())
        .with("run", feedback["run_id"].clone())
        .with("name", feedback["key"].clone())
        .with("value", plain(&feedback["score"]))
        .with("word", feedback["value"].clone())
        .with("comment", feedback["comment"].clone())
}

/// What is wrong with the runs' `dotted_order`: it ends with the run, begins with its trace, has the parent before the
/// run, and its stamps do not go back.
pub(crate) fn disorder(runs: &[Value]) -> Vec<String> {
    runs.iter().filter_map(|run| order(run).err().map(|why| format!("run {}: {why}", run["id"]))).collect()
}

fn order(run: &Value) -> Result<(), String> {
    let dotted = run["dotted_order"].as_str().ok_or("no dotted_order")?;
    let mut stamps = Vec::new();
    let mut ids = Vec::new();
    for level in dotted.split('.') {
        let (stamp, id) = level.split_once('Z').ok_or_else(|| format!("`{level}` is no stamp with an id"))?;
        let digits = stamp.chars().filter(char::is_ascii_digit).count();
        if (stamp.len(), digits) != (21, 20) || stamp.as_bytes()[8] != b'T' {
            return Err(format!("`{stamp}` is not YYYYMMDDTHHMMSSffffff"));
        }
        stamps.push(stamp);
        ids.push(id);
    }
    let parent = ids.len().checked_sub(2).map_or(Value::Null, |at| ids[at].into());
    let wanted = [
        (&run["id"], ids.last().map(|id| Value::from(*id))),
        (&run["trace_id"], ids.first().map(|id| Value::from(*id))),
        (&run["parent_run_id"], Some(parent)),
    ];
    if wanted.iter().any(|(is, wanted)| Some(*is) != wanted.as_ref()) {
        return Err(format!("`{dotted}` is not of its id, parent and trace"));
    }
    if stamps.is_sorted() { Ok(()) } else { Err(format!("`{dotted}` goes back in time")) }
}
