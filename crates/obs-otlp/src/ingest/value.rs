//! Attribute values.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use obs_core::{Payload, Str, Value};
use opentelemetry_proto::tonic::common::v1::{AnyValue, any_value};

use super::MAX_DEPTH;

/// The value that OTLP's stands for; bytes become base64 text, as in OTLP's JSON.
pub(super) fn value(any: Option<&AnyValue>) -> Result<Value, String> {
    nested(any, MAX_DEPTH)
}

fn nested(any: Option<&AnyValue>, depth: usize) -> Result<Value, String> {
    let Some(value) = any.and_then(|any| any.value.as_ref()) else {
        return Ok(Value::Null);
    };
    let below =
        || depth.checked_sub(1).ok_or_else(|| format!("a value is nested deeper than {MAX_DEPTH} levels"));
    Ok(match value {
        any_value::Value::StringValue(text) => Value::Str(Str::copied(text)),
        any_value::Value::BoolValue(value) => Value::Bool(*value),
        any_value::Value::IntValue(value) => Value::I64(*value),
        any_value::Value::DoubleValue(value) => Value::F64(*value),
        any_value::Value::BytesValue(bytes) => Value::Str(STANDARD.encode(bytes).into()),
        any_value::Value::ArrayValue(array) => {
            let depth = below()?;
            Value::List(
                array.values.iter().map(|value| nested(Some(value), depth)).collect::<Result<_, _>>()?,
            )
        }
        any_value::Value::KvlistValue(list) => {
            let depth = below()?;
            let pair = |pair: &opentelemetry_proto::tonic::common::v1::KeyValue| {
                Ok((Str::copied(&pair.key), nested(pair.value.as_ref(), depth)?))
            };
            Value::Map(list.values.iter().map(pair).collect::<Result<_, String>>()?)
        }
        any_value::Value::StringValueStrindex(_) => {
            return Err("a value points into the string table of a profile, which the request has not".into());
        }
    })
}

/// The value as a document: text that is a JSON object or array as such, other text as text, the rest as JSON.
pub(super) fn payload(value: &Value) -> Payload {
    match value {
        Value::Str(text) => {
            let mut payload = Payload::from(text.clone());
            payload.settle();
            payload
        }
        value => Payload::json(value).unwrap_or_else(|_| Payload::text(format!("{value:?}"))),
    }
}

/// The value, where text may hold JSON: parsed if it does, and is nested no deeper than attributes may be.
pub(super) fn parsed(value: &Value) -> Option<Value> {
    match value {
        Value::Str(text) => serde_json::from_str(text).ok().filter(|value| within(value, MAX_DEPTH)),
        value => Some(value.clone()),
    }
}

fn within(value: &Value, depth: usize) -> bool {
    let below = |value: &Value| depth.checked_sub(1).is_some_and(|depth| within(value, depth));
    match value {
        Value::List(values) => values.iter().all(below),
        Value::Map(values) => values.iter().all(|(_, value)| below(value)),
        _ => true,
    }
}

/// The value as text: text as it is, numbers and truth values by their name, the rest as JSON.
pub(super) fn text(value: Value) -> Str {
    match value {
        Value::Str(text) => text,
        value => serde_json::to_string(&value).unwrap_or_default().trim_matches('"').to_owned().into(),
    }
}

/// The whole number, not negative, that a value is, also as text.
pub(super) fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::I64(number) => u64::try_from(*number).ok(),
        Value::F64(number) if number.fract() == 0.0 && (0.0..9e15).contains(number) => Some(*number as u64),
        Value::Str(text) => text.parse().ok(),
        _ => None,
    }
}

/// The number that a value is, also as text.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Str(text) => text.parse().ok(),
        value => value.as_f64(),
    }
}

/// The truth value that a value is, also as text.
pub(super) fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::Str(text) => text.parse().ok(),
        _ => None,
    }
}

/// Text, or a number that stands for text, as ids sometimes are.
pub(super) fn name(value: &Value) -> Option<Str> {
    match value {
        Value::Str(text) if !text.is_empty() => Some(text.clone()),
        Value::I64(number) => Some(number.to_string().into()),
        _ => None,
    }
}
