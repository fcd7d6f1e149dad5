//! What the TypeScript exporter gets wrong, and what is asked of one by its users.

use obs_braintrust::{BraintrustConfig, BraintrustExporter};
use obs_core::{
    AgentRun, Batch, ErrorKind, Exporter, LlmGeneration, Payload, Score, Signal, Span, SpanRecord, SpanType,
    Target, Usage,
};
use obs_testkit::Answer;
use obs_testkit::fixtures::{self, at, context, span_id, trace_id, uuid};
use serde_json::json;

use crate::server::{self, ended, scores, sent};

fn span(nth: u32, parent: Option<u32>) -> Span {
    let mut span = Span::new(trace_id(1), span_id(nth), format!("span {nth}"), at(nth.into()));
    span.parent_span_id = parent.map(span_id);
    span.end = Some(at(100));
    span
}

#[tokio::test]
async fn a_score_of_a_trace_is_on_its_root_s_row_and_not_on_a_row_of_the_trace_s_id() {
    let target = Target::Trace { trace_id: trace_id(1), root_span_id: Some(span_id(1)) };
    let sent = sent(scores([Score::new(uuid(1), at(9), target, "relevance", 0.5)])).await;
    assert_eq!(sent.item()["id"], json!(span_id(1)));
    assert_eq!(sent.rows.len(), 0);
}

#[tokio::test]
async fn a_run_of_twelve_spans_is_one_request_of_twelve_rows() {
    let spans = fixtures::trace().spans;
    let records = spans.iter().flat_map(|span| {
        let started = Span { end: None, output: None, ..span.clone() };
        [SpanRecord::Started(started), SpanRecord::Ended(span.clone())]
    });
    let sent = sent(Batch::Traces(records.collect())).await;
    let posts = sent.server.requests().iter().filter(|request| request.path.ends_with("/insert")).count();
    assert_eq!((posts, sent.rows.len(), sent.receipt.delivered), (1, 12, 24));
}

#[tokio::test]
async fn what_is_exported_is_there_before_flush_and_shutdown_return() {
    let server = server::start().await;
    let exporter = server::exporter(&server);
    exporter.export(&fixtures::batch(Signal::Logs)).await.unwrap();
    exporter.flush().await.unwrap();
    assert_eq!(server::inserted(&server).len(), 6);
    exporter.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_burst_of_orphans_loses_neither_ends_nor_outputs() {
    let spans: Vec<Span> = (2..14)
        .map(|nth| {
            let mut span = span(nth, Some(nth - 1));
            span.output = Some(Payload::text("done"));
            span
        })
        .collect();
    let records = spans.iter().rev().flat_map(|span| {
        [
            SpanRecord::Started(Span { end: None, output: None, ..span.clone() }),
            SpanRecord::Ended(span.clone()),
        ]
    });
    let sent = sent(Batch::Traces(records.collect())).await;
    assert_eq!(sent.rows.len(), 12);
    assert!(sent.rows.iter().all(|row| row["output"] == "done" && row["metrics"]["end"].is_number()));
}

#[tokio::test]
async fn an_end_whose_start_another_process_saw_needs_no_object_of_it() {
    let row = sent(ended([span(2, Some(1))])).await;
    assert_eq!(row.row()["span_parents"], json!([span_id(1)]));
}

#[tokio::test]
async fn a_backend_that_is_down_at_first_is_written_to_once_it_is_up() {
    let server = server::start().await;
    let up = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_up = std::sync::Arc::clone(&up);
    server.answer_with(move |_| {
        (!is_up.load(std::sync::atomic::Ordering::SeqCst)).then(|| Answer::status(503))
    });
    let exporter = server::exporter(&server);
    let batch = ended([span(1, None)]);
    let error = exporter.export(&batch).await.unwrap_err();
    assert_eq!((error.kind(), error.undelivered()), (ErrorKind::Unavailable, &batch));
    up.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(exporter.export(&batch).await.unwrap().delivered, 1);
}

#[tokio::test]
async fn an_export_that_failed_says_so_with_what_is_left() {
    let server = server::start().await;
    server.answer_for("POST", "/v1/project_logs", Answer::status(500));
    let error =
        server::exporter(&server).export(&ended([span(1, None), span(2, Some(1))])).await.unwrap_err();
    assert_eq!(error.undelivered().len(), 2);
}

#[tokio::test]
async fn usage_stands_on_the_call_alone_so_that_no_sum_doubles_it() {
    let mut agent = span(1, None);
    agent.span_type = SpanType::AgentRun(AgentRun::default());
    let mut call = span(2, Some(1));
    let usage = Usage::new(420, 30);
    call.span_type = SpanType::LlmGeneration(LlmGeneration { usage, ..LlmGeneration::default() });
    let sent = sent(ended([agent, call])).await;
    let tokens: Vec<_> = sent.rows.iter().map(|row| row["metrics"].get("tokens").cloned()).collect();
    assert_eq!(tokens, [None, Some(json!(450))]);
}

#[tokio::test]
async fn tags_stand_on_the_root_s_row_where_braintrust_shows_them() {
    let (mut root, mut child, mut remote) = (span(1, None), span(2, Some(1)), span(3, Some(9)));
    remote.remote_parent = true;
    for span in [&mut root, &mut child, &mut remote] {
        span.context = context();
    }
    let sent = sent(ended([root, child, remote])).await;
    let tags = json!(["beta", "support"]);
    assert_eq!(sent.rows[0]["tags"], tags);
    assert!(sent.rows[1].get("tags").is_none() && sent.rows[1]["metadata"].get("tags").is_none());
    assert_eq!((sent.rows[2].get("tags"), &sent.rows[2]["metadata"]["tags"]), (None, &tags));
}

#[tokio::test]
async fn model_calls_are_chats_with_the_results_of_tools_under_their_calls() {
    let mut call = span(1, None);
    call.span_type = SpanType::LlmGeneration(LlmGeneration::default());
    call.input = Some(Payload::from(
        r#"[{"role":"user","parts":[{"type":"text","content":"Weather?"}]},
            {"role":"assistant","parts":[{"type":"tool_call","id":"call_1","name":"weather","arguments":{"city":"Paris"}}]},
            {"role":"tool","parts":[{"type":"tool_call_response","id":"call_1","response":"clear"}]}]"#,
    ));
    call.output =
        Some(Payload::from(r#"[{"role":"assistant","parts":[{"type":"text","content":"Clear."}]}]"#));
    let sent = sent(ended([call])).await;
    let function = json!({"name": "weather", "arguments": "{\"city\":\"Paris\"}"});
    let wanted = json!([
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "call_1", "type": "function", "function": function}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "clear"},
    ]);
    assert_eq!(sent.row()["input"], wanted);
    assert_eq!(sent.row()["output"], json!([{"role": "assistant", "content": "Clear."}]));
}

#[test]
fn a_missing_key_is_an_error_that_names_the_variable_and_no_silence() {
    let error = BraintrustExporter::new(BraintrustConfig::new("")).unwrap_err();
    assert!(error.message().contains("BRAINTRUST_API_KEY"), "{error}");
}
