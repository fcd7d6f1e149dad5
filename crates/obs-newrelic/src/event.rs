//! Flat objects: events, and the attributes of points.

use std::borrow::Cow;
use std::collections::BTreeMap;

use obs_core::{Attributes, Resource, Str, Timestamp, TraceContext, Value, write_json};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::wire::Scalar;
use crate::{context, names};

/// Where attributes stand that have no room or no name of their own.
const MORE: &str = "more";

/// Which names are New Relic's own, and how many attributes there may be.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) reserved: &'static [&'static str],
    pub(crate) most: usize,
}

/// Events have at most 254 attributes, of which two are the name and the time.
pub(crate) const EVENT: Rules = Rules {
    reserved: &[
        "eventType",
        "timestamp",
        "accountId",
        "appId",
        "entity.guid",
        "entity.name",
        "entity.type",
        "log",
        "hostname",
        "plugin.type",
        "fb.input",
        MORE,
    ],
    most: 252,
};

/// Attributes by their names, each once.
#[derive(Debug)]
pub(crate) struct Pairs<'a> {
    rules: &'static Rules,
    /// How many there may be.
    most: usize,
    /// A name that none may have beside those of the rules.
    taken: Option<&'a str>,
    all: Vec<(Cow<'a, str>, Scalar<'a>)>,
    /// What has no place of its own.
    more: BTreeMap<String, Scalar<'a>>,
}

impl<'a> Pairs<'a> {
    pub(crate) fn new(rules: &'static Rules) -> Self {
        let all = Vec::with_capacity(24);
        Self { rules, most: rules.most, taken: None, all, more: BTreeMap::new() }
    }

    /// With room for so many fewer, and without an attribute of this name.
    pub(crate) fn beside(mut self, fewer: usize, taken: &'a str) -> Self {
        self.most = self.most.saturating_sub(fewer).max(2);
        self.taken = Some(taken);
        self
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    fn has(&self, name: &str) -> bool {
        self.all.iter().any(|(known, _)| known == name)
    }

    /// An attribute of ours, whose name is known to be free.
    pub(crate) fn put(&mut self, name: &'a str, value: Scalar<'a>) {
        self.all.push((Cow::Borrowed(name), value));
    }

    pub(crate) fn text(&mut self, name: &'a str, text: impl Into<Cow<'a, str>>) {
        self.put(name, Scalar::Text(text.into()));
    }

    pub(crate) fn some(&mut self, name: &'a str, text: Option<&'a Str>) {
        if let Some(text) = text {
            self.text(name, text.as_str());
        }
    }

    pub(crate) fn number(&mut self, name: &'a str, number: f64) {
        self.put(name, float(number));
    }

    /// An attribute of the record's own: where its name is taken, it stands behind the prefix.
    pub(crate) fn own(&mut self, prefix: &str, name: &'a str, value: Scalar<'a>) {
        let clean = names::attribute(name);
        let reserved = self.rules.reserved.contains(&&*clean) || self.taken == Some(&*clean);
        if !reserved && !self.has(&clean) {
            self.all.push((clean, value));
            return;
        }
        let behind = names::attribute(&format!("{prefix}{name}")).into_owned();
        if self.has(&behind) {
            self.more.insert(name.to_owned(), value);
        } else {
            self.all.push((Cow::Owned(behind), value));
        }
    }

    /// A part of what an attribute of the record's own says.
    pub(crate) fn part(&mut self, name: &str, part: &str, value: Scalar<'a>) {
        let whole = names::attribute(&format!("{name}.{part}")).into_owned();
        if self.has(&whole) {
            self.more.insert(whole, value);
        } else {
            self.all.push((Cow::Owned(whole), value));
        }
    }

    /// The attributes of the record's own.
    pub(crate) fn own_all(&mut self, prefix: &str, attributes: &'a Attributes) {
        for (name, value) in attributes.iter() {
            if let Some(value) = scalar(value) {
                self.own(prefix, name, value);
            }
        }
    }

    /// An attribute that records share: one of this name that is there already wins.
    pub(crate) fn shared(&mut self, name: &'a str, value: Scalar<'a>) {
        if !self.has(name) {
            self.own("resource.", name, value);
        }
    }

    /// What is known of the trace, under the names that spans have by OTLP.
    pub(crate) fn context(&mut self, context: &'a TraceContext) {
        context::put(context, |name, value| self.shared(name, value));
    }

    /// What produced the record.
    pub(crate) fn resource(&mut self, resource: &'a Resource) {
        for (name, value) in resource.attributes.iter() {
            if let Some(value) = scalar(value) {
                self.shared(name, value);
            }
        }
    }

    /// Moves what is beyond the room for it to the rest.
    pub(crate) fn settle(&mut self) {
        if self.all.len() + usize::from(!self.more.is_empty()) > self.most {
            let beyond = self.all.split_off(self.most - 1);
            self.more.extend(beyond.into_iter().map(|(name, value)| (name.into_owned(), value)));
        }
        if !self.more.is_empty() {
            let more = json(&self.more);
            self.more.clear();
            self.all.push((Cow::Borrowed(MORE), Scalar::Text(more)));
        }
    }

    /// Writes the attributes, with texts of so many characters at most.
    fn write<M: SerializeMap>(&self, to: &mut M, most: usize) -> Result<(), M::Error> {
        for (name, value) in &self.all {
            match value {
                Scalar::Text(text) => to.serialize_entry(name, &names::text(text, most))?,
                other => to.serialize_entry(name, other)?,
            }
        }
        Ok(())
    }
}

/// Attributes as an object, with texts of so many characters at most.
#[derive(Debug)]
pub(crate) struct Object<'a, 'b> {
    pub(crate) pairs: &'b Pairs<'a>,
    pub(crate) most: usize,
}

impl Serialize for Object<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.pairs.write(&mut map, self.most)?;
        map.end()
    }
}

