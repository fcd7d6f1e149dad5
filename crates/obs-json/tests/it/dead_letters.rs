//! A file as the place for dead letters.

use obs_core::{Batch, DeadLetters, ErrorKind, Rejection, Signal};
use obs_json::{JsonExporter, read_lines};
use obs_testkit::fixtures;

fn put(exporter: &JsonExporter, rejection: &Rejection) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(exporter.put("langfuse-eu", rejection)).unwrap();
}

#[test]
fn a_dead_letter_keeps_the_reason_and_its_record_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dead.jsonl");
    let exporter = JsonExporter::file(&path).unwrap();
    let mut expected = Vec::new();
    for signal in Signal::ALL {
        let batch = fixtures::batch(signal);
        expected.extend(batch.to_records());
        let rejection = Rejection::of(batch, ErrorKind::Rejected, "no \"such\" field,\"record\":");
        put(&exporter, &Rejection { status: Some(400), attempts: 3, ..rejection });
    }
    let records: Vec<_> = read_lines(&path).unwrap().map(|record| record.unwrap()).collect();
    assert_eq!(records, expected);
    let text = std::fs::read_to_string(&path).unwrap();
    for line in text.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let letter = &line["dead_letter"];
        assert_eq!((&letter["destination"], &letter["status"]), (&"langfuse-eu".into(), &400.into()));
        assert_eq!((&letter["kind"], &letter["attempts"]), (&"rejected".into(), &3.into()));
        assert_eq!(letter["reason"], "no \"such\" field,\"record\":");
    }
}

#[test]
fn a_rejection_without_records_is_a_line_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dead.jsonl");
    let exporter = JsonExporter::file(&path).unwrap();
    let rejection = Rejection::of(Batch::empty(Signal::Logs), ErrorKind::Rejected, "7 of them");
    put(&exporter, &Rejection { records: None, count: 7, ..rejection });
    let line: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!((&line["dead_letter"]["count"], &line["record"]), (&7.into(), &serde_json::Value::Null));
}
