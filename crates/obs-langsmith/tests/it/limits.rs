//! How much a request carries, and what becomes of what is more.

use obs_core::{Batch, ErrorKind, Exporter, Payload, Score, Signal, Span, Str, Target};
use obs_langsmith::{DESCRIPTOR, LangsmithExporter};
use obs_testkit::fixtures::{at, span_id, trace_id, uuid};
use obs_testkit::{Answer, CaptureServer};
use serde_json::json;

use super::bench::{self, config, ended, exporter, scores, sent, server};

fn spans(count: u32, output: &str) -> Batch {
    ended((1..=count).map(|nth| {
        let mut span = Span::new(trace_id(1), span_id(nth), "s", at(u64::from(nth)));
        span.end = Some(at(10_000));
        span.output = Some(Payload::text(Str::copied(output)));
        span
    }))
}

fn score(nth: u32, comment: &str) -> Score {
    let target = Target::Trace { trace_id: trace_id(1), root_span_id: Some(span_id(1)) };
    let mut score = Score::new(uuid(nth), at(0), target, "quality", 1.0);
    score.comment = Some(Str::copied(comment));
    score
}

async fn limited(items: usize, bytes: usize) -> CaptureServer {
    let server = server().await;
    let info =
        json!({"version": "1", "batch_ingest_config": {"size_limit": items, "size_limit_bytes": bytes}});
    server.answer_for("GET", "/info", Answer::json(&info));
    server
}

fn posts(server: &CaptureServer) -> Vec<obs_testkit::Captured> {
    server.take_requests().into_iter().filter(|request| request.method == "POST").collect()
}

#[tokio::test]
async fn a_request_has_a_hundred_runs_at_most() {
    let server = server().await;
    exporter(&server).export(&spans(250, "x")).await.unwrap();
    let counts: Vec<_> =
        posts(&server).iter().map(|request| sent(std::slice::from_ref(request)).len()).collect();
    assert_eq!(counts, [100, 100, 50]);
    assert!(DESCRIPTOR.limits(Signal::Traces).items >= 200, "a start and an end are one run");
}

#[tokio::test]
async fn the_server_narrows_runs_and_bytes() {
    let server = limited(7, 50_000).await;
    let exporter = exporter(&server);
    exporter.export(&spans(10, "x")).await.unwrap();
    assert_eq!(posts(&server).len(), 2);
    exporter.export(&spans(20, &"x".repeat(9_000))).await.unwrap();
    let requests = posts(&server);
    assert!(requests.iter().all(|request| request.body.len() <= 50_000 && request.body.len() > 20_000));
    assert_eq!(sent(&requests).len(), 20);
}

#[tokio::test]
async fn json_bodies_keep_to_the_same_limits() {
    let server = limited(100, 50_000).await;
    server.answer_for("POST", "/runs/multipart", Answer::status(404));
    exporter(&server).export(&spans(20, &"x".repeat(9_000))).await.unwrap();
    assert!(
        posts(&server).iter().all(|request| request.path != "/runs/batch" || request.body.len() <= 50_000)
    );
}

#[tokio::test]
async fn a_run_that_is_too_large_is_cut_with_a_mark_and_its_neighbours_are_whole() {
    let server = limited(100, 20_000).await;
    let Batch::Traces(records) = spans(3, "short") else { panic!("traces") };
    let mut spans: Vec<Span> = records.iter().map(|record| record.span().clone()).collect();
    spans[1].output = Some(Payload::text("o".repeat(100_000)));
    assert_eq!(exporter(&server).export(&ended(spans)).await.unwrap().delivered, 3);
    let requests = posts(&server);
    assert!(requests.iter().all(|request| request.body.len() <= 20_000));
    let outputs: Vec<_> = sent(&requests)
        .iter()
        .map(|run| run.json["outputs"]["output"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!((outputs[0].as_str(), outputs[2].as_str()), ("short", "short"));
    assert!(outputs[1].ends_with("[truncated by obs: 100000 bytes were too large]"), "{:.60}", outputs[1]);
    assert!(outputs[1].len() > 10_000, "{} bytes are left", outputs[1].len());
}

#[tokio::test]
async fn what_has_nothing_to_cut_is_a_rejection() {
    let server = limited(100, 2_000).await;
    let receipt = exporter(&server).export(&spans(2, "short")).await.unwrap();
    assert_eq!((receipt.rejected_count(), receipt.rejected[0].kind), (2, ErrorKind::TooLarge));
    assert_eq!(posts(&server).len(), 0);
}

#[tokio::test]
async fn feedback_keeps_to_the_limits_and_is_cut_with_a_mark() {
    let server = limited(10, 20_000).await;
    let exporter = exporter(&server);
    exporter.export(&scores((0..25).map(|nth| score(nth, "")))).await.unwrap();
    assert_eq!(posts(&server).len(), 3);
    exporter.export(&scores([score(1, &"c".repeat(50_000)), score(2, "short")])).await.unwrap();
    let requests = posts(&server);
    assert!(requests.iter().all(|request| request.body.len() <= 20_000));
    let mut comments: Vec<_> =
        sent(&requests).iter().map(|sent| sent.json["comment"].as_str().unwrap().to_owned()).collect();
    comments.sort_unstable();
    let ends = comments[0].ends_with("[truncated by obs: 50000 bytes were too large]");
    assert!(ends && comments[1] == "short", "{comments:?}");
}

#[tokio::test]
async fn a_key_is_cut_to_what_langsmith_takes_with_a_mark_and_none_is_refused() {
    let server = server().await;
    let named = |nth, name: String| Score { name: name.into(), ..score(nth, "") };
    let batch = scores([named(1, "é".repeat(180)), named(2, "é".repeat(181)), named(3, String::new())]);
    let reasons = bench::reasons(exporter(&server).export(&batch).await);
    assert_eq!(reasons, ["encode: it has no name, which is LangSmith's key of it; give one"]);
    let keys: Vec<_> =
        sent(&server.requests()).iter().map(|sent| sent.json["key"].as_str().unwrap().to_owned()).collect();
    assert_eq!(keys, ["é".repeat(180), "é".repeat(179) + "…"]);
}

#[tokio::test]
async fn a_boundary_that_stands_in_a_document_is_another() {
    let server = server().await;
    let boundary = |batch: &Batch| {
        let body = LangsmithExporter::new(config(&server)).unwrap().encode(batch).remove(0);
        String::from_utf8(body[2..38].to_vec()).unwrap()
    };
    let first = boundary(&spans(1, "x"));
    assert_eq!(first, boundary(&spans(1, "other words")), "it follows from the ids");
    let second = boundary(&spans(1, &first));
    assert_ne!(first, second);
    assert_ne!(boundary(&spans(1, &(first.clone() + &second))), second);
    let sent = bench::encoded(config(&server), &spans(1, &format!("\r\n--{first}--\r\n")));
    assert_eq!(sent[0].json["outputs"]["output"], format!("\r\n--{first}--\r\n"));
}
