//! What goes in comes out.

use std::collections::{BTreeMap, HashSet};

use obs_core::{Record, Score, Signal, SpanId, SpanRecord, Timestamp, TraceId};
use obs_store::RecordQuery;
use obs_testkit::{arbitrary, fixtures};
use proptest::prelude::*;

use crate::support::{Place, ended, export, feedback, score, span, trace_id};

/// Everything: the limit is the test's.
const ALL: RecordQuery = RecordQuery { limit: 1_000, since: None, until: None, trace_id: None };

/// The canonical JSON of each record, sorted: numbers that are none are equal there.
fn lines(records: impl IntoIterator<Item = impl Into<Record>>) -> Vec<String> {
    let mut lines: Vec<String> = records
        .into_iter()
        .map(|record| {
            let mut line = Vec::new();
            record.into().write_line(&mut line).unwrap();
            String::from_utf8(line).unwrap()
        })
        .collect();
    lines.sort();
    lines
}

/// A span as it is read back: whether it was a start is told by its end.
fn as_read(record: &SpanRecord) -> Record {
    ended(record.span().clone())
}

/// A time as its column has it: the last one of SQLite's integers stands for all beyond.
fn shown(time: Timestamp) -> u64 {
    time.as_nanos().min(i64::MAX as u64)
}

macro_rules! round_trip {
    ($name:ident, $one:expr, $list:ident) => {
        proptest! {
            #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]
            #[test]
            fn $name(records in prop::collection::vec($one, 1..30)) {
                let place = Place::new();
                let exporter = place.exporter();
                export(&exporter, records.iter().cloned().map(Record::from));
                let read = exporter.reader().$list(&ALL).unwrap();
                prop_assert!(read.is_sorted_by(|a, b| shown(a.time) >= shown(b.time)), "the latest first");
                prop_assert_eq!(lines(read), lines(records));
            }
        }
    };
}

round_trip!(logs_read_back_as_they_were, arbitrary::log(), list_logs);
round_trip!(metrics_read_back_as_they_were, arbitrary::metric(), list_metrics);

macro_rules! round_trip_by_id {
    ($name:ident, $one:expr, $list:ident) => {
        proptest! {
            #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]
            #[test]
            fn $name(mut records in prop::collection::vec($one, 1..30)) {
                let mut known = HashSet::new();
                records.retain(|record| known.insert(record.id));
                let place = Place::new();
                let exporter = place.exporter();
                export(&exporter, records.iter().cloned().map(Record::from));
                prop_assert_eq!(lines(exporter.reader().$list(&ALL).unwrap()), lines(records));
            }
        }
    };
}

round_trip_by_id!(law_5_scores_read_back_as_they_were, arbitrary::score(), list_scores);
round_trip_by_id!(law_5_feedback_reads_back_as_it_was, arbitrary::feedback(), list_feedback);

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn law_5_spans_read_back_as_they_were(records in prop::collection::vec(arbitrary::span_record(), 1..30)) {
        let (place, mut known) = (Place::new(), HashSet::new());
        let exporter = place.exporter();
        let mut traces: BTreeMap<TraceId, Vec<SpanRecord>> = BTreeMap::new();
        for record in records {
            if known.insert((record.span().trace_id, record.span().span_id)) {
                traces.entry(record.span().trace_id).or_default().push(record);
            }
        }
        export(&exporter, traces.values().flatten().cloned().map(Record::from));
        for (id, records) in traces {
            let trace = exporter.reader().find_trace(id).unwrap().unwrap();
            prop_assert!(trace.spans.is_sorted_by_key(|span| span.start));
            prop_assert_eq!(lines(trace.spans.into_iter().map(ended)), lines(records.iter().map(as_read)));
        }
    }
}

#[test]
fn every_fixture_reads_back_as_it_was() {
    for batch in fixtures::all() {
        let place = Place::new();
        let exporter = place.exporter();
        export(&exporter, batch.to_records());
        let reader = exporter.reader();
        let read = match batch.signal() {
            Signal::Traces => continue,
            Signal::Metrics => lines(reader.list_metrics(&ALL).unwrap()),
            Signal::Logs => lines(reader.list_logs(&ALL).unwrap()),
            Signal::Scores => lines(reader.list_scores(&ALL).unwrap()),
            Signal::Feedback => lines(reader.list_feedback(&ALL).unwrap()),
        };
        assert_eq!(read, lines(batch.to_records()), "{}", batch.signal());
    }
}

#[test]
fn a_retry_with_the_same_id_overwrites_itself() {
    let place = Place::new();
    let exporter = place.exporter();
    let (mut once, said) = (score(1, 7, 5), feedback(1, 7, 5));
    export(&exporter, [once.clone().into(), said.clone().into(), once.clone().into(), said.clone().into()]);
    once.comment = Some("changed".into());
    export(&exporter, [once.clone().into(), said.clone().into()]);
    let reader = exporter.reader();
    assert_eq!(reader.list_scores(&ALL).unwrap(), [once]);
    assert_eq!(reader.list_feedback(&ALL).unwrap(), [said]);
}

#[test]
fn a_span_that_is_delivered_again_is_there_once_and_as_it_ended() {
    let place = Place::new();
    let exporter = place.exporter();
    let whole = span(7, 1, 100);
    let mut running = whole.clone();
    running.end = None;
    let started = Record::from(SpanRecord::Started(running.clone()));

    export(&exporter, [started.clone()]);
    let reader = exporter.reader();
    assert_eq!(reader.find_trace(trace_id(7)).unwrap().unwrap().spans, [running], "it runs");
    export(&exporter, [ended(whole.clone()), ended(whole.clone())]);
    export(&exporter, [started, ended(whole.clone())]);
    assert_eq!(reader.find_trace(trace_id(7)).unwrap().unwrap().spans, std::slice::from_ref(&whole));

    // A clock that was set back gives the same span another start; readers see it once even so.
    let mut moved = whole;
    moved.start = Timestamp::from_nanos(50);
    export(&exporter, [ended(moved.clone())]);
    assert_eq!(reader.find_trace(trace_id(7)).unwrap().unwrap().spans.len(), 1);
}

#[test]
fn targets_are_found_by_their_columns() {
    let place = Place::new();
    let exporter = place.exporter();
    let span_id = SpanId::new(3).unwrap();
    let of_span = obs_core::Target::Span { trace_id: trace_id(7), span_id, root_span_id: None };
    let score = Score { target: of_span, ..score(1, 7, 5) };
    export(&exporter, [score.clone().into()]);
    let database = rusqlite::Connection::open(place.path()).unwrap();
    let row: (String, String, f64) = database
        .query_row("SELECT trace_id, span_id, value FROM scores", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    assert_eq!(row, (trace_id(7).to_string(), span_id.to_string(), 0.5));
}
