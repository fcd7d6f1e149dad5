//! `obsctl demo` with a model server.

use std::fs;
use std::path::Path;

use obs_core::{LlmGeneration, Record, SpanType};
use serde_json::json;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::program::{obsctl_with, records};

const KEY: &str = "sk-test-4f9d0c2b7a6e5d4c3b2a19080f7e6d5c";

async fn server(template: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    let answers = Mock::given(method("POST")).and(path("/v1/chat/completions")).respond_with(template);
    answers.mount(&server).await;
    server
}

fn generations(folder: &Path) -> Vec<LlmGeneration> {
    let call = |record| match record {
        Record::Span(span) => match &span.span().span_type {
            SpanType::LlmGeneration(call) => Some(call.clone()),
            _ => None,
        },
        _ => None,
    };
    records(&folder.join("obs-demo/telemetry.jsonl")).into_iter().filter_map(call).collect()
}

#[tokio::test]
async fn a_servers_answer_usage_and_model_are_recorded_and_its_key_is_not() {
    let body = [
        r#"{"id":"c-9","model":"small-1-0101","choices":[{"delta":{"content":"A queue holds records "}}]}"#,
        r#"{"id":"c-9","choices":[{"delta":{"content":"[1]."},"finish_reason":"stop"}]}"#,
        r#"{"id":"c-9","choices":[],"usage":{"prompt_tokens":321,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":128}}}"#,
        "[DONE]",
    ];
    let body: String = body.iter().flat_map(|event| ["data: ", event, "\n\n"]).collect();
    let server = server(ResponseTemplate::new(200).set_body_raw(body, "text/event-stream")).await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.md"), "# Queue\n\nA queue holds records of a destination.\n").unwrap();
    let url = format!("{}/v1", server.uri());
    let args =
        ["demo", ".", "--question", "What does a queue hold?", "--base-url", &url, "--model", "small-1"];
    let ran = obsctl_with(folder.path(), &args, &[("OPENAI_API_KEY", KEY)]).ended(0);
    assert!(ran.stdout.contains("A queue holds records [1]."), "{}", ran.stdout);

    let calls = generations(folder.path());
    assert_eq!(calls.len(), 2);
    for call in calls {
        assert_eq!((call.usage.input, call.usage.output), (Some(321), Some(7)));
        assert_eq!(call.usage.input_details.cache_read, 128);
        assert_eq!(call.model.as_deref(), Some("small-1"));
        assert_eq!(call.response_model.as_deref(), Some("small-1-0101"));
        assert_eq!(call.finish_reason.as_deref(), Some("stop"));
    }
    let requests = server.received_requests().await.unwrap();
    assert!(requests.iter().all(|request| request.headers["authorization"] == format!("Bearer {KEY}")));
    for file in ["telemetry.jsonl", "obs.db", "memory.json"] {
        let bytes = fs::read(folder.path().join("obs-demo").join(file)).unwrap();
        assert!(!bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes()), "the key is in {file}");
    }
    assert!(!ran.stdout.contains(KEY) && !ran.stderr.contains(KEY));
}

#[tokio::test]
async fn a_server_that_refuses_fails_the_run_which_is_still_recorded_and_shown() {
    let refusal = json!({ "error": { "message": "the model small-2 does not exist" } });
    let server = server(ResponseTemplate::new(404).set_body_json(refusal)).await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.md"), "A queue holds records.\n").unwrap();
    let url = format!("{}/v1", server.uri());
    let args = ["demo", ".", "--base-url", &url, "--model", "small-2"];
    let ran = obsctl_with(folder.path(), &args, &[]).ended(1);
    for said in [&ran.stdout, &ran.stderr] {
        assert!(said.contains("the model small-2 does not exist"), "{ran:#?}");
    }
    let spans = records(&folder.path().join("obs-demo/telemetry.jsonl")).into_iter().filter_map(|record| {
        let Record::Span(span) = record else { return None };
        span.ended().and_then(|span| span.error.clone())
    });
    assert_eq!(spans.count(), 3, "the generation, its step and the workflow failed");
}
