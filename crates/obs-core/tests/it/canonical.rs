//! A record is written as one line and read back as itself.

use obs_core::{Batch, Record, Signal};
use obs_testkit::{arbitrary, fixtures};
use proptest::prelude::*;

fn line_of(record: &Record) -> String {
    let mut line = Vec::new();
    record.write_line(&mut line).expect("a record can be written");
    String::from_utf8(line).expect("a line is UTF-8")
}

fn lines_of(batch: &Batch) -> String {
    let mut lines = Vec::new();
    batch.write_lines(&mut lines, |at, error| panic!("record {at}: {error}"));
    String::from_utf8(lines).expect("lines are UTF-8")
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// More contexts and resources take turns than the writer remembers, and it never takes one for another.
    #[test]
    fn a_batch_whose_records_share_contexts_is_written_as_its_records_are(
        spans in proptest::collection::vec((arbitrary::span_record(), 0..6_usize, 0..3_usize), 0..24),
        contexts in proptest::collection::vec(arbitrary::context(), 6),
        resources in proptest::collection::vec(arbitrary::resource(), 3),
    ) {
        let records = spans.into_iter().map(|(mut record, context, resource)| {
            record.span_mut().context = contexts[context].clone();
            record.span_mut().resource = resources[resource].clone();
            record
        });
        let batch = Batch::Traces(records.collect::<Vec<_>>().into());
        prop_assert_eq!(lines_of(&batch), batch.to_records().iter().map(by_serde_json).collect::<String>());
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
        let each: String = batch.to_records().iter().map(line_of).collect();
        assert_eq!(lines_of(&batch), each);
    }
}
