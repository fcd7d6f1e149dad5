//! A second reading of every request: what stands there is what the records say, field by field.

mod judged;
mod of_record;
mod old;
mod spans;

use obs_core::{Batch, Span, SpanRecord};
use obs_testkit::fixtures;
use serde_json::Value;

use self::judged::{FEEDBACK, Judged, SCORES};
use self::spans::{LOGS, Row, SPANS, TRACES};
use crate::support::{Bench, Seen};

fn compare<T>(rows: &[Row<T>], record: &T, seen: &Seen) {
    for (what, at, read) in rows {
        assert_eq!(at.read(seen), read(record), "{what} of {} {}", seen.name, seen.span_id);
    }
}

fn ended(batch: &Batch) -> Vec<Span> {
    let Batch::Traces(records) = batch else { return Vec::new() };
    records.iter().filter_map(SpanRecord::ended).cloned().collect()
}

#[tokio::test]
async fn every_span_stands_there_as_it_was_recorded() {
    let bench = Bench::start().await;
    let mut compared = 0;
    for batch in fixtures::all().into_iter().chain(fixtures::trace_batches()) {
        let spans = ended(&batch);
        if spans.is_empty() {
            continue;
        }
        let seen = bench.observations(&batch).await;
        assert_eq!(seen.len(), spans.len());
        for (span, seen) in spans.iter().zip(&seen) {
            compare(SPANS, span, seen);
            compare(TRACES, &*span.context, seen);
            compared += 1;
        }
    }
    assert!(compared > 60, "{compared}");
}

#[tokio::test]
async fn every_log_stands_there_as_it_was_recorded() {
    let bench = Bench::start().await;
    let mut compared = 0;
    for batch in fixtures::all().into_iter().chain(fixtures::trace_batches()) {
        let Batch::Logs(records) = &batch else { continue };
        let logs: Vec<_> = records.iter().filter(|log| log.span.is_some()).collect();
        let seen = bench.observations(&batch).await;
        assert_eq!(seen.len(), logs.len());
        for (log, seen) in logs.into_iter().zip(&seen) {
            compare(LOGS, log, seen);
            compare(TRACES, &*log.context, seen);
            compared += 1;
        }
    }
    assert!(compared >= 10, "{compared}");
}

#[tokio::test]
async fn every_score_and_feedback_stands_there_as_it_was_given() {
    let bench = Bench::with(|config| config.with_score_concurrency(1)).await;
    for batch in [fixtures::batch(obs_core::Signal::Scores), fixtures::batch(obs_core::Signal::Feedback)]
        .into_iter()
        .chain(fixtures::trace_batches())
    {
        match &batch {
            Batch::Scores(scores) => compare_judged(SCORES, scores.iter(), &bench.bodies(&batch).await),
            Batch::Feedback(feedback) => {
                compare_judged(FEEDBACK, feedback.iter(), &bench.bodies(&batch).await);
            }
            _ => {}
        }
    }
}

fn compare_judged<'a, T: 'a>(rows: &[Judged<T>], records: impl Iterator<Item = &'a T>, bodies: &[Value]) {
    let mut compared = 0;
    for (record, body) in records.zip(bodies) {
        for (what, pointer, read) in rows {
            assert_eq!(body.pointer(pointer).cloned().unwrap_or_default(), read(record), "{what} of {body}");
        }
        compared += 1;
    }
    assert_eq!(compared, bodies.len());
}
