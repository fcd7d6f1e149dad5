//! A second oracle: lines decoded as plain JSON, and held against the records by a table.

use obs_core::{Batch, Exporter, Record, Signal, SpanRecord};
use obs_testkit::fixtures;
use serde_json::Value;

use crate::support::{config, exporter};

/// What, where in the line, and how it reads off the record.
type Row = (&'static str, &'static str, fn(&Record) -> Value);

const EVERY: &[Row] = &[
    ("the version of the line", "/v", |_| 1.into()),
    ("the signal", "/signal", |record| record.signal().as_str().into()),
];

const FIELDS: [&[Row]; Signal::COUNT] = [
    &[
        ("the trace", "/record/ended/trace_id", |record| {
            span(record, |span| span.trace_id.to_string().into())
        }),
        ("the span", "/record/ended/span_id", |record| span(record, |span| span.span_id.to_string().into())),
        ("its name", "/record/ended/name", |record| span(record, |span| span.name.as_str().into())),
        ("its start", "/record/ended/start", |record| span(record, |span| span.start.as_nanos().into())),
        ("its end", "/record/ended/end", |record| {
            span(record, |span| span.end.map_or(Value::Null, |end| end.as_nanos().into()))
        }),
    ],
    &[
        ("the time", "/record/time", |record| of_metric(record, |metric| metric.time.as_nanos().into())),
        ("the name", "/record/name", |record| of_metric(record, |metric| metric.name.as_str().into())),
    ],
    &[
        ("the time", "/record/time", |record| of_log(record, |log| log.time.as_nanos().into())),
        ("the words", "/record/message", |record| of_log(record, |log| log.message.as_str().into())),
        ("the trace", "/record/span/trace_id", |record| {
            of_log(record, |log| {
                log.span.as_ref().map_or(Value::Null, |span| span.trace_id.to_string().into())
            })
        }),
    ],
    &[
        ("the id", "/record/id", |record| of_score(record, |score| score.id.to_string().into())),
        ("the name", "/record/name", |record| of_score(record, |score| score.name.as_str().into())),
        ("the time", "/record/time", |record| of_score(record, |score| score.time.as_nanos().into())),
    ],
    &[
        ("the id", "/record/id", |record| of_feedback(record, |feedback| feedback.id.to_string().into())),
        ("the kind", "/record/kind", |record| of_feedback(record, |feedback| feedback.kind.as_str().into())),
    ],
];

macro_rules! off {
    ($name:ident, $variant:ident, $type:ty) => {
        fn $name(record: &Record, read: fn(&$type) -> Value) -> Value {
            match record {
                Record::$variant(record) => read(record),
                other => panic!("{other:?}"),
            }
        }
    };
}

off!(of_metric, Metric, obs_core::Metric);
off!(of_log, Log, obs_core::Log);
off!(of_score, Score, obs_core::Score);
off!(of_feedback, Feedback, obs_core::Feedback);

fn span(record: &Record, read: fn(&obs_core::Span) -> Value) -> Value {
    match record {
        Record::Span(SpanRecord::Ended(span)) => read(span),
        other => panic!("{other:?}"),
    }
}

/// The records of a signal that are of the usual kind: a span that only began has its fields elsewhere.
fn usual(signal: Signal) -> Batch {
    let batch = fixtures::batch(signal);
    let ended = |record: &Record| !matches!(record, Record::Span(SpanRecord::Started(_)));
    let records = batch.to_records();
    let positions: Vec<usize> = (0..records.len()).filter(|at| ended(&records[*at])).collect();
    batch.select(&positions)
}

#[tokio::test]
async fn each_line_says_what_its_record_says_in_the_order_of_the_batch() {
    for signal in Signal::ALL {
        let folder = tempfile::tempdir().unwrap();
        let exporter = exporter(config(folder.path()));
        let batch = usual(signal);
        exporter.export(&batch).await.unwrap();
        let path = exporter.rotate().unwrap().remove(0);
        let text = std::fs::read_to_string(path).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), batch.len());
        for (line, record) in lines.iter().zip(batch.to_records()) {
            for (what, place, read) in EVERY.iter().chain(FIELDS[signal.index()]) {
                let found = line.pointer(place).cloned().unwrap_or_default();
                assert_eq!(found, read(&record), "{what} of {signal} at {place}: {line}");
            }
        }
    }
}
