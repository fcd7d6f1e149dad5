//! Requests are as large as Langfuse takes them, and no record is lost for its size.

use std::collections::BTreeSet;

use obs_core::{
    Attributes, Batch, Exporter, Level, Log, Payload, Score, ScoreValue, Signal, Span, SpanRecord, SpanRef,
    Str, Target,
};
use obs_langfuse::Ingestion;
use obs_testkit::Answer;
use obs_testkit::fixtures::{at, span_id, trace_id, uuid};
use serde_json::Value;

use crate::support::{Bench, decoded, events, seen};

fn span(nth: u32, output: &str) -> SpanRecord {
    let mut span = Span::new(trace_id(1), span_id(nth), "work", at(0));
    (span.end, span.output) = (Some(at(1)), Some(Payload::text(Str::copied(output))));
    SpanRecord::Ended(span)
}

fn spans(count: u32, output: &str) -> Batch {
    Batch::Traces((1..=count).map(|nth| span(nth, output)).collect())
}

#[tokio::test]
async fn a_request_has_at_most_512_spans() {
    let bench = Bench::start().await;
    bench.export(&spans(1_100, "")).await.unwrap();
    let requests = bench.server.take_requests();
    let counts: Vec<_> = requests.iter().map(|request| decoded(&request.body).len()).collect();
    assert_eq!(counts, [512, 512, 76]);
    let ids: BTreeSet<_> = seen(&requests).iter().map(|seen| seen.span_id).collect();
    assert_eq!(ids.len(), 1_100);
}

#[tokio::test]
async fn a_request_has_at_most_the_bytes_of_the_config() {
    let bench = Bench::with(|config| config.with_max_request_size(100_000)).await;
    bench.export(&spans(40, &"x".repeat(10_000))).await.unwrap();
    let requests = bench.server.take_requests();
    assert!(requests.len() > 4);
    assert!(requests.iter().all(|request| request.body.len() <= 100_000));
    let order: Vec<_> = seen(&requests).iter().map(|seen| seen.span_id).collect();
    assert_eq!(order, (1..=40).map(span_id).collect::<Vec<_>>());
}

#[tokio::test]
async fn law_4_the_limits_that_are_told_are_those_that_take_effect() {
    for (set, told) in [(100_000, 100_000), (4 << 20, 4 << 20), (64 << 20, 4 << 20)] {
        let bench = Bench::with(|config| config.with_max_request_size(set as u64)).await;
        for signal in [Signal::Traces, Signal::Logs] {
            assert_eq!(bench.exporter.descriptor().limits(signal).bytes, told, "{set}");
        }
        bench.export(&spans(9, &"x".repeat(1_000_000))).await.unwrap();
        let requests = bench.server.take_requests();
        assert!(requests.iter().all(|request| request.body.len() <= told), "{set}");
    }
}

#[tokio::test]
async fn a_record_that_is_too_large_is_cut_with_a_mark_and_sinks_no_other() {
    let bench = Bench::with(|config| config.with_max_request_size(100_000)).await;
    let mut records = vec![span(1, "before"), span(2, &"y".repeat(300_000)), span(3, "after")];
    let seen = bench.observations(&Batch::Traces(std::mem::take(&mut records).into())).await;
    assert_eq!(seen.len(), 3);
    let output = seen[1].text("langfuse.observation.output");
    assert!(output.starts_with("yyy") && output.ends_with("[truncated by obs: 300000 bytes were too large]"));
    assert!(output.len() > 90_000, "{}", output.len());
    let mut log = Log::new(at(0), Level::Info, "z".repeat(300_000));
    log.span = Some(SpanRef { trace_id: trace_id(1), span_id: None });
    let seen = bench.observations(&Batch::Logs([log].into_iter().collect())).await;
    assert!(seen[0].text("langfuse.observation.input").contains("truncated by obs: 300000"));
}

#[tokio::test]
async fn a_record_without_a_text_to_cut_is_rejected_with_its_size() {
    let bench = Bench::with(|config| config.with_max_request_size(64 << 10)).await;
    let SpanRecord::Ended(mut large) = span(1, "") else { unreachable!() };
    large.attributes = (0..5_000).map(|nth| (format!("attribute.{nth}"), nth)).collect::<Attributes>();
    let batch = Batch::Traces([SpanRecord::Ended(large), span(2, "")].into_iter().collect());
    let receipt = bench.export(&batch).await.unwrap();
    assert_eq!((receipt.delivered, receipt.rejected_count()), (1, 1));
    assert!(receipt.rejected[0].reason.contains("65536 are the most"), "{}", receipt.rejected[0].reason);
}

#[tokio::test]
async fn arrays_of_scores_have_at_most_100_of_them_and_a_megabyte() {
    let bench = Bench::with(|config| config.with_score_batch(true)).await;
    bench.server.answer_always(Answer::status(202));
    let target = Target::Trace { trace_id: trace_id(1), root_span_id: None };
    let score = |nth: u32, comment: usize| {
        let mut score = Score::new(uuid(nth), at(0), target.clone(), "s", ScoreValue::numeric(1.0));
        score.comment = Some("c".repeat(comment).into());
        score
    };
    let counts = |requests: Vec<obs_testkit::Captured>| -> Vec<usize> {
        assert!(requests.iter().all(|request| request.body.len() <= 1_000_000));
        requests.iter().map(|request| request.json().unwrap().as_array().map_or(1, Vec::len)).collect()
    };
    bench.export(&Batch::Scores((0..250).map(|nth| score(nth, 0)).collect())).await.unwrap();
    let mut few = counts(bench.server.take_requests());
    few.sort_unstable();
    assert_eq!(few, [50, 100, 100]);
    bench.export(&Batch::Scores((0..9).map(|nth| score(nth, 300_000)).collect())).await.unwrap();
    assert_eq!(counts(bench.server.take_requests()), [3, 3, 3]);
    bench.export(&Batch::Scores([score(1, 3_000_000)].into_iter().collect())).await.unwrap();
    let one: Value = bench.server.take_requests()[0].json().unwrap();
    assert!(one["comment"].as_str().unwrap().contains("truncated by obs: 3000000"));
}

#[tokio::test]
async fn batches_for_old_servers_have_at_most_three_and_a_half_megabytes() {
    let bench = Bench::with(|config| config.with_ingestion(Ingestion::Legacy)).await;
    let output = "o".repeat(1_000_000);
    let mut records: Vec<_> = (1..=5).map(|nth| span(nth, &output)).collect();
    for record in &mut records {
        let (SpanRecord::Ended(span) | SpanRecord::Started(span)) = record;
        span.parent_span_id = Some(span_id(99));
    }
    records.push(span(6, &"p".repeat(9_000_000)));
    bench.export(&Batch::Traces(records.into())).await.unwrap();
    let requests = bench.server.take_requests();
    assert!(requests.iter().all(|request| request.body.len() <= 3_500_000));
    let spans: Vec<_> = requests
        .iter()
        .map(|request| events(&request.body).iter().filter(|event| event.kind == "span-create").count())
        .collect();
    assert_eq!(spans, [3, 2, 1]);
    assert!(String::from_utf8_lossy(&requests[2].body).contains("truncated by obs: 9000000"));
}
