//! Finding traces again.

use std::time::Duration;

use obs_core::{
    ErrorInfo, LlmGeneration, Record, Span, SpanType, Status, Timestamp, TraceContext, TraceQuery,
    TraceReader, Usage,
};
use obs_store::{RecordQuery, StoreExporter};
use obs_testkit::fixtures;

use crate::support::{Place, ended, export, feedback, log, metric, score, span, trace_id, wait};

/// Traces 1 to 5, begun at 1,000 to 5,000, each of a root and a child.
fn five(exporter: &StoreExporter) {
    for trace in 1..=5u64 {
        let start = trace * 1_000;
        let (mut root, mut child) = (span(trace.into(), 1, start), span(trace.into(), 2, start + 1));
        root.name = format!("run {trace}").into();
        root.end = Some(Timestamp::from_nanos(start + 10 * trace));
        if trace == 2 {
            child.status = Status::Error;
            root.status = Status::Error;
            child.error = Some(Box::new(ErrorInfo::message("the Ünïcode link is dangling")));
        }
        if trace == 3 {
            let usage = Usage::new(7, 3);
            let model = Some("tiny-1".into());
            child.span_type =
                SpanType::LlmGeneration(LlmGeneration { model, usage, ..LlmGeneration::default() });
            child.input = Some("Where is the CHEESE?".into());
        }
        if trace >= 4 {
            let context = TraceContext { session_id: Some("s-1".into()), ..TraceContext::default() };
            root.context = context.into();
        }
        export(exporter, [ended(child), ended(root)]);
    }
}

fn found(exporter: &StoreExporter, query: &TraceQuery) -> Vec<u128> {
    let summaries = wait(exporter.reader().traces(query)).unwrap();
    summaries.iter().map(|summary| summary.trace_id.get()).collect()
}

#[test]
fn each_condition_narrows_and_the_latest_comes_first() {
    let place = Place::new();
    let exporter = place.exporter();
    five(&exporter);
    let at = |nanos| Some(Timestamp::from_nanos(nanos));
    let all = TraceQuery::default();
    let cases = [
        (all.clone(), vec![5, 4, 3, 2, 1]),
        (TraceQuery { limit: 2, ..all.clone() }, vec![5, 4]),
        (TraceQuery { since: at(4_000), ..all.clone() }, vec![5, 4]),
        (TraceQuery { until: at(3_000), ..all.clone() }, vec![2, 1]),
        (TraceQuery { since: at(2_000), until: at(4_000), limit: 1, ..all.clone() }, vec![3]),
        (TraceQuery { status: Some(Status::Error), ..all.clone() }, vec![2]),
        (TraceQuery { status: Some(Status::Unset), limit: 3, ..all.clone() }, vec![5, 4, 3]),
        (TraceQuery { model: Some("tiny-1".into()), ..all.clone() }, vec![3]),
        (TraceQuery { session_id: Some("s-1".into()), ..all.clone() }, vec![5, 4]),
        (TraceQuery { min_duration: Some(Duration::from_nanos(40)), ..all.clone() }, vec![5, 4]),
        (TraceQuery { text: Some("cheese".into()), ..all.clone() }, vec![3]),
        (TraceQuery { text: Some("ünïCODE LINK".into()), ..all.clone() }, vec![2]),
        (TraceQuery { text: Some("RUN 4".into()), ..all.clone() }, vec![4]),
        (TraceQuery { text: Some("100%_'\"".into()), ..all.clone() }, vec![]),
        (TraceQuery { text: Some("run".into()), session_id: Some("s-1".into()), ..all }, vec![5, 4]),
    ];
    for (query, expected) in cases {
        assert_eq!(found(&exporter, &query), expected, "{query:?}");
    }
}

#[test]
fn a_summary_says_what_the_trace_says() {
    let place = Place::new();
    let exporter = place.exporter();
    five(&exporter);
    let reader = exporter.reader();
    for summary in reader.list_traces(&TraceQuery::default()).unwrap() {
        let trace = reader.find_trace(summary.trace_id).unwrap().unwrap();
        assert_eq!(trace.summary(), Some(summary));
    }
    let third = &reader
        .list_traces(&TraceQuery { model: Some("tiny-1".into()), ..TraceQuery::default() })
        .unwrap()[0];
    assert_eq!((third.name.as_str(), third.usage), ("run 3", Usage::new(7, 3)));
}

