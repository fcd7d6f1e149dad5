//! How much goes into a request, and what becomes of a record that is larger than any.

use std::time::Duration;

use obs_core::{Exporter, Limits, Payload, Score, ScoreValue, Signal, Span, Target, Timestamp};
use obs_datadog::{DatadogConfig, DatadogExporter, Mode};
use obs_testkit::fixtures::{at, span_id, trace_id, uuid};

use crate::server::{self, ended, scores, sent, sent_with};

const NOW: Timestamp = at(60_000_000);

fn span(nth: u32) -> Span {
    let mut span = Span::new(trace_id(1), span_id(nth), "step", at(nth.into()));
    span.end = Some(at(1_000_000));
    span
}

fn long(nth: u32, bytes: usize) -> Span {
    Span { input: Some(Payload::text("x".repeat(bytes))), ..span(nth) }
}

#[test]
fn a_lane_gives_as_much_as_a_request_takes() {
    let limits = |config: DatadogConfig, signal| {
        let Limits { items, bytes } = DatadogExporter::new(config).unwrap().descriptor().limits(signal);
        (items, bytes)
    };
    let key = || DatadogConfig::new("key");
    for (signal, expected) in [
        (Signal::Traces, (1_000, 5 << 20)),
        (Signal::Scores, (1_000, 5 << 20)),
        (Signal::Feedback, (1_000, 5 << 20)),
        (Signal::Logs, (1_000, 5_000_000)),
    ] {
        assert_eq!(limits(key(), signal), expected, "{signal}");
    }
    assert_eq!(limits(key().with_mode(Mode::OtlpAgent), Signal::Traces), (512, 4 << 20));
}

#[tokio::test]
async fn a_request_has_at_most_a_thousand_spans() {
    let sent = sent(ended((1..=2_500).map(span))).await;
    let sizes: Vec<_> = sent.server.requests().iter().map(|request| server::spans(request).len()).collect();
    assert_eq!((sizes, sent.receipt.delivered), (vec![1_000, 1_000, 500], 2_500));
    let order: Vec<_> = sent.spans().iter().map(|span| span["start_ns"].as_u64().unwrap()).collect();
    assert!(order.is_sorted(), "the order of the batch is kept");
}

#[tokio::test]
async fn a_request_has_at_most_five_mebibytes() {
    for by_agent in [false, true] {
        let sent = sent_with(ended((1..=12).map(|nth| long(nth, 1_500_000))), |config, server| {
            if by_agent { config.with_agent_url(server.url()) } else { config }
        })
        .await;
        let sizes: Vec<_> = sent.server.requests().iter().map(|request| request.body.len()).collect();
        assert!(sizes.len() == 4 && sizes.iter().all(|size| *size <= 5 << 20), "{sizes:?}");
        assert_eq!(sent.receipt.delivered, 12);
    }
}

#[tokio::test]
async fn a_span_that_is_larger_than_an_event_may_be_is_cut_with_a_mark_and_sinks_nobody() {
    let sent = sent(ended([span(1), long(2, 6_000_000), span(3)])).await;
    assert_eq!((sent.receipt.delivered, sent.receipt.rejected_count()), (3, 0));
    let spans = sent.spans();
    let cut = spans[1]["meta"]["input"]["value"].as_str().unwrap();
    assert!(cut.ends_with("[truncated by obs: 6000000 bytes were too large]"), "{}", &cut[cut.len() - 80..]);
    assert!(serde_json::to_vec(&spans[1]).unwrap().len() <= 5_000_000 && cut.len() > 4_000_000);
}

#[tokio::test]
async fn a_span_of_many_short_texts_that_does_not_fit_is_refused_alone() {
    let mut wide = span(2);
    wide.attributes = (0..200_000).map(|nth| (format!("attribute {nth}"), "v".repeat(20))).collect();
    let sent = sent(ended([span(1), wide, span(3)])).await;
    assert_eq!((sent.receipt.delivered, sent.receipt.rejected_count()), (2, 1));
    assert_eq!(sent.receipt.rejected[0].kind.as_str(), "too_large");
}

#[tokio::test]
async fn a_comment_that_is_too_long_is_cut() {
    let target = Target::Span { trace_id: trace_id(1), span_id: span_id(1), root_span_id: None };
    let mut score = Score::new(uuid(1), at(1), target, "essay", ScoreValue::numeric(1.0));
    score.comment = Some("c".repeat(6_000_000).into());
    let sent = sent(scores([score])).await;
    assert!(sent.evaluation()["reasoning"].as_str().unwrap().contains("[truncated by obs: 6000000 bytes"));
}

#[tokio::test]
async fn a_span_of_more_than_a_day_ago_is_refused_with_the_reason_before_it_is_sent() {
    let day = Duration::from_hours(24).as_nanos() as u64;
    let begun = |nanos: u64| Span { start: Timestamp::from_nanos(nanos), ..span(1) };
    let edge = NOW.as_nanos() - day;
    let sent = sent(ended([begun(edge - 1), begun(edge), begun(edge + 1)])).await;
    assert_eq!((sent.receipt.delivered, sent.spans().len()), (2, 2));
    assert!(sent.reason().contains("the last 24 hours"), "{}", sent.reason());
}

#[tokio::test]
async fn requests_of_llm_observability_are_not_compressed_since_nobody_says_that_they_may_be() {
    let sent = sent(ended((1..=50).map(span))).await;
    assert_eq!(sent.server.requests()[0].header("content-encoding"), None);
}
