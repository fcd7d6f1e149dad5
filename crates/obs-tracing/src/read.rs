//! Reading values as what a field holds.

use std::time::Duration;

use obs_core::{Payload, ResultType, Str, Value, WorkflowStatus};

pub(crate) fn result_type(value: &Value) -> Option<ResultType> {
    Some(match value.as_str()? {
        "tool_selection" => ResultType::ToolSelection,
        "response_generation" => ResultType::ResponseGeneration,
        "reasoning" => ResultType::Reasoning,
        "planning" => ResultType::Planning,
        _ => return None,
    })
}

pub(crate) fn status(value: &Value) -> Option<WorkflowStatus> {
    Some(match value.as_str()? {
        "running" => WorkflowStatus::Running,
        "success" | "completed" => WorkflowStatus::Completed,
        "failed" => WorkflowStatus::Failed,
        "suspended" => WorkflowStatus::Suspended,
        "skipped" => WorkflowStatus::Skipped,
        _ => return None,
    })
}

/// The text as a document, which the collector looks at.
pub(crate) fn document(value: &Value) -> Option<Payload> {
    Some(match value {
        Value::Str(text) => Payload::unchecked(text.clone()),
        value => Payload::json(value).ok()?,
    })
}

pub(crate) fn seconds(value: &Value) -> Option<Duration> {
    Duration::try_from_secs_f64(number(value)?).ok()
}

pub(crate) fn small(value: &Value) -> Option<u32> {
    whole(value)?.try_into().ok()
}

/// The whole number, not negative, that a value is, also as text.
pub(crate) fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::I64(number) => u64::try_from(*number).ok(),
        Value::F64(number) if number.fract() == 0.0 && (0.0..9e15).contains(number) => Some(*number as u64),
        Value::Str(text) => optional(text).parse().ok(),
        _ => None,
    }
}

pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Str(text) => optional(text).parse().ok(),
        value => value.as_f64(),
    }
}

pub(crate) fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::Str(text) => optional(text).parse().ok(),
        _ => None,
    }
}

/// What an option holds that was told with `?`, as people do who have no other way to tell one.
fn optional(text: &str) -> &str {
    text.strip_prefix("Some(").and_then(|rest| rest.strip_suffix(')')).unwrap_or(text)
}

/// Text, or a number that stands for text, as ids sometimes are.
pub(crate) fn name(value: &Value) -> Option<Str> {
    match value {
        Value::Str(text) if !text.is_empty() => Some(text.clone()),
        Value::I64(number) => Some(number.to_string().into()),
        _ => None,
    }
}
