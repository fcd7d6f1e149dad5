//! How much goes into a request, and what becomes of a record that is larger than any.

use obs_braintrust::BraintrustConfig;
use obs_core::{Batch, Level, Log, Score, ScoreValue, Span, Target};
use obs_testkit::fixtures::{at, span_id, trace_id, uuid};

use crate::server::{self, ended, logs, scores, sent, sent_with};

fn posts(sent: &server::Sent, end: &str) -> Vec<(usize, usize)> {
    let requests = sent.server.requests();
    let posts = requests.iter().filter(|request| request.path.ends_with(end));
    let rows = |body: &serde_json::Value| {
        ["events", "feedback"].iter().filter_map(|list| body[*list].as_array()).map(Vec::len).sum()
    };
    posts.map(|request| (request.body.len(), rows(&request.json().unwrap()))).collect()
}

fn small(config: BraintrustConfig) -> BraintrustConfig {
    config.with_max_request_size(64 << 10)
}

fn long(nth: u64, bytes: usize) -> Log {
    Log::new(at(nth), Level::Info, format!("{nth} {}", "x".repeat(bytes)))
}

#[tokio::test]
async fn a_request_has_at_most_a_hundred_rows() {
    let spans = (1..=250).map(|nth| Span::new(trace_id(1), span_id(nth), "step", at(0)));
    let sent = sent(ended(spans)).await;
    let rows: Vec<_> = posts(&sent, "/insert").into_iter().map(|(_, rows)| rows).collect();
    assert_eq!((rows, sent.receipt.delivered), (vec![100, 100, 50], 250));
    let starts: Vec<_> = sent.rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    assert!(starts.is_sorted(), "the order of the batch is kept");
}

#[tokio::test]
async fn a_request_of_several_rows_stays_below_half_of_what_is_taken() {
    let sent = sent_with(logs((0..20).map(|nth| long(nth, 10_000))), small).await;
    let sizes = posts(&sent, "/insert");
    assert!(sizes.iter().all(|(bytes, rows)| *bytes <= 32 << 10 && *rows == 3 || *rows < 3), "{sizes:?}");
    assert_eq!((sent.rows.len(), sent.receipt.delivered), (20, 20));
}

#[tokio::test]
async fn a_row_that_is_larger_goes_alone_up_to_all_that_is_taken() {
    let sent = sent_with(logs([long(1, 100), long(2, 50_000), long(3, 100)]), small).await;
    let told: Vec<_> =
        posts(&sent, "/insert").into_iter().map(|(bytes, rows)| (bytes > 32 << 10, rows)).collect();
    assert_eq!(told, [(false, 1), (true, 1), (false, 1)]);
    assert!(sent.rows.iter().all(|row| !row["output"].as_str().unwrap().contains("truncated")));
}

#[tokio::test]
async fn what_is_larger_than_any_request_is_cut_with_a_mark_and_sinks_nobody() {
    let sent = sent_with(logs([long(1, 100), long(2, 200_000), long(3, 100)]), small).await;
    assert_eq!((sent.receipt.delivered, sent.receipt.rejected_count()), (3, 0));
    assert!(posts(&sent, "/insert").iter().all(|(bytes, _)| *bytes <= 64 << 10));
    let cut: Vec<_> = sent.rows.iter().map(|row| row["output"].as_str().unwrap()).collect();
    assert!(cut[1].ends_with("[truncated by obs: 200002 bytes were too large]"));
    assert!(cut[1].len() > 60_000 && cut[0].len() == 102);
}

#[tokio::test]
async fn words_of_a_score_are_cut_too() {
    let target = Target::Span { trace_id: trace_id(1), span_id: span_id(1), root_span_id: None };
    let mut whole =
        Score::new(uuid(1), at(1), target.clone(), "essay", ScoreValue::text("w".repeat(200_000)));
    let sent = sent_with(scores([whole.clone()]), small).await;
    assert!(sent.item()["comment"].as_str().unwrap().contains("[truncated by obs: 200000 bytes"));
    whole.value = ScoreValue::numeric(7.0);
    whole.comment = Some("c".repeat(200_000).into());
    let sent = sent_with(scores([whole]), small).await;
    assert_eq!(sent.row()["metadata"]["raw_scores"]["essay"], 7.0);
    assert!(sent.item()["comment"].as_str().unwrap().contains("[truncated by obs: 200000 bytes"));
}

#[tokio::test]
async fn a_record_of_many_short_texts_that_does_not_fit_is_refused_alone() {
    let mut wide = Log::new(at(1), Level::Info, "wide");
    wide.attributes = (0..5_000).map(|nth| (format!("attribute {nth}"), "v".repeat(20))).collect();
    let sent = sent_with(logs([long(0, 10), wide, long(2, 10)]), small).await;
    assert_eq!((sent.receipt.delivered, sent.receipt.rejected_count()), (2, 1));
    assert_eq!(sent.receipt.rejected[0].kind.as_str(), "too_large");
    assert_eq!(sent.rows.len(), 2);
}

#[tokio::test]
async fn a_batch_of_refused_records_asks_for_nothing() {
    let target = Target::Session { session_id: "s".into() };
    let sent =
        sent(Batch::Scores([Score::new(uuid(1), at(1), target, "a", 1.0)].into_iter().collect())).await;
    assert!(sent.server.requests().is_empty());
}

/// A later wave may be full before an earlier one is.
#[tokio::test]
async fn what_is_said_later_of_a_row_is_sent_later_also_where_it_fills_a_request() {
    let span = |nth, name: String| {
        let mut span = Span::new(trace_id(1), span_id(nth), name, at(0));
        span.end = Some(at(1));
        span
    };
    let twice = |nth: u32| [span(nth, "first".into()), span(nth, "x".repeat(20_000))];
    let sent = sent_with(ended((1..5).flat_map(twice)), small).await;
    let names: Vec<_> =
        sent.rows.iter().map(|row| row["span_attributes"]["name"].as_str().unwrap().len()).collect();
    assert_eq!(names, [5, 5, 5, 5, 20_000, 20_000, 20_000, 20_000]);
}
