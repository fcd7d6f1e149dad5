//! What Mastra's own exporter to its platform gets wrong, and what is asked of one by its users.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use obs_core::{
    AgentRun, Batch, ErrorKind, Exporter, LlmGeneration, Log, Metric, MetricValue, Retry, Signal, Span,
    SpanType, Usage,
};
use obs_mastra::{MastraConfig, MastraExporter};
use obs_testkit::fixtures::{self, at, context, span_id, trace_id};
use obs_testkit::{Answer, CaptureServer};
use serde_json::json;

use crate::server::{self, ended, sent};

fn span(nth: u32, parent: Option<u32>) -> Span {
    let mut span = Span::new(trace_id(1), span_id(nth), format!("span {nth}"), at(nth.into()));
    span.parent_span_id = parent.map(span_id);
    span.end = Some(at(100));
    span
}

#[tokio::test]
async fn nothing_is_buffered_here_so_that_nothing_grows_without_bound() {
    let server = CaptureServer::start().await;
    server.answer_always(Answer::status(503));
    let exporter = server::exporter(&server);
    for _ in 0..50 {
        let batch = fixtures::batch(Signal::Logs);
        let error = exporter.export(&batch).await.unwrap_err();
        assert_eq!(error.undelivered(), &batch, "the caller has it all");
    }
    server.take_requests();
    exporter.flush().await.unwrap();
    exporter.shutdown().await.unwrap();
    assert_eq!(server.requests().len(), 0, "nothing was kept to be sent later");
}

#[tokio::test]
async fn nothing_is_dropped_while_credentials_are_refused() {
    let server = CaptureServer::start().await;
    let exporter = server::exporter(&server);
    server.answer([Answer::status(401), Answer::status(401), Answer::status(401)]);
    let batches: Vec<Batch> = (0..4)
        .map(|nth| Batch::Logs(vec![Log::new(at(nth), obs_core::Level::Info, format!("log {nth}"))].into()))
        .collect();
    let mut left = Vec::new();
    for batch in &batches {
        match exporter.export(batch).await {
            Ok(receipt) => assert_eq!(receipt.delivered, 1),
            Err(error) => left.push(error.undelivered().clone()),
        }
    }
    assert_eq!(left, batches[..3]);
    for batch in &left {
        exporter.export(batch).await.unwrap();
    }
    let taken = server.requests().len() - 3;
    assert_eq!(taken, 4);
}

#[tokio::test]
async fn a_batch_that_failed_three_times_is_still_there() {
    let server = CaptureServer::start().await;
    let exporter = server::exporter(&server);
    server.answer((0..10).map(|_| Answer::status(500)));
    let batch = fixtures::batch(Signal::Metrics);
    for _ in 0..10 {
        let error = exporter.export(&batch).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff));
        assert_eq!(error.undelivered(), &batch);
    }
    assert_eq!(exporter.export(&batch).await.unwrap().delivered, batch.len());
}

#[tokio::test]
async fn retry_after_is_heard_where_theirs_waits_two_seconds() {
    for status in [429, 503] {
        let server = CaptureServer::start().await;
        server.answer([Answer::status(status).with_header("retry-after", "45")]);
        let error = server::exporter(&server).export(&fixtures::batch(Signal::Logs)).await.unwrap_err();
        assert_eq!(error.retry(), Retry::After(Duration::from_secs(45)), "{status}");
    }
}

#[tokio::test]
async fn what_will_never_pass_is_not_tried_three_times() {
    let server = CaptureServer::start().await;
    server.answer([Answer::status(400)]);
    let batch = fixtures::batch(Signal::Logs).slice(0..1);
    let receipt = server::exporter(&server).export(&batch).await.unwrap();
    assert_eq!((receipt.rejected_count(), server.requests().len()), (1, 1));
}

