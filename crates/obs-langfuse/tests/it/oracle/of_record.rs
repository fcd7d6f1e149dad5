//! What the records say, read off them without the exporter's code.

use obs_core::{
    Cost, Entity, Feedback, LlmGeneration, Payload, ScoreValue, Span, SpanType, Str, Target, Usage,
};
use serde_json::{Map, Value, json};

pub(super) fn of_entity(entity: Option<&Entity>, read: fn(&Entity) -> &Option<Str>) -> Value {
    text(entity.and_then(|entity| read(entity).as_deref()))
}

/// A time with microseconds; all fixtures are of this one day, so that no calendar is needed.
pub(super) fn stamp(nanos: u64) -> Value {
    const DAY: u64 = 1_768_435_200;
    let (seconds, micros) = (nanos / 1_000_000_000, nanos % 1_000_000_000 / 1_000);
    let of_day = seconds.checked_sub(DAY).filter(|seconds| *seconds < 86_400);
    let of_day = of_day.unwrap_or_else(|| panic!("{nanos} is of another day"));
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("2026-01-15T{hour:02}:{minute:02}:{second:02}.{micros:06}Z").into()
}

pub(super) fn text(text: Option<&str>) -> Value {
    text.map_or(Value::Null, Value::from)
}

pub(super) fn payload(payload: Option<&Payload>) -> Value {
    text(payload.map(Payload::as_str))
}

pub(super) fn kind(span_type: &SpanType) -> &'static str {
    match span_type.name() {
        "agent_run" => "agent",
        "workflow_run" | "workflow_step" => "chain",
        "llm_generation" => "generation",
        "tool_call" | "mcp_tool_call" => "tool",
        "memory_lookup" | "rag_query" => "retriever",
        "embedding" => "embedding",
        "eval_execution" => "evaluator",
        _ => "span",
    }
}

pub(super) fn of_call(span: &Span, read: impl Fn(&LlmGeneration) -> Value) -> Value {
    span.span_type.as_generation().map_or(Value::Null, read)
}

pub(super) fn parameters(call: &LlmGeneration) -> Value {
    let mut map = match serde_json::to_value(&call.parameters).unwrap() {
        Value::Object(map) => map,
        other => panic!("{other}"),
    };
    if let Some(Value::Object(other)) = map.remove("other") {
        map.extend(
            other
                .into_iter()
                .map(|(key, value)| (if key.is_empty() { "(empty)".into() } else { key }, value)),
        );
    }
    if map.is_empty() { Value::Null } else { map.into() }
}

/// The parts of a whole as they are, and what is left of it; added up here, not asked of the record.
pub(super) fn tokens(usage: &Usage) -> Value {
    let (input, output) = (&usage.input_details, &usage.output_details);
    let of_input = [
        ("input_cached_tokens", input.cache_read),
        ("input_cache_creation", input.cache_write),
        ("input_cache_creation_5m", input.cache_write_5m),
        ("input_cache_creation_1h", input.cache_write_1h),
        ("input_audio_tokens", input.audio),
        ("input_image_tokens", input.image),
    ];
    let of_output = [
        ("output_reasoning_tokens", output.reasoning),
        ("output_audio_tokens", output.audio),
        ("output_image_tokens", output.image),
    ];
    let (mut map, mut sum) = (Map::new(), 0i128);
    for (name, whole, parts) in
        [("input", usage.input, &of_input[..]), ("output", usage.output, &of_output[..])]
    {
        let mut left = i128::from(whole.unwrap_or(0));
        for (name, tokens) in parts.iter().filter(|(_, tokens)| *tokens > 0) {
            left -= i128::from(*tokens);
            sum += i128::from(*tokens);
            map.insert((*name).to_owned(), (*tokens).into());
        }
        if whole.is_some() || parts.iter().any(|(_, tokens)| *tokens > 0) {
            sum += left.max(0);
            map.insert(name.to_owned(), json!(left.max(0)));
        }
    }
    // JavaScript counts no further.
    if map.is_empty() || sum >= 1 << 53 {
        return Value::Null;
    }
    map.insert("total".to_owned(), json!(sum));
    map.into()
}

pub(super) fn cost(cost: &Cost) -> Value {
    json!({ "input": cost.input, "output": cost.output, "total": cost.total })
}

pub(super) fn trace_of(target: &Target) -> Value {
    text(target.trace_id().map(|id| id.to_string()).as_deref())
}

pub(super) fn session_of(target: &Target) -> Value {
    match target {
        Target::Session { session_id } => session_id.as_str().into(),
        _ => Value::Null,
    }
}

pub(super) fn run_of(target: &Target) -> Value {
    match target {
        Target::ExperimentRun { run_id } => run_id.as_str().into(),
        _ => Value::Null,
    }
}

pub(super) fn data_type(value: &ScoreValue) -> &'static str {
    match value {
        ScoreValue::Numeric { .. } => "NUMERIC",
        ScoreValue::Boolean(_) => "BOOLEAN",
        ScoreValue::Categorical(_) => "CATEGORICAL",
        ScoreValue::Text(_) => "TEXT",
    }
}

pub(super) fn value(value: &ScoreValue) -> Value {
    match value {
        ScoreValue::Numeric { value, .. } => (*value).into(),
        ScoreValue::Boolean(value) => i32::from(*value).into(),
        ScoreValue::Categorical(words) | ScoreValue::Text(words) => words.as_str().into(),
    }
}

pub(super) fn corrects(feedback: &Feedback) -> bool {
    feedback.kind == "correction"
        && feedback.target.trace_id().is_some()
        && matches!(feedback.value, ScoreValue::Categorical(_) | ScoreValue::Text(_))
}
