//! The normalised tree is the same whatever changes between two runs of one program.

use std::sync::Arc;

use obs_core::{
    Ancestor, Batch, ErrorInfo, Metric, MetricValue, Record, Signal, Span, SpanId, SpanRecord, Timestamp,
    TraceId,
};
use obs_json::{normalise, normalise_pretty};
use obs_testkit::{arbitrary, fixtures};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

fn run() -> Vec<Record> {
    fixtures::trace_batches().iter().flat_map(Batch::to_records).collect()
}

#[test]
fn a_whole_run_as_a_tree() {
    insta::assert_snapshot!(normalise_pretty(&run()));
}

#[test]
fn metrics_and_records_outside_of_traces_stand_at_the_top() {
    let mut records = fixtures::batch(Signal::Metrics).to_records();
    records.extend(fixtures::batch(Signal::Logs).slice(5..6).to_records());
    records.extend(fixtures::batch(Signal::Scores).slice(15..17).to_records());
    records.extend(fixtures::batch(Signal::Feedback).slice(20..21).to_records());
    insta::assert_snapshot!(normalise_pretty(&records));
}

/// The run as it would be another time: other ids, and later by a day.
fn another_time(records: &[Record]) -> Vec<Record> {
    const LATER: std::time::Duration = std::time::Duration::from_hours(24);
    let trace = |id: TraceId| TraceId::new(id.get().rotate_left(7) ^ 0xabcd).unwrap();
    let span = |id: SpanId| SpanId::new(id.get().wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1).unwrap();
    let mut records = records.to_vec();
    for record in &mut records {
        match record {
            Record::Span(record) => {
                let of = record.span_mut();
                (of.trace_id, of.span_id) = (trace(of.trace_id), span(of.span_id));
                of.parent_span_id = of.parent_span_id.map(span);
                of.path = of.path.as_ref().map(|path| {
                    Arc::new(Ancestor::new(
                        span(path.span_id),
                        path.start,
                        path.is_root,
                        path.parent().cloned(),
                    ))
                });
                of.start = of.start.saturating_add(LATER);
                of.end = of.end.map(|end| end.saturating_add(LATER + std::time::Duration::from_nanos(17)));
                if let Some(error) = &mut of.error {
                    error.error_id = Some(Uuid::from_u128(99));
                }
            }
            Record::Log(log) => {
                log.time = log.time.saturating_add(LATER);
                if let Some(under) = &mut log.span {
                    (under.trace_id, under.span_id) = (trace(under.trace_id), under.span_id.map(span));
                }
            }
            Record::Score(score) => {
                score.id = Uuid::from_u128(score.id.as_u128() + 77);
                score.time = score.time.saturating_add(LATER);
                score.target = moved(&score.target, trace, span);
            }
            Record::Feedback(feedback) => {
                feedback.id = Uuid::from_u128(feedback.id.as_u128() + 77);
                feedback.target = moved(&feedback.target, trace, span);
            }
            Record::Metric(_) => {}
        }
    }
    records
}

fn moved(
    target: &obs_core::Target,
    trace: impl Fn(TraceId) -> TraceId,
    span: impl Fn(SpanId) -> SpanId,
) -> obs_core::Target {
    use obs_core::Target;
    match target.clone() {
        Target::Span { trace_id, span_id, root_span_id } => Target::Span {
            trace_id: trace(trace_id),
            span_id: span(span_id),
            root_span_id: root_span_id.map(span),
        },
        Target::Trace { trace_id, root_span_id } => {
            Target::Trace { trace_id: trace(trace_id), root_span_id: root_span_id.map(span) }
        }
        other => other,
    }
}

#[test]
fn another_run_of_the_same_program_is_the_same_tree() {
    assert_eq!(normalise_pretty(&another_time(&run())), normalise_pretty(&run()));
}

#[test]
fn what_differs_in_substance_differs_in_the_tree() {
    let mut records = run();
    if let Record::Span(record) = &mut records[3] {
        record.span_mut().name = "other".into();
    }
    assert_ne!(normalise(&records), normalise(&run()));
}

