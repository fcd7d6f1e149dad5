//! Ids: ours, unchanged, whatever comes in what order from which process.

use obs_core::{Exporter, Score, Span, SpanRecord, Target};
use obs_datadog::{DatadogConfig, Mode};
use obs_testkit::fixtures::{self, at, span_id, trace_id, uuid};
use serde_json::json;

use crate::server::{self, ended, feedback, scores, sent, sent_with};

fn span(nth: u32, parent: Option<u32>) -> Span {
    let mut span = Span::new(trace_id(1), span_id(nth), format!("span {nth}"), at(nth.into()));
    span.parent_span_id = parent.map(span_id);
    span.end = Some(at(100));
    span
}

#[tokio::test]
async fn law_5_ids_reach_the_wire_as_they_are() {
    let sent = sent(ended([span(1, None), span(2, Some(1))])).await;
    let spans = sent.spans();
    assert_eq!(spans[0]["trace_id"], json!(trace_id(1).to_string()));
    assert_eq!(spans[0]["span_id"], json!(span_id(1).to_string()));
    assert_eq!(spans[0]["parent_id"], "undefined");
    assert_eq!(spans[1]["parent_id"], json!(span_id(1).to_string()));
    assert!(spans[0].get("_dd").is_none());
}

#[tokio::test]
async fn law_5_by_an_agent_the_same_ids_stand_in_datadog_s_own_envelope() {
    let sent = sent_with(ended([span(1, None), span(2, Some(1))]), |config, server| {
        config.with_agent_url(server.url())
    })
    .await;
    let request = &sent.server.requests()[0];
    assert_eq!(request.path, server::AGENT_SPANS);
    assert_eq!(request.header("x-datadog-evp-subdomain"), Some("llmobs-intake"));
    assert_eq!(request.header("dd-api-key"), None, "an Agent has the key itself");
    let body = server::body(request);
    assert_eq!(body.as_array().unwrap().len(), 2, "an envelope for each span");
    for (envelope, nth) in body.as_array().unwrap().iter().zip([1, 2]) {
        assert_eq!((&envelope["_dd.stage"], &envelope["event_type"]), (&json!("raw"), &json!("span")));
        let span = &envelope["spans"][0];
        let ids = json!({"span_id": span_id(nth), "trace_id": trace_id(1), "apm_trace_id": trace_id(1)});
        assert_eq!(span["_dd"], ids);
        assert!(span["meta"]["span"]["kind"].is_string() && span["meta"].get("kind").is_none());
        assert!(span["tags"].as_array().unwrap().contains(&json!("ml_app:support")));
    }
}

#[tokio::test]
async fn orphans_remote_parents_and_children_before_parents_are_sent() {
    let mut remote = span(3, Some(90));
    remote.remote_parent = true;
    let sent = sent(ended([span(2, Some(1)), remote, span(1, None), span(4, Some(91))])).await;
    let parents: Vec<_> = sent.spans().iter().map(|span| span["parent_id"].clone()).collect();
    let id = |nth| json!(span_id(nth).to_string());
    assert_eq!(parents, [id(1), id(90), json!("undefined"), id(91)]);
    assert_eq!(sent.spans()[1]["meta"]["metadata"]["remote_parent"], true);
}

#[tokio::test]
async fn a_span_that_took_no_time_or_has_no_end_is_sent() {
    let mut event = span(1, None);
    event.end = Some(event.start);
    let mut open = span(2, Some(1));
    open.end = None;
    let mut backwards = span(3, Some(1));
    backwards.end = Some(at(0));
    let sent = sent(ended([event, open, backwards])).await;
    assert!(sent.spans().iter().all(|span| span["duration"] == 0));
    assert_eq!(sent.receipt.delivered, 3);
}

#[tokio::test]
async fn a_start_is_refused_with_the_reason_and_sinks_nobody() {
    let batch = [SpanRecord::Started(span(1, None)), SpanRecord::Ended(span(2, Some(1)))];
    let sent = sent(obs_core::Batch::Traces(batch.into_iter().collect())).await;
    assert_eq!(sent.receipt.delivered, 1);
    assert!(sent.reason().contains("have ended"), "{}", sent.reason());
}

#[tokio::test]
async fn a_score_from_another_process_is_joined_to_the_span() {
    let target = Target::Span { trace_id: trace_id(1), span_id: span_id(2), root_span_id: None };
    let sent = sent(scores([Score::new(uuid(1), at(9), target, "relevance", 0.5)])).await;
    let joined = json!({"span": {"span_id": span_id(2), "trace_id": trace_id(1)}});
    assert_eq!((&sent.evaluation()["join_on"], &sent.evaluation()["eval_scope"]), (&joined, &json!("span")));
}

#[tokio::test]
async fn spans_that_come_by_otlp_are_known_by_decimal_numbers() {
    let target = Target::Span { trace_id: trace_id(1), span_id: span_id(2), root_span_id: None };
    let score = Score::new(uuid(1), at(9), target.clone(), "relevance", 0.5);
    let given = obs_core::Feedback::new(uuid(2), at(9), target, "thumbs", true);
    let by_otlp = |config: DatadogConfig, server: &obs_testkit::CaptureServer| {
        config.with_mode(Mode::OtlpAgent).with_otlp_endpoint(server.url())
    };
    let (span, trace) = (span_id(2).get().to_string(), trace_id(1).get().to_string());
    let sent = sent_with(scores([score]), by_otlp).await;
    assert_eq!(sent.evaluation()["join_on"]["span"], json!({"span_id": span, "trace_id": trace}));
    assert!(sent.evaluation()["tags"].as_array().unwrap().contains(&json!("source:otel")));
    let sent = sent_with(feedback([given]), by_otlp).await;
    assert_eq!(sent.evaluation()["span_id"], json!(span));
    assert_eq!(sent.evaluation()["metadata"]["trace_id"], json!(trace), "as the span is known");
    assert!(sent.evaluation()["tags"].as_array().unwrap().contains(&json!("source:otel")));
}

#[tokio::test]
async fn law_5_the_same_batch_makes_the_same_requests() {
    for batch in fixtures::trace_batches() {
        let server = server::start().await;
        let (one, other) = (server::exporter(&server), server::exporter(&server));
        assert_eq!(one.encode(&batch), other.encode(&batch));
        one.export(&batch).await.unwrap();
        let sent: Vec<_> = server.requests().into_iter().map(|request| request.body).collect();
        assert_eq!(sent, other.encode(&batch));
    }
}
