//! One test for each way in which Mastra's Datadog exporter loses or bends what it is given, and for what is asked of it.

use obs_core::{
    AgentRun, Batch, Exporter, Feedback, LlmGeneration, Payload, Score, Signal, Span, SpanRecord, SpanType,
    Target, Usage, WorkflowStep,
};
use obs_datadog::{DatadogConfig, DatadogExporter, Mode};
use obs_testkit::fixtures::{self, at, context, span_id, trace_id, uuid};
use obs_testkit::{Answer, CaptureServer};
use serde_json::json;

use crate::server::{self, ended, feedback, scores, sent, sent_with};

fn span(nth: u32, parent: Option<u32>) -> Span {
    let mut span = Span::new(trace_id(1), span_id(nth), format!("span {nth}"), at(nth.into()));
    span.parent_span_id = parent.map(span_id);
    span.end = Some(at(100));
    span
}

#[tokio::test]
async fn ids_are_not_made_anew_so_that_a_later_score_finds_its_span() {
    let spans = sent(ended([span(1, None)])).await.span();
    let target = Target::Span { trace_id: trace_id(1), span_id: span_id(1), root_span_id: None };
    let joined = sent(scores([Score::new(uuid(1), at(1), target, "late", 1.0)])).await.evaluation();
    assert_eq!(joined["join_on"]["span"]["span_id"], spans["span_id"]);
    assert_eq!(joined["join_on"]["span"]["trace_id"], spans["trace_id"]);
}

#[tokio::test]
async fn a_subtree_is_not_flattened_into_roots() {
    let trace = fixtures::trace();
    let sent = sent(ended(trace.spans.clone())).await;
    let arrived = sent.spans();
    for (told, span) in arrived.iter().zip(&trace.spans) {
        let parent = span.parent_span_id.map_or("undefined".to_owned(), |parent| parent.to_string());
        assert_eq!(told["parent_id"], json!(parent));
    }
    assert_eq!(arrived.iter().filter(|span| span["parent_id"] == "undefined").count(), 1);
}

#[tokio::test]
async fn a_child_does_not_wait_for_its_root_so_that_a_crash_loses_only_what_runs() {
    let sent = sent(ended([span(2, Some(1))])).await;
    assert_eq!(sent.receipt.delivered, 1);
}

#[tokio::test]
async fn all_twelve_spans_of_a_run_arrive_and_those_that_took_no_time() {
    let mut spans = fixtures::trace().spans;
    let mut event = span(77, Some(1));
    event.end = Some(event.start);
    spans.push(event);
    let sent = sent(ended(spans)).await;
    assert_eq!((sent.spans().len(), sent.receipt.delivered), (13, 13));
}

#[tokio::test]
async fn scores_of_traces_are_not_dropped() {
    let target = Target::Trace { trace_id: trace_id(1), root_span_id: Some(span_id(1)) };
    let sent = sent(scores([Score::new(uuid(1), at(1), target, "relevance", 0.5)])).await;
    assert_eq!(sent.evaluation()["eval_scope"], "trace");
}

#[tokio::test]
async fn a_score_is_as_good_a_month_after_its_root_ended() {
    let server = server::start().await;
    let month = 30 * 24 * 3_600 * 1_000_000;
    let exporter = DatadogExporter::new(server::config(&server)).unwrap().with_clock(move || at(month));
    let target = Target::Span { trace_id: trace_id(1), span_id: span_id(1), root_span_id: None };
    let receipt = exporter.export(&scores([Score::new(uuid(1), at(1), target, "late", 1.0)])).await.unwrap();
    assert_eq!(receipt.delivered, 1);
}

#[tokio::test]
async fn feedback_logs_and_metrics_are_taken() {
    let server = server::start().await;
    let exporter = server::exporter(&server);
    for signal in Signal::ALL {
        assert!(exporter.descriptor().signals().contains(signal), "{signal}");
    }
    let target = Target::Span { trace_id: trace_id(1), span_id: span_id(1), root_span_id: None };
    let sent = sent(feedback([Feedback::new(uuid(1), at(1), target, "thumbs", true)])).await;
    assert_eq!(sent.evaluation()["event_kind"], "feedback");
}

#[tokio::test]
async fn only_a_model_call_has_a_model_and_none_is_called_custom() {
    let mut step = span(1, None);
    step.span_type = SpanType::WorkflowStep(WorkflowStep::default());
    let mut call = span(2, Some(1));
    let model = Some("gpt-4o".into());
    call.span_type =
        SpanType::LlmGeneration(LlmGeneration { response_model: model, ..LlmGeneration::default() });
    let spans = sent(ended([step, call])).await.spans();
    assert!(spans[0]["meta"].get("model_name").is_none());
    assert_eq!(spans[1]["meta"]["model_name"], "gpt-4o");
}

