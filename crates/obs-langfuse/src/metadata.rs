//! What has no place of its own in Langfuse: the metadata of an observation and of its trace.

use std::borrow::Cow;

use obs_core::{
    Attributes, Chunk, Cost, Decision, Event, Link, MemoryHit, Payload, Range, Rfc3339, Str, Usage, Value,
};
use obs_otlp::encode::Fields;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::attribute;
use crate::text;
use crate::wire::{DecisionBody, EventBody, LinkBody};

/// The greatest integer that all servers read rightly: those before summer 2026 mistake the sign of a 32-bit half.
const LARGEST_INTEGER: i64 = i32::MAX as i64;

/// The greatest integer that a float holds exactly.
const LARGEST_EXACT: u64 = 1 << 53;

/// One value of the metadata, borrowed from its record.
pub(crate) enum Item<'a> {
    Text(&'a str),
    Time(Rfc3339),
    Flag(bool),
    Count(u64),
    Number(f64),
    Id(Uuid),
    Value(&'a Value),
    Document(&'a Payload),
    Texts(&'a [Str]),
    Attributes(&'a Attributes),
    Chunks(&'a [Chunk]),
    Hits(&'a [MemoryHit]),
    Decisions(&'a [Decision]),
    Events(&'a [Event]),
    Links(&'a [Link]),
    Usage(&'a Usage),
    Cost(&'a Cost),
    Range(Range),
}

impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Time(time) => time.serialize(serializer),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Count(count) => serializer.serialize_u64(*count),
            Self::Number(number) => Value::F64(*number).serialize(serializer),
            Self::Id(id) => id.serialize(serializer),
            Self::Value(value) => value.serialize(serializer),
            Self::Document(document) => document.serialize(serializer),
            Self::Texts(texts) => texts.serialize(serializer),
            Self::Attributes(attributes) => attributes.serialize(serializer),
            Self::Chunks(chunks) => chunks.serialize(serializer),
            Self::Hits(hits) => hits.serialize(serializer),
            Self::Decisions(decisions) => serializer.collect_seq(decisions.iter().map(DecisionBody::of)),
            Self::Events(events) => serializer.collect_seq(events.iter().map(EventBody::of)),
            Self::Links(links) => serializer.collect_seq(links.iter().map(LinkBody::of)),
            Self::Usage(usage) => usage.serialize(serializer),
            Self::Cost(cost) => cost.serialize(serializer),
            Self::Range(range) => range.serialize(serializer),
        }
    }
}

impl Item<'_> {
    /// Puts it as an attribute; what has parts as JSON text, since the server reads no other form of them.
    fn put(&self, to: &mut Fields<'_>, key: &str) {
        match self {
            Self::Text(text) => to.str(key, text),
            Self::Time(time) => to.str(key, time.encode(&mut [0; 30])),
            Self::Flag(flag) | Self::Value(Value::Bool(flag)) => to.bool(key, *flag),
            Self::Count(count) => match i64::try_from(*count) {
                Ok(count) => integer(to, key, count),
                Err(_) => to.display(key, count),
            },
            Self::Number(number) | Self::Value(Value::F64(number)) => float(to, key, *number),
            Self::Id(id) => to.display(key, id),
            Self::Value(Value::Str(text)) => to.str(key, text),
            Self::Value(Value::I64(value)) => integer(to, key, *value),
            Self::Document(document) => to.payload(key, document),
            other => to.json(key, other),
        }
    }
}

fn integer(to: &mut Fields<'_>, key: &str, value: i64) {
    if (0..=LARGEST_INTEGER).contains(&value) {
        to.i64(key, value);
    } else if value.unsigned_abs() <= LARGEST_EXACT {
        to.f64(key, value as f64);
    } else {
        to.display(key, value);
    }
}

fn float(to: &mut Fields<'_>, key: &str, value: f64) {
    if value.is_finite() {
        to.f64(key, value);
    } else {
        to.str(
            key,
            if value.is_nan() {
                "NaN"
            } else if value > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            },
        );
    }
}

/// Named values in order, no name twice.
///
/// The server lays the trace's and the observation's over each other, so that a name is given once among both: who comes
/// later gets an underscore behind it.
pub(crate) struct Metadata<'a> {
    entries: Vec<(Cow<'a, str>, Item<'a>)>,
    /// How many of them are the trace's, which come first.
    of_trace: usize,
    /// The names that are not free.
    taken: &'static [&'static str],
}

/// The names under which the server itself writes into an observation's metadata.
const OF_SERVER: &[&str] = &[
    "attributes",
    "resourceAttributes",
    "scopeAttributes",
    "scope",
    "langfuse_user_id",
    "langfuse_session_id",
    "langfuse_tags",
];

impl Default for Metadata<'_> {
    fn default() -> Self {
        // As many as a model call with a full context has.
        Self { entries: Vec::with_capacity(32), of_trace: 0, taken: &[] }
    }
}

impl<'a> Metadata<'a> {
    /// That of an observation and its trace, beside which the server writes some of its own.
    pub(crate) fn of_observation() -> Self {
        Self { taken: OF_SERVER, ..Self::default() }
    }

    /// Adds a value.
    pub(crate) fn put(&mut self, key: &'a str, item: Item<'a>) {
        let mut key = text::key(key);
        while self.taken.contains(&&*key) || self.entries.iter().any(|(known, _)| *known == key) {
            key = Cow::Owned(key.into_owned() + "_");
        }
        self.entries.push((key, item));
    }

    /// Adds a value under one of the server's own names, in its place.
    pub(crate) fn put_as_server(&mut self, key: &'static str, item: Item<'a>) {
        self.entries.push((Cow::Borrowed(key), item));
    }

    /// Adds a text, if there is one.
    pub(crate) fn text(&mut self, key: &'a str, text: Option<&'a Str>) {
        if let Some(text) = text {
            self.put(key, Item::Text(text));
        }
    }

    /// Adds a number, if there is one.
    pub(crate) fn count(&mut self, key: &'a str, count: Option<impl Into<u64>>) {
        if let Some(count) = count {
            self.put(key, Item::Count(count.into()));
        }
    }

    /// Adds yes or no, if one is known.
    pub(crate) fn flag(&mut self, key: &'a str, flag: Option<bool>) {
        if let Some(flag) = flag {
            self.put(key, Item::Flag(flag));
        }
    }

    /// Adds a list, unless it is empty.
    pub(crate) fn list<T>(&mut self, key: &'a str, list: &'a [T], item: impl FnOnce(&'a [T]) -> Item<'a>) {
        if !list.is_empty() {
            self.put(key, item(list));
        }
    }

    /// Adds every attribute under its own key.
    pub(crate) fn attributes(&mut self, attributes: &'a Attributes) {
        for (key, value) in attributes.iter() {
            self.put(key, Item::Value(value));
        }
    }

    /// Ends the trace's part: what comes now is the observation's.
    pub(crate) fn end_of_trace(&mut self) {
        self.of_trace = self.entries.len();
    }

    /// Puts all of it as attributes.
    pub(crate) fn write(&self, to: &mut Fields<'_>) {
        let mut key = String::with_capacity(64);
        for (nth, (name, item)) in self.entries.iter().enumerate() {
            key.clear();
            key.push_str(if nth < self.of_trace {
                attribute::TRACE_METADATA
            } else {
                attribute::OBSERVATION_METADATA
            });
            key.push_str(name);
            item.put(to, &key);
        }
    }

    /// Puts attributes of a resource or a scope, by the same rules.
    pub(crate) fn write_shared(attributes: &Attributes, to: &mut Fields<'_>) {
        let mut shared = Metadata::default();
        shared.attributes(attributes);
        for (name, item) in &shared.entries {
            item.put(to, name);
        }
    }

    /// The trace's part, as one JSON object.
    pub(crate) fn trace(&self) -> Part<'_, 'a> {
        Part(&self.entries[..self.of_trace])
    }

    /// The observation's part, as one JSON object.
    pub(crate) fn observation(&self) -> Part<'_, 'a> {
        Part(&self.entries[self.of_trace..])
    }
}

/// Named values, as one JSON object.
pub(crate) struct Part<'m, 'a>(&'m [(Cow<'a, str>, Item<'a>)]);

impl Part<'_, '_> {
    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Part<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, item) in self.0 {
            map.serialize_entry(name, item)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_the_server_writes_itself_are_taken() {
        let attributes: Attributes = OF_SERVER.iter().map(|name| (*name, "mine")).collect();
        let mut of_score = Metadata::default();
        of_score.attributes(&attributes);
        assert!(serde_json::to_string(&of_score.observation()).unwrap().contains(r#""scope":"mine""#));
        let mut metadata = Metadata::of_observation();
        metadata.attributes(&attributes);
        metadata.put_as_server("resourceAttributes", Item::Text("its"));
        let json = serde_json::to_value(metadata.observation()).unwrap();
        for name in OF_SERVER {
            assert_eq!(json[format!("{name}_")], "mine");
            assert_eq!(json.get(name).is_some(), *name == "resourceAttributes");
        }
    }

    #[test]
    fn no_name_stands_twice() {
        let attributes: Attributes = [("query", "user's"), ("a", "1")].into_iter().collect();
        let mut metadata = Metadata::default();
        metadata.attributes(&attributes);
        metadata.end_of_trace();
        for text in ["ours", "and another"] {
            metadata.put("query", Item::Text(text));
        }
        let json = serde_json::to_string(&metadata.observation()).unwrap();
        assert_eq!(json, r#"{"query_":"ours","query__":"and another"}"#);
        assert_eq!(serde_json::to_string(&metadata.trace()).unwrap(), r#"{"query":"user's","a":"1"}"#);
    }
}