#[test]
fn ids_and_uuids_in_texts_are_named_too() {
    let mut span = Span::new(fixtures::trace_id(1), fixtures::span_id(1), "a", Timestamp::default());
    let (job, same) = ("0190163d-8694-739b-aea5-966c26f8ad91", "0190163D-8694-739B-AEA5-966C26F8AD91");
    span.attributes.push("job", job);
    span.attributes.push("same", same);
    span.attributes.push("trace", fixtures::trace_id(1).to_string());
    span.attributes.push("parent", fixtures::span_id(1).to_string());
    span.attributes.push("other", fixtures::span_id(2).to_string());
    span.error = Some(Box::new(ErrorInfo { error_id: Some(fixtures::uuid(1)), ..ErrorInfo::message("x") }));
    let tree = normalise(&[SpanRecord::Ended(span).into()]);
    let found = &tree["traces"][0]["spans"][0];
    let attributes = json!({
        "job": "<uuid-1>", "same": "<uuid-1>", "trace": "<trace-1>", "parent": "<span-1>",
        "other": fixtures::span_id(2).to_string(),
    });
    assert_eq!(found["attributes"], attributes);
    assert_eq!(found["error"], json!({"message": "x", "error_id": "<error-1>"}));
    assert_eq!(found["running"], json!(true));
}

#[test]
fn records_of_a_span_that_is_not_there_stand_under_its_trace_and_name_it() {
    let logs = fixtures::batch(Signal::Logs).slice(0..2).to_records();
    let mut same = logs[0].clone();
    if let Record::Log(log) = &mut same {
        log.message = "once more".into();
    }
    let tree = normalise(&[logs[0].clone(), same, logs[1].clone()]);
    let told = |at: usize| tree["traces"][0]["logs"][at]["span"].clone();
    assert_eq!([told(0), told(1), told(2)], [json!("<span-1>"), json!("<span-1>"), json!("<span-2>")]);
}

#[test]
fn numbers_in_units_of_time_are_masked_and_others_are_not() {
    let metric = |unit: &'static str, value| {
        let mut metric = Metric::new(Timestamp::default(), "m", MetricValue::Sample(value));
        metric.unit = Some(unit.into());
        Record::from(metric)
    };
    let tree = normalise(&[metric("ms", 5.0), metric("By", 7.0)]);
    let values: Vec<_> =
        tree["metrics"].as_array().unwrap().iter().map(|metric| metric["value"].clone()).collect();
    assert_eq!(values, [json!({"sample": 7.0}), json!({"sample": "<duration>"})]);
}

#[test]
fn a_trace_of_any_depth_stays_within_what_readers_take() {
    let id = |nth: u64| SpanId::new(nth + 1).unwrap();
    let records: Vec<Record> = (0..5_000u64)
        .map(|nth| {
            let mut span = Span::new(fixtures::trace_id(1), id(nth), "s", Timestamp::from_nanos(nth));
            span.parent_span_id = nth.checked_sub(1).map(id);
            SpanRecord::Ended(span).into()
        })
        .collect();
    let text = normalise_pretty(&records);
    serde_json::from_str::<serde_json::Value>(&text).expect("the tree can be read");
    assert!(text.contains("\"depth\": 4999"));
}

/// How many records stand in lists of this name.
fn count(value: &serde_json::Value, key: &str) -> usize {
    match value {
        serde_json::Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| {
                let here = if name == key { value.as_array().map_or(0, Vec::len) } else { 0 };
                let inside = ["traces", "spans", "children", key].contains(&name.as_str());
                here + if inside { count(value, key) } else { 0 }
            })
            .sum(),
        serde_json::Value::Array(values) => values.iter().map(|value| count(value, key)).sum(),
        _ => 0,
    }
}

#[test]
fn every_fixture_has_its_place() {
    let records: Vec<Record> = fixtures::all().iter().flat_map(Batch::to_records).collect();
    let tree = normalise(&records);
    let of = |signal| records.iter().filter(|record| record.signal() == signal).count();
    assert_eq!(count(&tree, "logs"), of(Signal::Logs));
    assert_eq!(count(&tree, "metrics"), of(Signal::Metrics));
    assert_eq!(count(&tree, "scores"), of(Signal::Scores));
    assert_eq!(count(&tree, "feedback"), of(Signal::Feedback));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_of_the_records_does_not_matter(
        (records, shuffled) in vec(arbitrary::record(), 0..12).prop_flat_map(|records| {
            (Just(records.clone()), Just(records).prop_shuffle())
        })
    ) {
        prop_assert_eq!(normalise_pretty(&records), normalise_pretty(&shuffled));
    }

    #[test]
    fn nor_does_it_for_one_trace_of_equal_times(
        shuffled in Just(run()).prop_map(|mut records| {
            for record in &mut records {
                if let Record::Span(record) = record {
                    let span = record.span_mut();
                    (span.start, span.end) = (Timestamp::default(), Some(Timestamp::default()));
                }
            }
            records
        }).prop_flat_map(|records| (Just(records.clone()), Just(records).prop_shuffle()))
    ) {
        prop_assert_eq!(normalise_pretty(&shuffled.0), normalise_pretty(&shuffled.1));
    }
}
