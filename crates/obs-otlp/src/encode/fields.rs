//! Attributes, written as they are put.

use std::fmt::{self, Display};
use std::io::Write;

use obs_core::{Attributes, Payload, Value};
use serde::Serialize;

use super::{Encoding, json, wire};

/// The deepest nesting of an attribute's value; what lies deeper is written as JSON text.
///
/// Readers of protobuf commonly stop at 100 messages within each other and readers of JSON at 127 levels, and refuse the whole request.
/// A level of a map takes three messages, or four levels of JSON.
pub const MAX_DEPTH: usize = 20;

const KEY: u8 = wire::delimited(1);
const VALUE: u8 = wire::delimited(2);
const STRING: u8 = wire::delimited(1);
const BOOL: u8 = wire::varint(2);
const INT: u8 = wire::varint(3);
const DOUBLE: u8 = wire::fixed64(4);
const ARRAY: u8 = wire::delimited(5);
const KVLIST: u8 = wire::delimited(6);
/// The values of an `ArrayValue` and of a `KeyValueList`.
const VALUES: u8 = wire::delimited(1);

/// The attributes of a span, an event, a link, a scope or a resource.
///
/// What is put is written at once, in the order it is put.
/// OTLP wants keys to be unique, and the caller sees to it.
pub struct Fields<'a> {
    out: &'a mut Vec<u8>,
    /// For what must be text before its length is known.
    scratch: &'a mut Vec<u8>,
    encoding: Encoding,
    /// In protobuf, the tag of an attribute in its message.
    tag: u8,
}

impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fields").field("encoding", &self.encoding).finish_non_exhaustive()
    }
}

/// Writes the attributes of a message, whose field of this number they are.
#[inline]
pub(super) fn write(
    out: &mut Vec<u8>,
    scratch: &mut Vec<u8>,
    encoding: Encoding,
    field: u8,
    put: impl FnOnce(&mut Fields<'_>),
) {
    let tag = wire::delimited(field);
    match encoding {
        Encoding::Protobuf => put(&mut Fields { out, scratch, encoding, tag }),
        Encoding::Json => {
            let before = out.len();
            json::name(out, "attributes");
            out.push(b'[');
            let start = out.len();
            put(&mut Fields { out, scratch, encoding, tag });
            if out.len() == start {
                out.truncate(before);
            } else {
                out.push(b']');
            }
        }
    }
}

impl Fields<'_> {
    /// Puts text.
    #[inline]
    pub fn str(&mut self, key: &str, value: &str) {
        match self.encoding {
            Encoding::Protobuf => {
                self.head(key, wire::field_len(value.len()));
                wire::bytes(self.out, STRING, value.as_bytes());
            }
            Encoding::Json => self.pair(key, |out| any(out, "stringValue", |out| json::text(out, value))),
        }
    }

    /// Puts text, if there is any.
    #[inline]
    pub fn opt_str(&mut self, key: &str, value: Option<&(impl AsRef<str> + ?Sized)>) {
        if let Some(value) = value {
            self.str(key, value.as_ref());
        }
    }

    /// Puts a truth value.
    pub fn bool(&mut self, key: &str, value: bool) {
        match self.encoding {
            Encoding::Protobuf => {
                self.head(key, 2);
                self.out.extend_from_slice(&[BOOL, value.into()]);
            }
            Encoding::Json => self.pair(key, |out| any(out, "boolValue", |out| json_bool(out, value))),
        }
    }

    /// Puts an integer.
    #[inline]
    pub fn i64(&mut self, key: &str, value: i64) {
        match self.encoding {
            Encoding::Protobuf => {
                self.head(key, 1 + wire::len(value as u64));
                self.out.push(INT);
                wire::push(self.out, value as u64);
            }
            Encoding::Json => self.pair(key, |out| any(out, "intValue", |out| json::quoted(out, value))),
        }
    }

    /// Puts an integer that is never negative; one that OTLP's integers do not reach is put as the nearest float.
    #[inline]
    pub fn u64(&mut self, key: &str, value: u64) {
        match i64::try_from(value) {
            Ok(value) => self.i64(key, value),
            Err(_) => self.f64(key, value as f64),
        }
    }

    /// Puts a float, finite or not.
    #[inline]
    pub fn f64(&mut self, key: &str, value: f64) {
        match self.encoding {
            Encoding::Protobuf => {
                self.head(key, 9);
                self.out.push(DOUBLE);
                self.out.extend_from_slice(&value.to_le_bytes());
            }
            Encoding::Json => self.pair(key, |out| any(out, "doubleValue", |out| json::float(out, value))),
        }
    }

    /// Puts a value of any kind; lists and maps stay such, down to [`MAX_DEPTH`].
    pub fn value(&mut self, key: &str, value: &Value) {
        match value {
            Value::Str(text) => self.str(key, text),
            Value::Bool(value) => self.bool(key, *value),
            Value::I64(value) => self.i64(key, *value),
            Value::F64(value) => self.f64(key, *value),
            Value::Null | Value::List(_) | Value::Map(_) => match self.encoding {
                Encoding::Protobuf => pair_to(self.out, self.tag, key, value, MAX_DEPTH),
                Encoding::Json => self.pair(key, |out| json_value(out, value, MAX_DEPTH)),
            },
        }
    }

    /// Puts a list of texts.
    pub fn strs(&mut self, key: &str, values: impl IntoIterator<Item = impl AsRef<str>>) {
        match self.encoding {
            Encoding::Protobuf => {
                let pair = wire::Slot::open(self.out, self.tag, 1);
                wire::text(self.out, KEY, key);
                let value = wire::Slot::open(self.out, VALUE, 1);
                let list = wire::Slot::open(self.out, ARRAY, 1);
                for text in values {
                    let text = text.as_ref().as_bytes();
                    wire::head(self.out, VALUES, wire::field_len(text.len()));
                    wire::bytes(self.out, STRING, text);
                }
                list.close(self.out);
                value.close(self.out);
                pair.close(self.out);
            }
            Encoding::Json => self.pair(key, |out| {
                json_list(out, "arrayValue", values, |out, text| {
                    any(out, "stringValue", |out| json::text(out, text.as_ref()));
                });
            }),
        }
    }

    /// Puts anything that serialises, as text that is its JSON.
    ///
    /// What does not serialise, for example a map whose keys are no texts, is put as the cause in words: the rest of the span is worth more than this attribute.
    pub fn json<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) {
        self.scratched(key, |scratch| {
            if let Err(cause) = json::value(scratch, value) {
                scratch.extend_from_slice(format!("not serialisable: {cause}").as_bytes());
            }
        });
    }

    /// Puts a document as its text, JSON or not.
    #[inline]
    pub fn payload(&mut self, key: &str, value: &Payload) {
        self.str(key, value.as_str());
    }

    /// Puts what something prints, as text.
    pub fn display(&mut self, key: &str, value: impl Display) {
        self.scratched(key, |scratch| {
            // A vector takes all that is written to it.
            let _ = write!(scratch, "{value}");
        });
    }

    /// Puts every pair.
    pub fn attributes(&mut self, attributes: &Attributes) {
        for (key, value) in attributes.iter() {
            self.value(key, value);
        }
    }

    /// Puts the text that is written into the scratch buffer.
    fn scratched(&mut self, key: &str, write: impl FnOnce(&mut Vec<u8>)) {
        let mut scratch = std::mem::take(self.scratch);
        scratch.clear();
        write(&mut scratch);
        match str::from_utf8(&scratch) {
            Ok(text) => self.str(key, text),
            Err(_) => self.str(key, &String::from_utf8_lossy(&scratch)),
        }
        *self.scratch = scratch;
    }

    /// In protobuf, all of a pair up to its value, whose length is known.
    #[inline]
    fn head(&mut self, key: &str, value: usize) {
        let key_len = if key.is_empty() { 0 } else { wire::field_len(key.len()) };
        self.out.reserve(key_len + value + 16);
        wire::head(self.out, self.tag, key_len + wire::field_len(value));
        wire::text(self.out, KEY, key);
        wire::head(self.out, VALUE, value);
    }

    /// In JSON, a pair, its value written by `value`.
    fn pair(&mut self, key: &str, value: impl FnOnce(&mut Vec<u8>)) {
        if self.out.last() != Some(&b'[') {
            self.out.push(b',');
        }
        json_pair(self.out, key, value);
    }
}

