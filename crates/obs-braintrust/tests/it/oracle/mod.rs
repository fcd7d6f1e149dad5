//! A second reading of what is sent: each row is decoded by a table of fields that shares nothing with the exporter, and
//! held against the record it came from.

mod judgements;
mod spans;

use obs_core::{Attributes, Batch, Log, Payload, Signal, Timestamp, TraceContext};
use obs_testkit::fixtures;
use serde_json::{Value, json};

use crate::server::{lenient, sent};

/// What it is, where it stands in the row, and how it is read off the record; null is absent.
type Field<T> = (&'static str, &'static str, fn(&T) -> Value);

/// A time in seconds as the wire has it, from the whole number of microseconds.
fn seconds(time: Timestamp) -> Value {
    json!(time.as_micros() as f64 / 1e6)
}

/// Whether a time in seconds is told to a microsecond, since floats differ in their last digit by the way they were made.
fn near(told: &Value, wanted: &Value) -> bool {
    match (told.as_f64(), wanted.as_f64()) {
        (Some(told), Some(wanted)) => (told - wanted).abs() <= 2e-6,
        _ => told == wanted,
    }
}

/// The fields that are times; all others are told exactly.
const TIMES: [&str; 3] = ["/metrics/start", "/metrics/end", "/metrics/time_to_first_token"];

fn or_null<T: serde::Serialize>(value: Option<T>) -> Value {
    value.map_or(Value::Null, |value| serde_json::to_value(value).unwrap())
}

/// JSON as itself and words as words; so is JSON that nobody could read in a row and a list of its metadata.
fn document(payload: &Payload) -> Value {
    let text = serde_json::to_string(payload).unwrap();
    let inside = format!("[[[[[[[{text}]]]]]]]");
    let is_read = |text: &str| serde_json::from_str::<Value>(text).is_ok();
    if is_read(&text) && !is_read(&inside) { Value::from(text) } else { lenient(&text) }
}

/// What every row says of its trace.
const TRACE: &[Field<TraceContext>] = &[
    ("user", "/metadata/user_id", |context| or_null(context.user_id.clone())),
    ("session", "/metadata/session_id", |context| or_null(context.session_id.clone())),
    ("thread", "/metadata/thread_id", |context| or_null(context.thread_id.clone())),
    ("request", "/metadata/request_id", |context| or_null(context.request_id.clone())),
    ("organisation", "/metadata/organization_id", |context| or_null(context.organization_id.clone())),
    ("environment", "/metadata/environment", |context| or_null(context.environment.clone())),
    ("release", "/metadata/release", |context| or_null(context.release.clone())),
    ("version", "/metadata/version", |context| or_null(context.version.clone())),
    ("trace's name", "/metadata/trace_name", |context| or_null(context.name.clone())),
    ("experiment", "/metadata/experiment_id", |context| or_null(context.experiment_id.clone())),
    ("entity", "/metadata/entity", |context| or_null(context.entity.clone())),
    ("parent entity", "/metadata/parent_entity", |context| or_null(context.parent_entity.clone())),
];

const LOG: &[Field<Log>] = &[
    ("message", "/output", |log| json!(log.message)),
    ("type", "/span_attributes/type", |_| json!("log")),
    ("level", "/span_attributes/log_level", |log| json!(log.level)),
    ("time", "/metrics/start", |log| seconds(log.time)),
    ("no length", "/metrics/end", |log| seconds(log.time)),
    ("created", "/created", |log| json!(log.time.rfc3339().to_string())),
    ("event", "/metadata/event_name", |log| or_null(log.event_name.clone())),
    ("document", "/metadata/data", |log| log.data.as_ref().map_or(Value::Null, document)),
];

/// Every field of the table, and the record's own attributes.
fn hold<T>(table: &[Field<T>], record: &T, row: &Value) {
    for (what, place, read) in table {
        let told = row.pointer(place).unwrap_or(&Value::Null);
        // JSON has no names for what is no number, which the canonical form has as texts.
        let wanted = lenient(&read(record).to_string());
        let holds = if TIMES.contains(place) { near(told, &wanted) } else { *told == wanted };
        assert!(holds, "{what} at {place}: {told} and not {wanted}, in {row:.2000}");
    }
}

/// Each attribute stands under its name, or in the object for those whose name is taken.
fn hold_attributes(attributes: &Attributes, object: &str, row: &Value) {
    let metadata = &row["metadata"];
    for (name, value) in attributes.iter() {
        let (flat, covered) = (&metadata[name.as_str()], &metadata[object][name.as_str()]);
        let value = lenient(&serde_json::to_string(value).unwrap());
        assert!(*flat == value || *covered == value, "{object} {name}: {value} is lost");
    }
}

#[tokio::test]
async fn every_row_of_a_log_says_what_the_log_says() {
    let batches = [
        fixtures::batch(Signal::Logs),
        fixtures::nasty(Signal::Logs),
        fixtures::trace_batches().swap_remove(1),
    ];
    for batch in batches {
        let Batch::Logs(records) = batch.clone() else { panic!("no logs") };
        let sent = sent(batch).await;
        assert_eq!(sent.rows.len(), records.len());
        for (row, log) in sent.rows.iter().zip(records.iter()) {
            hold(LOG, log, row);
            hold(TRACE, &log.context, row);
            hold_attributes(&log.attributes, "attributes", row);
        }
    }
}
