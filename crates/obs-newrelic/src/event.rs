//! Events: flat objects with a name and a time.

use obs_core::{Resource, Timestamp, write_json};
use serde::ser::{Serialize, SerializeMap, Serializer};
use uuid::Uuid;

use crate::pairs::{Pairs, Rules, within};

/// Events have at most 254 attributes, of which two are the name and the time.
pub(crate) const EVENT: Rules = Rules {
    reserved: &[
        "eventType",
        "timestamp",
        "event.id",
        "accountId",
        "appId",
        "entity.guid",
        "entity.name",
        "entity.type",
        "log",
        "hostname",
        "plugin.type",
        "fb.input",
        "more",
    ],
    most: 252,
    more: "more",
};

/// The namespace of ids that are made of what an event says.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f62_735f_6e72_5f65_8d1c_52b6_4a70_e93f);

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

    /// With an id made of what it says and of the resource that its record came with, the same at every try: who asks for
    /// `uniqueCount(event.id)` counts one that was sent twice once.
    pub(crate) fn told(mut self, resource: &Resource) -> Self {
        let mut said = Vec::with_capacity(1_024);
        // Texts and finite numbers do not fail to be written.
        let _ = write_json(&mut said, &(Shown { event: &self, most: usize::MAX }, resource));
        self.pairs.first("event.id", Uuid::new_v5(&NAMESPACE, &said).to_string());
        self
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use obs_core::{Attributes, SpanId, Value};
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::pairs::LEAST;

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
    fn what_has_no_room_in_more_either_is_counted_and_the_rest_is_json() {
        let attributes: Attributes = (0..2_000).map(|nth| (format!("a{nth:04}"), nth)).collect();
        let mut event = Event::new("T", Timestamp::from_nanos(0));
        event.pairs.own_all("metadata.", &attributes);
        let found = written(event, 1_000_000);
        let found = found.as_object().unwrap();
        let more: BTreeMap<String, Json> = serde_json::from_str(found["more"].as_str().unwrap()).unwrap();
        let missing = more["truncated"].as_str().unwrap();
        let told: usize = missing.split(' ').find_map(|word| word.parse().ok()).unwrap();
        assert_eq!((found.len() - 3) + (more.len() - 1) + told, 2_000, "{missing}");
    }

    #[test]
    fn a_name_without_a_place_takes_no_other_one_in_more() {
        let mut attributes: Attributes = (0..260).map(|nth| (format!("a{nth:03}"), nth)).collect();
        for (nth, name) in ["z-1", "z 1", "z_1", "z/1"].into_iter().enumerate() {
            attributes.push(name, 1_000 + nth as i64);
        }
        let mut event = Event::new("T", Timestamp::from_nanos(0));
        event.pairs.own_all("metadata.", &attributes);
        let found = written(event, 1_000_000).to_string();
        for nth in 1_000..1_004 {
            assert!(found.contains(&nth.to_string()), "{nth}");
        }
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
