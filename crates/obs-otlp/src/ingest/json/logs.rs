//! Logs in JSON.

use obs_core::Record;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use serde_json::Value;

use super::fields::Fields;
use crate::ingest::collect::Source;
use crate::ingest::logs;

const SEVERITIES: [&str; 25] = [
    "unspecified",
    "trace",
    "trace2",
    "trace3",
    "trace4",
    "debug",
    "debug2",
    "debug3",
    "debug4",
    "info",
    "info2",
    "info3",
    "info4",
    "warn",
    "warn2",
    "warn3",
    "warn4",
    "error",
    "error2",
    "error3",
    "error4",
    "fatal",
    "fatal2",
    "fatal3",
    "fatal4",
];

pub(super) fn read(
    value: &Value,
    source: &mut Source,
    records: &mut Vec<Record>,
    refused: &mut Vec<(String, String)>,
) {
    if let Err(reason) = log(value).and_then(|log| logs::convert(&log, source, records)) {
        refused.push((String::new(), reason));
    }
}

fn log(value: &Value) -> Result<LogRecord, String> {
    let fields = Fields::of(value)?;
    Ok(LogRecord {
        time_unix_nano: fields.u64("timeUnixNano")?,
        observed_time_unix_nano: fields.u64("observedTimeUnixNano")?,
        severity_number: fields.name_of("severityNumber", "SEVERITY_NUMBER_", &SEVERITIES)?,
        severity_text: fields.string("severityText")?,
        body: fields.value("body")?,
        attributes: fields.attributes("attributes")?,
        dropped_attributes_count: fields.u32("droppedAttributesCount")?,
        flags: fields.u32("flags")?,
        trace_id: fields.id("traceId", 16)?,
        span_id: fields.id("spanId", 8)?,
        event_name: fields.string("eventName")?,
    })
}