/// The JSON that `show` makes with texts of so many characters, in at most `max` bytes: texts are cut as far as it takes.
///
/// Names have a limit, so that [`LEAST`] bytes hold whatever there is once the texts are gone.
pub(crate) fn within<T: Serialize>(max: usize, show: impl Fn(usize) -> T) -> Vec<u8> {
    let mut most = names::TEXT;
    loop {
        let mut body = Vec::with_capacity(1_024);
        // Texts and finite numbers do not fail to be written.
        let _ = write_json(&mut body, &show(most));
        if body.len() <= max || most == 0 {
            return body;
        }
        most /= 4;
    }
}

/// What any object has room in.
pub(crate) const LEAST: u64 = 128 << 10;

/// An event.
#[derive(Debug)]
pub(crate) struct Event<'a> {
    kind: &'a str,
    time: Timestamp,
    pub(crate) pairs: Pairs<'a>,
}

impl<'a> Event<'a> {
    pub(crate) fn new(kind: &'a str, time: Timestamp) -> Self {
        Self { kind, time, pairs: Pairs::new(&EVENT) }
    }

    /// The JSON in at most so many bytes.
    pub(crate) fn within(mut self, max: usize) -> Vec<u8> {
        self.pairs.settle();
        within(max, |most| Shown { event: &self, most })
    }
}

struct Shown<'a, 'b> {
    event: &'b Event<'a>,
    most: usize,
}

impl Serialize for Shown<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("eventType", self.event.kind)?;
        map.serialize_entry("timestamp", &self.event.time.as_millis())?;
        self.event.pairs.write(&mut map, self.most)?;
        map.end()
    }
}

/// A number; what is none in JSON is its name.
pub(crate) fn float(number: f64) -> Scalar<'static> {
    if number.is_finite() {
        Scalar::Float(number)
    } else if number.is_nan() {
        Scalar::Text("NaN".into())
    } else {
        Scalar::Text(if number > 0.0 { "Infinity" } else { "-Infinity" }.into())
    }
}

/// The value of an attribute as New Relic has it: lists and maps are JSON, and nothing is left out.
pub(crate) fn scalar(value: &Value) -> Option<Scalar<'_>> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(true) => Scalar::Text("true".into()),
        Value::Bool(false) => Scalar::Text("false".into()),
        Value::I64(number) => Scalar::Int(*number),
        Value::F64(number) => float(*number),
        Value::Str(text) => Scalar::Text(text.as_str().into()),
        Value::List(_) | Value::Map(_) => Scalar::Text(json(value)),
    })
}

