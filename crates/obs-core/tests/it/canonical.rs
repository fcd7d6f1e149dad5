//! A record is written as one line and read back as itself.

use obs_core::{Batch, Record, Signal};
use obs_testkit::{arbitrary, fixtures};
use proptest::prelude::*;

fn line_of(record: &Record) -> String {
    let mut line = Vec::new();
    record.write_line(&mut line).expect("a record can be written");
    String::from_utf8(line).expect("a line is UTF-8")
}

/// The line as `serde_json` writes it.
fn by_serde_json(record: &Record) -> String {
    let json = match record {
        Record::Span(record) => serde_json::to_string(record),
        Record::Metric(record) => serde_json::to_string(record),
        Record::Log(record) => serde_json::to_string(record),
        Record::Score(record) => serde_json::to_string(record),
        Record::Feedback(record) => serde_json::to_string(record),
    };
    let (signal, json) = (record.signal(), json.expect("a record can be written"));
    format!("{{\"v\":1,\"signal\":\"{signal}\",\"record\":{json}}}\n")
}

/// Whether a number in the line is written as its name: such an attribute reads back as text, and NaN equals nothing.
fn is_exact(line: &str) -> bool {
    !["\"NaN\"", "\"Infinity\"", "\"-Infinity\""].iter().any(|name| line.contains(name))
}

fn assert_round_trip(record: &Record) {
    let line = line_of(record);
    assert_eq!(line, by_serde_json(record), "serde_json writes another line");
    assert_eq!(line.matches('\n').count(), 1, "{line:?}");
    assert!(line.ends_with("}\n") && !line.contains('\r'), "{line:?}");
    let read = Record::from_line(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
    assert_eq!(line_of(&read), line, "the second line differs from the first");
    if is_exact(&line) {
        assert_eq!(&read, record, "{line}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn canonical_json_round_trips_every_signal(record in arbitrary::record()) {
        assert_round_trip(&record);
    }
}

#[test]
fn canonical_json_round_trips_every_fixture() {
    for record in fixtures::all().iter().flat_map(Batch::to_records) {
        assert_round_trip(&record);
    }
}

#[test]
fn a_batch_is_written_as_its_records_are() {
    for signal in Signal::ALL {
        let batch = fixtures::batch(signal);
        let mut lines = Vec::new();
        batch.write_lines(&mut lines, |at, error| panic!("record {at}: {error}"));
        let each: String = batch.to_records().iter().map(line_of).collect();
        assert_eq!(String::from_utf8(lines).expect("lines are UTF-8"), each);
    }
}
