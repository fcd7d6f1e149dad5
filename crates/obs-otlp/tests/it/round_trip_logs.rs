//! Logs that go out come back as they were.
//!
//! [`expressible`] is the list of what does not.

use std::sync::Arc;

use obs_core::{Attributes, Level, Log, Payload, Record, Timestamp};
use obs_otlp::encode::{Encoding, LogParts, LogRequests, genai};
use obs_otlp::ingest::{self, Ingested, Kind};
use obs_testkit::arbitrary;
use proptest::prelude::*;

use crate::round_trip::{context, resource, some};

fn there_and_back(encoding: Encoding, log: &Log) -> Ingested {
    let mut requests = LogRequests::new(encoding, 1, 0);
    requests.push(0, &log.resource, &LogParts::of(log), |to| genai::log_attributes(log, to));
    let body = requests.finish().remove(0).body;
    match encoding {
        Encoding::Protobuf => ingest::protobuf(Kind::Logs, &body).unwrap(),
        Encoding::Json => ingest::json(std::str::from_utf8(&body).unwrap()).unwrap(),
    }
}

fn back(encoding: Encoding, log: &Log) -> Log {
    let ingested = there_and_back(encoding, log);
    assert_eq!(ingested.refused, []);
    match <[Record; 1]>::try_from(ingested.records) {
        Ok([Record::Log(log)]) => log,
        other => panic!("{other:?}"),
    }
}

/// The canonical JSON, in which numbers that are none are equal to themselves.
fn canonical(log: &Log) -> String {
    serde_json::to_string_pretty(log).unwrap()
}

/// The log as it can be told: to OTLP, an empty text is none.
fn expressible(mut log: Log) -> Log {
    some(&mut log.event_name);
    log.data = log.data.map(|data| data.settled().into_owned());
    log.context = Arc::new(context((*log.context).clone()));
    log.resource = Arc::new(resource((*log.resource).clone()));
    log
}

proptest! {
    #[test]
    fn every_log_comes_back(log in arbitrary::log()) {
        let log = expressible(log);
        for encoding in [Encoding::Protobuf, Encoding::Json] {
            let came_back = back(encoding, &log);
            prop_assert_eq!(canonical(&came_back), canonical(&log), "{:?}", encoding);
        }
    }
}

#[test]
fn a_document_keeps_its_form() {
    let documents = [
        Payload::from_json(r#"{"a": 1}"#).unwrap(),
        Payload::from_json("7").unwrap(),
        Payload::text("[1]"),
        Payload::text(""),
        Payload::text("said"),
    ];
    for data in documents {
        let mut log = Log::new(Timestamp::from_nanos(1), Level::Info, "m");
        log.data = Some(data);
        assert_eq!(back(Encoding::Protobuf, &log), log);
        log.attributes.push("obs.log.data.other", 1);
        assert_eq!(back(Encoding::Json, &log), log, "and takes no other attribute with it");
    }
}

#[test]
fn an_attribute_of_the_log_wins_over_what_is_known_of_its_trace() {
    let mut log = Log::new(Timestamp::from_nanos(1), Level::Info, "m");
    let context = obs_core::TraceContext { user_id: Some("context".into()), ..Default::default() };
    log.context = Arc::new(context);
    log.attributes = Attributes::from_iter([("user.id", "log")]);
    let came_back = back(Encoding::Protobuf, &log);
    assert_eq!((came_back.context.user_id.as_deref(), came_back.attributes.len()), (Some("log"), 0));
}
