//! The encoder of logs against `opentelemetry-proto` with prost and with serde.

use std::sync::Arc;

use obs_core::{Batch, Level, Log, Resource, Signal, SpanRef, Timestamp};
use obs_otlp::encode::{Chunk, Encoding, LogParts, LogRequests};
use obs_testkit::{arbitrary, fixtures};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;

use crate::bodies::{CUTS, check_json, check_protobuf, max_bytes};
use crate::oracle;

fn encode(encoding: Encoding, logs: &[Log], (max_items, max_bytes): (usize, usize)) -> Vec<Chunk> {
    let mut requests = LogRequests::new(encoding, max_items, max_bytes).expecting(max_items % 9);
    for (at, log) in logs.iter().enumerate() {
        requests.push(at, &log.resource, &LogParts::of(log), |to| to.attributes(&log.attributes));
    }
    requests.finish()
}

fn expected(logs: &[Log], records: &[usize]) -> ExportLogsServiceRequest {
    let mut groups: Vec<(&Resource, ResourceLogs)> = Vec::new();
    for log in records.iter().map(|at| &logs[*at]) {
        // A number that is none makes a resource differ from itself, which is one group all the same.
        let same =
            |known: &Resource| std::ptr::eq(known, Arc::as_ptr(&log.resource)) || *known == *log.resource;
        let group = match groups.iter_mut().find(|(resource, _)| same(resource)) {
            Some((_, group)) => group,
            None => &mut groups.push_mut((&log.resource, empty(&log.resource))).1,
        };
        group.scope_logs[0].log_records.push(message(log));
    }
    ExportLogsServiceRequest { resource_logs: groups.into_iter().map(|(_, group)| group).collect() }
}

fn empty(resource: &Resource) -> ResourceLogs {
    ResourceLogs {
        resource: oracle::resource(resource),
        scope_logs: vec![ScopeLogs { scope: oracle::scope(resource), ..ScopeLogs::default() }],
        ..ResourceLogs::default()
    }
}

fn message(log: &Log) -> LogRecord {
    let (number, text) = match log.level {
        Level::Trace => (SeverityNumber::Trace, "TRACE"),
        Level::Debug => (SeverityNumber::Debug, "DEBUG"),
        Level::Info => (SeverityNumber::Info, "INFO"),
        Level::Warn => (SeverityNumber::Warn, "WARN"),
        Level::Error => (SeverityNumber::Error, "ERROR"),
        Level::Fatal => (SeverityNumber::Fatal, "FATAL"),
    };
    let body = Some(log.message.to_string()).filter(|body| !body.is_empty());
    LogRecord {
        time_unix_nano: log.time.as_nanos(),
        observed_time_unix_nano: log.time.as_nanos(),
        severity_number: number.into(),
        severity_text: text.to_owned(),
        body: body.map(|body| oracle::value(any_value::Value::StringValue(body))),
        attributes: oracle::pairs(&log.attributes),
        flags: u32::from(log.span.is_some()),
        trace_id: log.span.map(|span| span.trace_id.to_bytes().to_vec()).unwrap_or_default(),
        span_id: log.span.and_then(|span| span.span_id).map(|id| id.to_bytes().to_vec()).unwrap_or_default(),
        event_name: log.event_name.as_ref().map(ToString::to_string).unwrap_or_default(),
        ..LogRecord::default()
    }
}

fn check(logs: &[Log], cut: (usize, usize)) {
    let expected = |records: &[usize]| expected(logs, records);
    check_protobuf(logs.len(), cut, &encode(Encoding::Protobuf, logs, cut), expected);
    check_json(logs.len(), cut, &encode(Encoding::Json, logs, cut), expected);
}

#[test]
fn every_fixture_is_encoded_as_prost_and_serde_do() {
    let logs: Vec<Log> = [fixtures::batch(Signal::Logs), fixtures::nasty(Signal::Logs)]
        .into_iter()
        .flat_map(|batch| match batch {
            Batch::Logs(records) => records.iter().cloned().collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        })
        .collect();
    for cut in CUTS {
        check(&logs, cut);
    }
}

fn logs() -> impl Strategy<Value = Vec<Log>> {
    let resources = vec(arbitrary::resource(), 1..3);
    let logs = vec((arbitrary::log(), any::<proptest::sample::Index>(), any::<bool>()), 0..6);
    (resources, logs).prop_map(|(resources, logs)| {
        let with_resource = |(mut log, index, own): (Log, proptest::sample::Index, bool)| {
            log.resource = resources[index.index(resources.len())].clone();
            if own {
                log.resource = Arc::new((*log.resource).clone());
            }
            log
        };
        logs.into_iter().map(with_resource).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_log_is_encoded_as_prost_and_serde_do(logs in logs(), items in 0usize..5, bytes in max_bytes()) {
        check(&logs, (items, bytes));
    }
}

fn one(encoding: Encoding, parts: &LogParts<'_>) -> Vec<u8> {
    let mut requests = LogRequests::new(encoding, 1, 0);
    requests.push(0, &Arc::default(), parts, |_| {});
    requests.finish().remove(0).body
}

#[test]
fn a_log_outside_of_traces_has_empty_ids_and_every_log_was_observed() {
    let parts = LogParts::new(Timestamp::from_nanos(1_768_478_400_000_000_001), Level::Warn);
    let body = one(Encoding::Protobuf, &parts);
    let mut request = ExportLogsServiceRequest::decode(body.as_slice()).unwrap();
    let record = request.resource_logs.remove(0).scope_logs.remove(0).log_records.remove(0);
    assert_eq!((record.trace_id.len(), record.span_id.len(), record.flags), (0, 0, 0));
    assert_eq!(record.observed_time_unix_nano, 1_768_478_400_000_000_001);

    let span = SpanRef { trace_id: fixtures::trace_id(1), span_id: None };
    let body = one(Encoding::Json, &LogParts { span: Some(span), body: "m", event_name: "e", ..parts });
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let expected = serde_json::json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [{
        "timeUnixNano": "1768478400000000001", "observedTimeUnixNano": "1768478400000000001",
        "severityNumber": 13, "severityText": "WARN", "body": {"stringValue": "m"}, "flags": 1,
        "traceId": fixtures::trace_id(1).to_string(), "eventName": "e",
    }]}]}]});
    assert_eq!(body, expected);
}

#[test]
fn no_logs_are_no_requests() {
    assert_eq!(LogRequests::new(Encoding::Protobuf, 1, 1).finish(), []);
}
