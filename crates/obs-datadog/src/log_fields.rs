//! The fields of a log: flat, each under a name of its own.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;

use obs_core::{Attributes, Payload, Value};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::numbered::Numbered;

/// What Datadog reads a log's source, host, time, level, text, service or trace from, whoever wrote it.
const RESERVED: &[&str] = &[
    "",
    "ddsource",
    "ddtags",
    "source",
    "host",
    "hostname",
    "service",
    "status",
    "severity",
    "level",
    "message",
    "msg",
    "log",
    "timestamp",
    "Timestamp",
    "_timestamp",
    "@timestamp",
    "date",
    "eventTime",
    "published_date",
    "trace_id",
    "span_id",
    "dd",
    "otel",
    "syslog",
];

/// Below these, too.
const RESERVED_BELOW: &[&str] = &["dd.", "syslog."];

/// What stands before the name of a field that another has already, or that means something else to Datadog.
const ELSEWHERE: &str = "attr.";

/// A value of a field.
#[derive(Debug)]
pub(crate) enum Field<'a> {
    Text(Cow<'a, str>),
    Number(u64),
    Value(&'a Value),
    Attributes(&'a Attributes),
    Payload(&'a Payload),
    Json(&'a RawValue),
}

impl Serialize for Field<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Value(value) => value.serialize(serializer),
            Self::Attributes(attributes) => Unique(attributes).serialize(serializer),
            Self::Payload(payload) => payload.serialize(serializer),
            Self::Json(json) => json.serialize(serializer),
        }
    }
}

/// Attributes as an object in which no key stands twice: of those that do, the last.
struct Unique<'a>(&'a Attributes);

impl Serialize for Unique<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let last: HashMap<&str, usize> =
            self.0.iter().enumerate().map(|(at, (key, _))| (key.as_str(), at)).collect();
        let kept = self.0.iter().enumerate().filter(|(at, (key, _))| last.get(key.as_str()) == Some(at));
        serializer.collect_map(kept.map(|(_, pair)| pair))
    }
}

/// The fields of a log in the order in which they were added.
#[derive(Debug, Default)]
pub(crate) struct Fields<'a> {
    all: Vec<(Cow<'a, str>, Field<'a>)>,
    /// How many of them are Datadog's and ours.
    own: usize,
    seen: HashSet<Cow<'a, str>>,
    numbered: Numbered,
}

impl<'a> Fields<'a> {
    /// Adds a field that has a meaning; all of these come before the user's.
    pub(crate) fn own(&mut self, name: &'static str, field: Field<'a>) {
        debug_assert_eq!(self.own, self.all.len(), "the fields of the user come last");
        if self.seen.insert(name.into()) {
            self.all.push((name.into(), field));
            self.own += 1;
        }
    }

    /// Adds a text that has a meaning, where there is one.
    pub(crate) fn text(&mut self, name: &'static str, text: Option<impl Into<Cow<'a, str>>>) {
        if let Some(text) = text {
            self.own(name, Field::Text(text.into()));
        }
    }

    /// Adds a field of the user's: under its own name, or with `attr.` before it where that name is taken or has a meaning
    /// for Datadog.
    pub(crate) fn user(&mut self, name: impl Into<Cow<'a, str>>, field: Field<'a>) {
        let mut name = name.into();
        if self.is_taken(&name) {
            let mut numbered = std::mem::take(&mut self.numbered);
            name = numbered.free(&format!("{ELSEWHERE}{name}"), |name| self.is_taken(name)).into();
            self.numbered = numbered;
        }
        self.seen.insert(name.clone());
        self.all.push((name, field));
    }

    /// Whether the name has a meaning, is there already, or is that of an object which one of ours stands in.
    fn is_taken(&self, name: &str) -> bool {
        let within =
            |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'));
        RESERVED.contains(&name)
            || RESERVED_BELOW.iter().any(|reserved| name.starts_with(reserved))
            || self.seen.contains(name)
            || self.all[..self.own].iter().any(|(own, _)| within(own, name) || within(name, own))
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.all.iter().map(|(name, field)| (name, field)))
    }
}

/// The entries of a JSON object as they stand in its text.
#[derive(Debug)]
pub(crate) struct Entries<'a>(pub(crate) Vec<(String, &'a RawValue)>);

impl<'a> Entries<'a> {
    /// The entries of a document, where it is an object.
    pub(crate) fn of(document: &'a Payload) -> Option<Self> {
        let is_object = document.as_str().trim_ascii_start().starts_with('{');
        (is_object && document.form() == obs_core::Form::Json)
            .then(|| serde_json::from_str(document.as_str()).ok())?
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(pairs)
            }
        }
        deserializer.deserialize_map(Pairs).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_user_names_like_ours_is_kept_under_another_name() {
        let mut fields = Fields::default();
        fields.text("message", Some("m"));
        fields.text("usr.id", Some("u"));
        let value = Value::I64(1);
        for name in
            ["message", "usr", "usr.id", "usr.id.part", "host", "dd.service", "order", "order", "order", ""]
        {
            fields.user(name, Field::Value(&value));
        }
        let names: Vec<_> = fields.all.iter().map(|(name, _)| &**name).collect();
        assert_eq!(
            names,
            [
                "message",
                "usr.id",
                "attr.message",
                "attr.usr",
                "attr.usr.id",
                "attr.usr.id.part",
                "attr.host",
                "attr.dd.service",
                "order",
                "attr.order",
                "attr.order.2",
                "attr.",
            ]
        );
    }

    /// Data of strangers may name one field as often as it likes: the time grows with it, and not with its square.
    #[test]
    fn equal_names_are_numbered_in_time() {
        let value = Value::I64(1);
        let mut fields = Fields::default();
        for _ in 0..100_000 {
            fields.user("a", Field::Value(&value));
        }
        assert_eq!((fields.all.len(), fields.seen.len()), (100_000, 100_000));
        assert_eq!(fields.all[99_999].0, "attr.a.99999");
    }

    #[test]
    fn entries_stand_as_they_were_written() {
        let document = Payload::from(r#" {"a": 1.0, "a": [2], "b": {"c": null}}"#);
        let settled = document.settled();
        let entries = Entries::of(&settled).unwrap().0;
        let told: Vec<_> = entries.iter().map(|(key, value)| (&**key, value.get())).collect();
        assert_eq!(told, [("a", "1.0"), ("a", "[2]"), ("b", r#"{"c": null}"#)]);
        for none in [Payload::from("[1]"), Payload::text(r#"{"a": 1}"#)] {
            assert!(Entries::of(&none.settled()).is_none());
        }
    }
}