fn json_pair(out: &mut Vec<u8>, key: &str, value: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(b"{\"key\":");
    json::text(out, key);
    out.extend_from_slice(b",\"value\":");
    value(out);
    out.push(b'}');
}

fn json_bool(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

/// A value under the name of its kind.
fn any(out: &mut Vec<u8>, kind: &str, value: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'{');
    json::name(out, kind);
    value(out);
    out.push(b'}');
}

fn json_list<T>(
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
fn json_value(out: &mut Vec<u8>, value: &Value, depth: usize) {
    match value {
        Value::Null => out.extend_from_slice(b"{}"),
        Value::Bool(value) => any(out, "boolValue", |out| json_bool(out, *value)),
        Value::I64(value) => any(out, "intValue", |out| json::quoted(out, *value)),
        Value::F64(value) => any(out, "doubleValue", |out| json::float(out, *value)),
        Value::Str(text) => any(out, "stringValue", |out| json::text(out, text)),
        Value::List(_) | Value::Map(_) if depth == 0 => {
            any(out, "stringValue", |out| json::text(out, &as_text(value)));
        }
        Value::List(values) => {
            json_list(out, "arrayValue", values, |out, value| json_value(out, value, depth - 1));
        }
        Value::Map(pairs) => json_list(out, "kvlistValue", pairs.iter(), |out, (key, value)| {
            json_pair(out, key, |out| json_value(out, value, depth - 1));
        }),
    }
}

/// A pair in protobuf, whose value may nest so much deeper.
fn pair_to(out: &mut Vec<u8>, tag: u8, key: &str, value: &Value, depth: usize) {
    let pair = wire::Slot::open(out, tag, 1);
    wire::text(out, KEY, key);
    value_to(out, VALUE, value, depth);
    pair.close(out);
}

fn value_to(out: &mut Vec<u8>, tag: u8, value: &Value, depth: usize) {
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
                value_to(out, VALUES, value, depth - 1);
            }
            list.close(out);
        }
        Value::Map(pairs) => {
            let list = wire::Slot::open(out, KVLIST, 1);
            for (key, value) in pairs.iter() {
                pair_to(out, VALUES, key, value, depth - 1);
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