/// A value as JSON text.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Cow<'static, str> {
    let mut json = Vec::new();
    // Neither texts nor attributes fail to be written; what did would be empty.
    let _ = write_json(&mut json, value);
    Cow::Owned(String::from_utf8_lossy(&json).into_owned())
}

#[cfg(test)]
mod tests {
    use obs_core::SpanId;
    use serde_json::{Value as Json, json};

    use super::*;

    fn written(event: Event<'_>, max: usize) -> Json {
        let body = event.within(max);
        assert!(body.len() <= max);
        serde_json::from_slice(&body).unwrap()
    }

    #[test]
    fn what_is_new_relics_own_stands_behind_a_prefix_and_nothing_is_there_twice() {
        let attributes: Attributes = [
            ("accountId", Value::from("a")),
            ("a-b", Value::from("b")),
            ("a/b", Value::from("c")),
            ("a b", Value::from("d")),
            ("flag", Value::from(true)),
            ("none", Value::Null),
            ("list", Value::List(vec![Value::from(1), Value::from("x")])),
        ]
        .into_iter()
        .collect();
        let mut event = Event::new("T", Timestamp::from_nanos(1_500_000));
        event.pairs.number("score", f64::NAN);
        event.pairs.own_all("metadata.", &attributes);
        let found = written(event, 1_000_000);
        let expected = json!({
            "eventType": "T", "timestamp": 1, "score": "NaN", "metadata.accountId": "a", "a_b": "b",
            "metadata.a_b": "c", "flag": "true", "list": "[1,\"x\"]", "more": "{\"a b\":\"d\"}",
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn what_records_share_yields_to_what_a_record_says_itself() {
        let resource = Resource {
            attributes: [("service.name", Value::from("shop")), ("score", Value::from(1))]
                .into_iter()
                .collect(),
            scope: None,
        };
        let mut event = Event::new("T", Timestamp::from_nanos(0));
        event.pairs.number("score", 0.5);
        event.pairs.resource(&resource);
        let found = written(event, 1_000_000);
        assert_eq!((&found["score"], &found["service.name"]), (&json!(0.5), &json!("shop")));
    }

    #[test]
    fn attributes_beyond_the_limit_stand_as_json_in_one() {
        let attributes: Attributes = (0..400).map(|nth| (format!("a{nth:03}"), nth)).collect();
        let mut event = Event::new("T", Timestamp::from_nanos(0));
        event.pairs.text("id", SpanId::new(7).unwrap().to_string());
        event.pairs.own_all("metadata.", &attributes);
        let found = written(event, 1_000_000);
        let found = found.as_object().unwrap();
        assert_eq!(found.len(), 254);
        let more: BTreeMap<String, Json> = serde_json::from_str(found["more"].as_str().unwrap()).unwrap();
        assert_eq!((found.len() - 1) + more.len(), 400 + 3);
    }

    #[test]
    fn an_event_that_is_too_large_has_its_texts_cut_as_far_as_it_takes() {
        let attributes: Attributes =
            (0..200).map(|nth| (format!("a{nth:03}"), "\u{1}".repeat(5_000))).collect();
        let mut event = Event::new("T", Timestamp::from_nanos(0));
        event.pairs.own_all("metadata.", &attributes);
        let found = written(event, 1_000_000);
        assert!(found["a000"].as_str().unwrap().ends_with("[truncated by obs: 5000 bytes were too large]"));
    }

    #[test]
    fn the_largest_event_has_room_in_the_smallest_request() {
        let attributes: Attributes =
            (0..300).map(|nth| (format!("{nth:0300}"), "\u{1}".repeat(5_000))).collect();
        let mut event = Event::new("T", Timestamp::from_nanos(0));
        event.pairs.own_all("metadata.", &attributes);
        assert!(event.within(LEAST as usize - 2).len() <= LEAST as usize - 2);
    }
}