#[tokio::test]
async fn what_is_named_becomes_a_tag_and_does_not_only_nest() {
    let mut span = span(1, None);
    span.context = context();
    let sent = sent_with(ended([span]), |config, _| config.with_tag_keys(["tier"])).await;
    assert!(sent.span()["tags"].as_array().unwrap().contains(&json!("tier:gold")));
}

#[tokio::test]
async fn usage_stands_on_the_call_alone_so_that_no_sum_doubles_it() {
    let mut agent = span(1, None);
    agent.span_type = SpanType::AgentRun(AgentRun::default());
    let mut call = span(2, Some(1));
    let usage = Usage::new(420, 30);
    call.span_type = SpanType::LlmGeneration(LlmGeneration { usage, ..LlmGeneration::default() });
    let spans = sent(ended([agent, call])).await.spans();
    assert!(spans[0].get("metrics").is_none());
    assert_eq!(spans[1]["metrics"]["total_tokens"], 450);
}

#[tokio::test]
async fn results_of_tools_are_not_missing_from_the_conversation() {
    let mut call = span(1, None);
    call.span_type = SpanType::LlmGeneration(LlmGeneration::default());
    call.input = Some(Payload::from(
        r#"[{"role":"user","parts":[{"type":"text","content":"Weather?"}]},
            {"role":"assistant","parts":[{"type":"tool_call","id":"call_1","name":"weather","arguments":{"city":"Paris"}}]},
            {"role":"tool","parts":[{"type":"tool_call_response","id":"call_1","response":"clear"}]}]"#,
    ));
    let told = sent(ended([call])).await.span();
    let messages = &told["meta"]["input"]["messages"];
    assert_eq!(messages[1]["tool_calls"][0]["arguments"], json!({"city": "Paris"}));
    assert_eq!(messages[2]["tool_results"][0]["result"], "clear");
    assert_eq!(messages[2]["tool_results"][0]["tool_id"], messages[1]["tool_calls"][0]["tool_id"]);
}

#[tokio::test]
async fn what_is_exported_is_there_before_flush_and_shutdown_return() {
    let server = server::start().await;
    let exporter = server::exporter(&server);
    exporter.export(&ended([span(1, None)])).await.unwrap();
    exporter.flush().await.unwrap();
    assert_eq!(server.requests().len(), 1);
    exporter.shutdown().await.unwrap();
}

#[tokio::test]
async fn an_export_that_failed_says_so_with_what_is_left_and_passes_later() {
    let server = CaptureServer::start().await;
    server.answer([Answer::status(500), Answer::status(202)]);
    let exporter = server::exporter(&server);
    let batch = ended([span(1, None), span(2, Some(1))]);
    let error = exporter.export(&batch).await.unwrap_err();
    assert_eq!(error.undelivered(), &batch);
    assert_eq!(exporter.export(&batch).await.unwrap().delivered, 2);
}

#[tokio::test]
async fn a_thousand_spans_are_one_request_and_not_a_thousand() {
    let sent = sent(ended((1..=1_000).map(|nth| span(nth, None)))).await;
    assert_eq!((sent.server.requests().len(), sent.spans().len()), (1, 1_000));
}

#[test]
fn a_key_that_is_missing_is_an_error_and_not_silence() {
    let error = DatadogExporter::new(DatadogConfig::new("")).unwrap_err();
    assert!(error.message().contains("DD_API_KEY"), "{error}");
}

#[tokio::test]
async fn the_process_s_own_environment_is_read_on_request_and_never_written() {
    let before: Vec<_> = std::env::vars_os().collect();
    let server = server::start().await;
    server::exporter(&server).export(&ended([span(1, None)])).await.unwrap();
    assert_eq!(std::env::vars_os().collect::<Vec<_>>(), before);
}

#[tokio::test]
async fn an_agent_and_none_are_both_ways() {
    let batch = || Batch::Traces([SpanRecord::Ended(span(1, None))].into_iter().collect());
    let agentless = sent(batch()).await;
    assert_eq!(agentless.server.requests()[0].path, server::SPANS);
    let by_proxy = sent_with(batch(), |config, server| config.with_agent_url(server.url())).await;
    assert_eq!(by_proxy.server.requests()[0].path, server::AGENT_SPANS);
    let by_otlp = sent_with(batch(), |config, server| {
        config.with_mode(Mode::OtlpAgent).with_otlp_endpoint(server.url())
    })
    .await;
    assert_eq!(by_otlp.server.requests()[0].path, server::OTLP);
}
