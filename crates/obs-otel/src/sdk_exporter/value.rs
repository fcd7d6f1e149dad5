//! Values, which have no maps in the SDK's spans.

use obs_core::{Attributes, Str};
use opentelemetry::logs::AnyValue;
use opentelemetry::{Array, Key, KeyValue, StringValue, Value};
use opentelemetry_proto::tonic::common::v1 as wire;

/// The pairs as the SDK's spans have them.
pub(super) fn pairs(attributes: &[wire::KeyValue]) -> Vec<KeyValue> {
    attributes
        .iter()
        .map(|pair| KeyValue::new(pair.key.clone(), of_span(&read(pair.value.as_ref()))))
        .collect()
}

/// The value that our encoder wrote; it writes no bytes.
pub(super) fn read(value: Option<&wire::AnyValue>) -> obs_core::Value {
    use obs_core::Value as Own;
    use wire::any_value::Value as Wire;
    match value.and_then(|value| value.value.as_ref()) {
        Some(Wire::StringValue(text)) => Own::Str(Str::copied(text)),
        Some(Wire::BoolValue(value)) => Own::Bool(*value),
        Some(Wire::IntValue(value)) => Own::I64(*value),
        Some(Wire::DoubleValue(value)) => Own::F64(*value),
        Some(Wire::ArrayValue(list)) => {
            Own::List(list.values.iter().map(|value| read(Some(value))).collect())
        }
        Some(Wire::KvlistValue(map)) => {
            let pair = |pair: &wire::KeyValue| (Str::copied(&pair.key), read(pair.value.as_ref()));
            Own::Map(map.values.iter().map(pair).collect::<Attributes>())
        }
        Some(Wire::BytesValue(_) | Wire::StringValueStrindex(_)) | None => Own::Null,
    }
}

/// A value as the SDK's spans have it; what has no form there is its JSON.
fn of_span(value: &obs_core::Value) -> Value {
    use obs_core::Value as Own;
    match value {
        Own::Bool(value) => Value::Bool(*value),
        Own::I64(value) => Value::I64(*value),
        Own::F64(value) => Value::F64(*value),
        Own::Str(text) => Value::String(text.to_string().into()),
        Own::List(values) => array(values).map_or_else(|| json(value), Value::Array),
        Own::Map(_) | Own::Null => json(value),
    }
}

/// A list of values that are all of one kind.
fn array(values: &[obs_core::Value]) -> Option<Array> {
    use obs_core::Value as Own;
    fn all<T>(values: &[Own], one: impl Fn(&Own) -> Option<T>) -> Option<Vec<T>> {
        values.iter().map(one).collect()
    }
    Some(match values.first() {
        None => Array::String(Vec::new()),
        Some(Own::Bool(_)) => Array::Bool(all(values, |value| match value {
            Own::Bool(value) => Some(*value),
            _ => None,
        })?),
        Some(Own::I64(_)) => Array::I64(all(values, Own::as_i64)?),
        Some(Own::F64(_)) => Array::F64(all(values, |value| match value {
            Own::F64(value) => Some(*value),
            _ => None,
        })?),
        Some(Own::Str(_)) => {
            Array::String(all(values, |value| value.as_str().map(|text| StringValue::from(text.to_owned())))?)
        }
        Some(Own::List(_) | Own::Map(_) | Own::Null) => return None,
    })
}

fn json(value: &obs_core::Value) -> Value {
    let mut json = Vec::new();
    // A value always has a form in JSON.
    let _ = obs_core::write_json(&mut json, value);
    Value::String(String::from_utf8_lossy(&json).into_owned().into())
}

/// A value as the SDK's logs have it; nothing is `None`.
pub(super) fn of_log(value: &obs_core::Value) -> Option<AnyValue> {
    use obs_core::Value as Own;
    Some(match value {
        Own::Null => return None,
        Own::Bool(value) => AnyValue::Boolean(*value),
        Own::I64(value) => AnyValue::Int(*value),
        Own::F64(value) => AnyValue::Double(*value),
        Own::Str(text) => AnyValue::String(text.to_string().into()),
        Own::List(values) => AnyValue::ListAny(Box::new(values.iter().filter_map(of_log).collect())),
        Own::Map(pairs) => AnyValue::Map(Box::new(
            pairs
                .iter()
                .filter_map(|(key, value)| Some((Key::from(key.to_string()), of_log(value)?)))
                .collect(),
        )),
    })
}
