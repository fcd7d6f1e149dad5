//! Attributes, written as they are put.

use std::fmt::{self, Display};
use std::io::Write;

use obs_core::{Attributes, Payload, Value};
use serde::Serialize;

use super::value::{
    ARRAY, BOOL, DOUBLE, INT, KEY, MAX_DEPTH, STRING, VALUE, VALUES, any, bool_json, list_json, pair_json,
    pair_protobuf, value_json, valueless_json,
};
use super::{Encoding, json, wire};

/// What the head of a pair and the first bytes of its value take at most: the longest key, 8 bytes around it and 9 behind.
const BLOCK: usize = 80;

/// The longest key that is written with its head.
const MOST_KEY: usize = BLOCK - 17;

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
    #[expect(
        clippy::inline_always,
        reason = "of a constant key, the length and the bytes are constants then"
    )]
    #[inline(always)]
    pub fn str(&mut self, key: &str, value: &str) {
        match self.encoding {
            Encoding::Protobuf => self.proto_str(key, value),
            Encoding::Json => self.json_str(key, value),
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
                self.head(key, 2, [BOOL, value.into()]);
            }
            Encoding::Json => self.pair(key, |out| any(out, "boolValue", |out| bool_json(out, value))),
        }
    }

    /// Puts an integer.
    #[expect(
        clippy::inline_always,
        reason = "of a constant key, the length and the bytes are constants then"
    )]
    #[inline(always)]
    pub fn i64(&mut self, key: &str, value: i64) {
        match self.encoding {
            Encoding::Protobuf => self.proto_i64(key, value as u64),
            Encoding::Json => self.json_i64(key, value),
        }
    }

    /// Puts an integer that is never negative; one that OTLP's integers do not reach is put as the nearest float.
    #[expect(
        clippy::inline_always,
        reason = "of a constant key, the length and the bytes are constants then"
    )]
    #[inline(always)]
    pub fn u64(&mut self, key: &str, value: u64) {
        match i64::try_from(value) {
            Ok(value) => self.i64(key, value),
            Err(_) => self.f64(key, value as f64),
        }
    }

    /// Puts a float, finite or not.
    #[expect(
        clippy::inline_always,
        reason = "of a constant key, the length and the bytes are constants then"
    )]
    #[inline(always)]
    pub fn f64(&mut self, key: &str, value: f64) {
        match self.encoding {
            Encoding::Protobuf => self.proto_f64(key, value),
            Encoding::Json => self.json_f64(key, value),
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
                Encoding::Protobuf => pair_protobuf(self.out, self.tag, key, value, MAX_DEPTH),
                Encoding::Json if *value == Value::Null => {
                    self.separate();
                    valueless_json(self.out, key);
                }
                Encoding::Json => self.pair(key, |out| value_json(out, value, MAX_DEPTH)),
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
                list_json(out, "arrayValue", values, |out, text| {
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

    /// In protobuf, all of a pair up to its value, whose length is known, and the first bytes of the value.
    #[expect(
        clippy::inline_always,
        reason = "of a constant key, the length and the bytes are constants then"
    )]
    #[inline(always)]
    fn head<const N: usize>(&mut self, key: &str, value: usize, first: [u8; N]) {
        let len = key.len();
        let pair = 3 + len + wire::len(value as u64) + value;
        if len == 0 || len > MOST_KEY || pair >= wire::SHORT {
            self.long_head(key, value);
            return self.out.extend_from_slice(&first);
        }
        // All of it is one piece, for which there is room once: piece by piece, each waits for the length of the one before.
        let at = self.out.len();
        self.out.extend_from_slice(&[0; BLOCK]);
        let block = &mut self.out[at..at + BLOCK];
        block[0] = self.tag;
        let key_at = if pair < 0x80 {
            (block[1], block[2], block[3]) = (pair as u8, KEY, len as u8);
            4
        } else {
            let [low, high] = wire::short(pair);
            (block[1], block[2], block[3], block[4]) = (low, high, KEY, len as u8);
            5
        };
        let behind = key_at + len;
        block[key_at..behind].copy_from_slice(key.as_bytes());
        let first_at = if value < 0x80 {
            (block[behind], block[behind + 1]) = (VALUE, value as u8);
            behind + 2
        } else {
            let [low, high] = wire::short(value);
            (block[behind], block[behind + 1], block[behind + 2]) = (VALUE, low, high);
            behind + 3
        };
        block[first_at..first_at + N].copy_from_slice(&first);
        self.out.truncate(at + first_at + N);
    }

    #[inline(never)]
    fn long_head(&mut self, key: &str, value: usize) {
        let key_len = if key.is_empty() { 0 } else { wire::field_len(key.len()) };
        wire::head(self.out, self.tag, key_len + wire::field_len(value));
        wire::text(self.out, KEY, key);
        wire::head(self.out, VALUE, value);
    }

    /// Text in protobuf.
    #[expect(
        clippy::inline_always,
        reason = "of a constant key, the length and the bytes are constants then"
    )]
    #[inline(always)]
    fn proto_str(&mut self, key: &str, value: &str) {
        let len = value.len();
        if len < 0x80 {
            self.head(key, 2 + len, [STRING, len as u8]);
        } else if len < wire::SHORT {
            let [low, high] = wire::short(len);
            self.head(key, 3 + len, [STRING, low, high]);
        } else {
            self.head(key, wire::field_len(len), []);
            wire::head(self.out, STRING, len);
        }
        self.out.extend_from_slice(value.as_bytes());
    }

    /// An integer in protobuf.
    #[expect(
        clippy::inline_always,
        reason = "of a constant key, the length and the bytes are constants then"
    )]
    #[inline(always)]
    fn proto_i64(&mut self, key: &str, value: u64) {
        if value < 0x80 {
            self.head(key, 2, [INT, value as u8]);
        } else if value < wire::SHORT as u64 {
            let [low, high] = wire::short(value as usize);
            self.head(key, 3, [INT, low, high]);
        } else {
            self.head(key, 1 + wire::len(value), [INT]);
            wire::push(self.out, value);
        }
    }

    /// A float in protobuf.
    #[expect(
        clippy::inline_always,
        reason = "of a constant key, the length and the bytes are constants then"
    )]
    #[inline(always)]
    fn proto_f64(&mut self, key: &str, value: f64) {
        self.head(key, 9, wire::tagged(DOUBLE, value.to_le_bytes()));
    }

    #[inline(never)]
    fn json_str(&mut self, key: &str, value: &str) {
        self.pair(key, |out| any(out, "stringValue", |out| json::text(out, value)));
    }

    #[inline(never)]
    fn json_i64(&mut self, key: &str, value: i64) {
        self.pair(key, |out| any(out, "intValue", |out| json::quoted(out, value)));
    }

    #[inline(never)]
    fn json_f64(&mut self, key: &str, value: f64) {
        self.pair(key, |out| any(out, "doubleValue", |out| json::float(out, value)));
    }

    /// In JSON, a pair, its value written by `value`.
    fn pair(&mut self, key: &str, value: impl FnOnce(&mut Vec<u8>)) {
        self.separate();
        pair_json(self.out, key, value);
    }

    fn separate(&mut self) {
        if self.out.last() != Some(&b'[') {
            self.out.push(b',');
        }
    }
}