#[tokio::test]
async fn a_pause_drops_nothing_of_any_signal() {
    let server = CaptureServer::start().await;
    let used_up = Arc::new(AtomicBool::new(true));
    let is_used_up = Arc::clone(&used_up);
    server.answer_with(move |_| is_used_up.load(Ordering::SeqCst).then(|| Answer::status(402)));
    let exporter = server::exporter(&server);
    let batches: Vec<Batch> = Signal::ALL.into_iter().map(fixtures::batch).collect();
    let mut left = Vec::new();
    for batch in &batches {
        let error = exporter.export(batch).await.unwrap_err();
        assert!(matches!(error.retry(), Retry::Hold(_)));
        left.push((error.settled().settled(), error.undelivered().clone()));
    }
    used_up.store(false, Ordering::SeqCst);
    for ((settled, left), batch) in left.iter().zip(&batches) {
        let receipt = exporter.export(left).await.unwrap();
        assert_eq!(settled + receipt.settled(), batch.len());
    }
}

#[tokio::test]
async fn a_missing_token_is_an_error_that_names_the_variable_and_no_silence() {
    let error = MastraExporter::new(MastraConfig::new("")).unwrap_err();
    assert!(error.message().contains("MASTRA_PLATFORM_ACCESS_TOKEN"), "{error}");
}

#[tokio::test]
async fn a_gauge_below_zero_does_not_vanish() {
    let metric = Metric::new(at(1), "balance", MetricValue::Gauge(-5.0));
    let sent = sent(Batch::Metrics(vec![metric].into())).await;
    assert_eq!(sent.item()["value"], -5.0);
}

#[tokio::test]
async fn a_log_without_a_trace_says_none_and_not_no_op_trace() {
    let log = Log::new(at(1), obs_core::Level::Warn, "outside");
    let sent = sent(Batch::Logs(vec![log].into())).await;
    assert!(sent.item().get("traceId").is_none() && sent.item().get("spanId").is_none());
    assert_eq!(sent.item()["correlationContext"], json!({}));
}

#[tokio::test]
async fn usage_stands_on_the_call_alone_so_that_no_sum_doubles_it() {
    let mut agent = span(1, None);
    agent.span_type = SpanType::AgentRun(AgentRun::default());
    let mut call = span(2, Some(1));
    let usage = Usage::new(420, 30);
    call.span_type = SpanType::LlmGeneration(LlmGeneration { usage, ..LlmGeneration::default() });
    let sent = sent(ended([agent, call])).await;
    let usage: Vec<_> = sent.items.iter().map(|(_, item)| item["attributes"].get("usage").cloned()).collect();
    let told = json!({
        "inputTokens": 420, "outputTokens": 30, "inputDetails": {"text": 420}, "outputDetails": {"text": 30},
    });
    assert_eq!(usage, [None, Some(told)]);
}

#[tokio::test]
async fn tags_stand_on_the_root_and_the_user_and_session_on_every_span() {
    let (mut root, mut child) = (span(1, None), span(2, Some(1)));
    (root.context, child.context) = (context(), context());
    let sent = sent(ended([root, child])).await;
    assert_eq!(sent.items[0].1["tags"], json!(["beta", "support"]));
    assert!(sent.items[1].1.get("tags").is_none());
    for (_, item) in &sent.items {
        assert_eq!(item["metadata"]["userId"], "user-7");
        assert_eq!(item["metadata"]["sessionId"], "session-42");
    }
}

#[tokio::test]
async fn a_start_and_an_end_in_one_tick_lose_neither_end_nor_output() {
    let mut whole = span(1, None);
    whole.output = Some(obs_core::Payload::text("done"));
    whole.end = Some(whole.start);
    let sent = sent(ended([whole])).await;
    assert_eq!(
        (&sent.item()["output"], &sent.item()["endTime"]),
        (&json!("done"), &sent.item()["startTime"])
    );
}

#[tokio::test]
async fn a_full_address_of_the_route_for_spans_serves_every_signal() {
    let server = CaptureServer::start().await;
    let config = MastraConfig::new(server::TOKEN).with_endpoint(format!("{}/x/spans/publish", server.url()));
    let exporter = MastraExporter::new(config).unwrap();
    for signal in [Signal::Traces, Signal::Logs] {
        exporter.export(&fixtures::batch(signal)).await.unwrap();
    }
    let paths: Vec<_> = server.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/x/spans/publish", "/x/logs/publish"]);
}
