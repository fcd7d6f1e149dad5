//! What visits the text of a record sees every string of it.

use std::sync::Arc;

use obs_core::{
    Attributes, Labels, Payload, Record, Resource, SpanId, Str, TextVisitor, TraceContext, TraceId, Value,
    VisitText,
};
use obs_testkit::{arbitrary, fixtures};
use proptest::prelude::*;
use uuid::Uuid;

const SEEN: &str = "seen";

/// Replaces every string that it is shown.
struct Replacing;

fn replaced(value: &mut Value) {
    match value {
        Value::Str(text) => *text = SEEN.into(),
        Value::List(values) => values.iter_mut().for_each(replaced),
        Value::Map(values) => *values = values_replaced(std::mem::take(values)),
        Value::Null | Value::Bool(_) | Value::I64(_) => {}
        // Non-finite numbers are strings in JSON, and are no text.
        Value::F64(number) => *number = 0.0,
    }
}

fn values_replaced(values: Attributes) -> Attributes {
    let replace = |(_, mut value): (Str, Value)| {
        replaced(&mut value);
        (Str::from(SEEN), value)
    };
    values.into_iter().map(replace).collect()
}

impl TextVisitor for Replacing {
    fn text(&mut self, _: &str, text: &mut Str) {
        *text = SEEN.into();
    }

    fn payload(&mut self, _: &str, payload: &mut Payload) {
        *payload = Payload::text(SEEN);
    }

    fn attribute(&mut self, key: &mut Str, value: &mut Value) {
        *key = SEEN.into();
        replaced(value);
    }

    fn labels(&mut self, labels: &mut Labels) {
        *labels = labels.iter().map(|_| (SEEN, SEEN)).collect();
    }

    fn context(&mut self, context: &mut Arc<TraceContext>) {
        Arc::make_mut(context).visit_text(self);
    }

    fn resource(&mut self, resource: &mut Arc<Resource>) {
        Arc::make_mut(resource).visit_text(self);
    }
}

fn visit(record: &mut Record) {
    match record {
        Record::Span(record) => record.visit_text(&mut Replacing),
        Record::Metric(record) => record.visit_text(&mut Replacing),
        Record::Log(record) => record.visit_text(&mut Replacing),
        Record::Score(record) => record.visit_text(&mut Replacing),
        Record::Feedback(record) => record.visit_text(&mut Replacing),
    }
}

/// Strings that the types themselves write: names of variants without fields, and of numbers.
const OWN_WORDS: &[&str] = &[
    "traces",
    "metrics",
    "logs",
    "scores",
    "feedback",
    "client",
    "server",
    "producer",
    "consumer",
    "ok",
    "error",
    "generic",
    "running",
    "completed",
    "failed",
    "suspended",
    "skipped",
    "plain",
    "for_each",
    "while",
    "until",
    "tool_selection",
    "response_generation",
    "reasoning",
    "planning",
    "trace",
    "debug",
    "info",
    "warn",
    "fatal",
    "delta",
    "cumulative",
    "NaN",
    "Infinity",
    "-Infinity",
];

fn is_own(text: &str) -> bool {
    OWN_WORDS.contains(&text)
        || text.parse::<TraceId>().is_ok()
        || text.parse::<SpanId>().is_ok()
        || text.parse::<Uuid>().is_ok()
}

/// Strings of the JSON that are neither seen nor of the types' own.
fn missed(json: &serde_json::Value, out: &mut Vec<String>) {
    match json {
        serde_json::Value::String(text) if text == SEEN || is_own(text) => {}
        serde_json::Value::String(text) => out.push(text.clone()),
        serde_json::Value::Array(values) => values.iter().for_each(|value| missed(value, out)),
        serde_json::Value::Object(fields) => fields.values().for_each(|value| missed(value, out)),
        _ => {}
    }
}

fn assert_all_visited(mut record: Record) {
    visit(&mut record);
    let mut line = Vec::new();
    record.write_line(&mut line).expect("a record can be written");
    let json = serde_json::from_slice(&line).expect("a line is JSON");
    let mut out = Vec::new();
    missed(&json, &mut out);
    assert!(out.is_empty(), "not visited: {out:?} in {json}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn law_6_every_string_of_a_record_is_visited(record in arbitrary::record()) {
        assert_all_visited(record);
    }
}

#[test]
fn law_6_every_string_of_the_fixtures_is_visited() {
    for batch in fixtures::all() {
        batch.to_records().into_iter().for_each(assert_all_visited);
    }
}