#[test]
fn a_trace_comes_with_all_that_belongs_to_it_and_nothing_else() {
    let place = Place::new();
    let exporter = place.exporter();
    let spans: Vec<Span> = vec![span(7, 1, 10), span(7, 2, 20)];
    let logs = [log(Some(7), 11), log(Some(7), 12)];
    let mine = [
        ended(spans[1].clone()),
        ended(spans[0].clone()),
        logs[1].clone().into(),
        logs[0].clone().into(),
        score(1, 7, 30).into(),
        feedback(1, 7, 31).into(),
    ];
    let others: [Record; 5] = [
        ended(span(8, 1, 10)),
        log(Some(8), 1).into(),
        log(None, 1).into(),
        score(2, 8, 1).into(),
        feedback(2, 8, 1).into(),
    ];
    export(&exporter, mine.into_iter().chain(others));

    let trace = wait(exporter.reader().trace(trace_id(7))).unwrap().unwrap();
    assert_eq!((trace.spans, trace.logs), (spans, logs.to_vec()));
    assert_eq!((trace.scores, trace.feedback), (vec![score(1, 7, 30)], vec![feedback(1, 7, 31)]));
    assert_eq!(wait(exporter.reader().trace(trace_id(9))).unwrap(), None);

    export(&exporter, [log(Some(9), 5).into()]);
    let only_a_log = wait(exporter.reader().trace(trace_id(9))).unwrap().unwrap();
    assert_eq!((only_a_log.spans.len(), only_a_log.logs.len()), (0, 1));
}

#[test]
fn lists_are_bounded_by_time_trace_and_count() {
    let place = Place::new();
    let exporter = place.exporter();
    export(&exporter, (1..=9).map(|time| log(Some(u128::from(time % 3 + 1)), time).into()));
    export(&exporter, (1..=9).map(|time| metric(time).into()));
    let reader = exporter.reader();
    let at = |nanos| Some(Timestamp::from_nanos(nanos));
    let times = |query: &RecordQuery| -> Vec<u64> {
        reader.list_logs(query).unwrap().iter().map(|log| log.time.as_nanos()).collect()
    };
    assert_eq!(times(&RecordQuery { limit: 3, ..RecordQuery::default() }), [9, 8, 7]);
    assert_eq!(times(&RecordQuery { since: at(4), until: at(6), ..RecordQuery::default() }), [5, 4]);
    assert_eq!(times(&RecordQuery { trace_id: Some(trace_id(2)), ..RecordQuery::default() }), [7, 4, 1]);
    assert_eq!(
        reader.list_metrics(&RecordQuery { until: at(3), ..RecordQuery::default() }).unwrap().len(),
        2
    );
}

#[test]
fn a_whole_run_reads_back_and_sums_up() {
    let place = Place::new();
    let exporter = place.exporter();
    let expected = fixtures::trace();
    export(&exporter, fixtures::trace_batches().iter().flat_map(obs_core::Batch::to_records));
    let trace = exporter.reader().find_trace(expected.trace_id).unwrap().unwrap();
    assert_eq!(trace.spans.len(), expected.spans.len());
    assert_eq!(trace.summary(), expected.summary());
}

#[test]
fn any_sqlite_tool_can_sum_up_traces() {
    let place = Place::new();
    let exporter = place.exporter();
    five(&exporter);
    let database = rusqlite::Connection::open(place.path()).unwrap();
    let row = |id: u32| -> (String, i64, i64, f64, Option<String>) {
        let sql = "SELECT name, spans, errors, duration_ms, models FROM traces WHERE trace_id = ?1";
        let take =
            |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?));
        database.query_row(sql, [trace_id(id.into()).to_string()], take).unwrap()
    };
    assert_eq!(row(2), ("run 2".into(), 2, 2, 2e-5, None));
    assert_eq!(row(3), ("run 3".into(), 2, 0, 3e-5, Some("tiny-1".into())));
}
