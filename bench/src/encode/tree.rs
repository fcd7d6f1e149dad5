//! Trees of `serde_json::Value`, built the way that exporters written by hand build them.
//!
//! No part of a tree is copied once it is built, and a document that is JSON is read into the tree, as it must be to stand in one.

use obs_core::{Batch, Form, Payload, SpanRecord, Timestamp, Value as Attribute};
use serde_json::{Map, Value};

pub(super) fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

pub(super) fn list(values: impl IntoIterator<Item = Value>) -> Value {
    Value::Array(values.into_iter().collect())
}

/// An attribute of OTLP.
pub(super) fn pair(key: &str, kind: &str, value: Value) -> Value {
    object([("key", key.into()), ("value", object([(kind, value)]))])
}

/// Free names beside the known ones.
pub(super) fn beside<'a, K: ToString + 'a>(
    known: Value,
    free: impl Iterator<Item = (&'a K, &'a Attribute)>,
) -> Value {
    let Value::Object(mut fields) = known else { return known };
    fields.extend(named(free));
    Value::Object(fields)
}

pub(super) fn attributes<'a, K: ToString + 'a>(free: impl Iterator<Item = (&'a K, &'a Attribute)>) -> Value {
    Value::Object(named(free).collect::<Map<_, _>>())
}

fn named<'a, K: ToString + 'a>(
    free: impl Iterator<Item = (&'a K, &'a Attribute)>,
) -> impl Iterator<Item = (String, Value)> {
    free.map(|(name, value)| (name.to_string(), plain(value)))
}

fn plain(value: &Attribute) -> Value {
    match value {
        Attribute::Bool(value) => (*value).into(),
        Attribute::I64(value) => (*value).into(),
        Attribute::F64(value) => (*value).into(),
        Attribute::Str(text) => text.as_str().into(),
        Attribute::Null | Attribute::List(_) | Attribute::Map(_) => {
            serde_json::to_value(value).unwrap_or_default()
        }
    }
}

/// What a model was told or said: words as a message of this role, JSON as it is.
pub(super) fn said(payload: Option<&Payload>, role: &str) -> Value {
    let Some(payload) = payload else { return Value::Null };
    match payload.form() {
        Form::Json => serde_json::from_str(payload.as_str()).unwrap_or_default(),
        Form::Text | Form::Unchecked => {
            list([object([("role", role.into()), ("content", payload.as_str().into())])])
        }
    }
}

/// A time with microseconds.
pub(super) fn micros(time: Timestamp) -> String {
    time.rfc3339().micros().to_string()
}

/// The records of a batch as they are, one document each.
pub(super) fn records(batch: &Batch) -> Vec<Vec<u8>> {
    let Batch::Traces(records) = batch else { return Vec::new() };
    let tree = |record: &SpanRecord| serde_json::to_value(record).unwrap_or_default();
    records.iter().map(|record| written(&tree(record))).collect()
}

/// The request, whose bytes do not depend on who wants them.
pub(super) fn written(request: &Value) -> Vec<u8> {
    serde_json::to_vec(request).unwrap_or_default()
}

/// Checks, before anything is measured, that both ways say the same.
pub(super) fn assert_same<T: std::fmt::Debug + PartialEq>(ours: &[T], theirs: &[T]) {
    assert_eq!(ours.len(), theirs.len(), "as many requests");
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert_eq!(ours, theirs, "the same content");
    }
}

/// The bytes of all requests.
pub(super) fn bytes(requests: &[Vec<u8>]) -> usize {
    requests.iter().map(Vec::len).sum()
}

/// Requests in JSON, read again.
pub(super) fn read(requests: &[Vec<u8>]) -> Vec<Value> {
    requests.iter().map(|body| serde_json::from_slice(body).unwrap_or_default()).collect()
}
