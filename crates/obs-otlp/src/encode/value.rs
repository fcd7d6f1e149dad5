//! Values within each other.

use obs_core::Value;

use super::{json, wire};

/// The deepest nesting of an attribute's value; what lies deeper is written as JSON text.
///
/// Readers of protobuf commonly stop at 100 messages within each other and readers of JSON at 127 levels, and refuse the whole request.
/// A level of a map takes three messages, or four levels of JSON.
pub const MAX_DEPTH: usize = 20;

pub(super) const KEY: u8 = wire::delimited(1);
pub(super) const VALUE: u8 = wire::delimited(2);
pub(super) const STRING: u8 = wire::delimited(1);
pub(super) const BOOL: u8 = wire::varint(2);
pub(super) const INT: u8 = wire::varint(3);
pub(super) const DOUBLE: u8 = wire::fixed64(4);
pub(super) const ARRAY: u8 = wire::delimited(5);
pub(super) const KVLIST: u8 = wire::delimited(6);
/// The values of an `ArrayValue` and of a `KeyValueList`.
pub(super) const VALUES: u8 = wire::delimited(1);

pub(super) fn pair_json(out: &mut Vec<u8>, key: &str, value: impl FnOnce(&mut Vec<u8>)) {
    key_json(out, key);
    out.extend_from_slice(b",\"value\":");
    value(out);
    out.push(b'}');
}

/// A pair without a value: readers that are strict take no empty one.
pub(super) fn valueless_json(out: &mut Vec<u8>, key: &str) {
    key_json(out, key);
    out.push(b'}');
}

fn key_json(out: &mut Vec<u8>, key: &str) {
    out.extend_from_slice(b"{\"key\":");
    json::text(out, key);
}

pub(super) fn bool_json(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

/// A value under the name of its kind.
pub(super) fn any(out: &mut Vec<u8>, kind: &str, value: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'{');
    json::name(out, kind);
    value(out);
    out.push(b'}');
}

pub(super) fn list_json<T>(
    out: &mut Vec<u8>,
    kind: &str,
    values: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    any(out, kind, |out| {
        out.extend_from_slice(b"{\"values\":[");
        for (nth, value) in values.into_iter().enumerate() {
            if nth > 0 {
                out.push(b',');
            }
            write(out, value);
        }
        out.extend_from_slice(b"]}");
    });
}

/// A value in JSON that may nest so much deeper.
pub(super) fn value_json(out: &mut Vec<u8>, value: &Value, depth: usize) {
    match value {
        Value::Null => out.extend_from_slice(b"{}"),
        Value::Bool(value) => any(out, "boolValue", |out| bool_json(out, *value)),
        Value::I64(value) => any(out, "intValue", |out| json::quoted(out, *value)),
        Value::F64(value) => any(out, "doubleValue", |out| json::float(out, *value)),
        Value::Str(text) => any(out, "stringValue", |out| json::text(out, text)),
        Value::List(_) | Value::Map(_) if depth == 0 => {
            any(out, "stringValue", |out| json::text(out, &as_text(value)));
        }
        Value::List(values) => {
            list_json(out, "arrayValue", values, |out, value| value_json(out, value, depth - 1));
        }
        Value::Map(pairs) => list_json(out, "kvlistValue", pairs.iter(), |out, (key, value)| match value {
            Value::Null => valueless_json(out, key),
            value => pair_json(out, key, |out| value_json(out, value, depth - 1)),
        }),
    }
}

/// A pair in protobuf, whose value may nest so much deeper.
pub(super) fn pair_protobuf(out: &mut Vec<u8>, tag: u8, key: &str, value: &Value, depth: usize) {
    let pair = wire::Slot::open(out, tag, 1);
    wire::text(out, KEY, key);
    value_protobuf(out, VALUE, value, depth);
    pair.close(out);
}

fn value_protobuf(out: &mut Vec<u8>, tag: u8, value: &Value, depth: usize) {
    let slot = wire::Slot::open(out, tag, 1);
    match value {
        Value::Null => {}
        Value::Bool(value) => out.extend_from_slice(&[BOOL, u8::from(*value)]),
        Value::I64(value) => {
            out.push(INT);
            wire::push(out, *value as u64);
        }
        Value::F64(value) => {
            out.push(DOUBLE);
            out.extend_from_slice(&value.to_le_bytes());
        }
        Value::Str(text) => wire::bytes(out, STRING, text.as_bytes()),
        Value::List(_) | Value::Map(_) if depth == 0 => {
            wire::bytes(out, STRING, as_text(value).as_bytes());
        }
        Value::List(values) => {
            let list = wire::Slot::open(out, ARRAY, 1);
            for value in values {
                value_protobuf(out, VALUES, value, depth - 1);
            }
            list.close(out);
        }
        Value::Map(pairs) => {
            let list = wire::Slot::open(out, KVLIST, 1);
            for (key, value) in pairs.iter() {
                pair_protobuf(out, VALUES, key, value, depth - 1);
            }
            list.close(out);
        }
    }
    slot.close(out);
}

/// What nests too deep, as JSON text.
fn as_text(value: &Value) -> String {
    let mut out = Vec::new();
    match json::value(&mut out, value) {
        Ok(()) => String::from_utf8(out).unwrap_or_default(),
        Err(cause) => cause,
    }
}
