//! Mastra's own attributes.

use std::time::Duration;

use obs_core::{Payload, SpanType, Value, WorkflowStatus};
use serde_json::json;

use crate::request::one;

#[test]
fn an_agent_run_is_read_whole() {
    let span = one(&[
        ("gen_ai.operation.name", json!("invoke_agent")),
        ("mastra.span.type", json!("agent_run")),
        ("mastra.agent_run.input", json!("[{\"role\":\"user\",\"content\":\"hi\"}]")),
        ("mastra.agent_run.output", json!("{\"text\":\"hello\"}")),
        ("mastra.agent_run.max_steps", json!(5)),
        ("gen_ai.agent.id", json!("weather-agent")),
        ("gen_ai.tool.definitions", json!("[\"get_weather\"]")),
        ("gen_ai.system_instructions", json!("You are a weather bot")),
        ("mastra.tags", json!("[\"prod\",\"team:ml\"]")),
        ("mastra.metadata.userId", json!("user-42")),
        ("mastra.metadata.sessionId", json!("sess-9")),
        ("mastra.metadata.threadId", json!("thread-7")),
        ("gen_ai.conversation.id", json!("thread-7")),
        ("mastra.metadata.requestId", json!("req")),
        ("mastra.metadata.organizationId", json!("org")),
        ("mastra.metadata.runId", json!("run-1")),
        ("mastra.metadata.environment", json!("test")),
        ("mastra.metadata.status", json!("vip")),
    ]);
    assert_eq!(span.attributes, obs_core::Attributes::new());
    let SpanType::AgentRun(run) = &span.span_type else { panic!("{:?}", span.span_type) };
    assert_eq!((run.agent_id.as_deref(), run.max_steps), (Some("weather-agent"), Some(5)));
    assert_eq!(
        (run.tools.as_slice(), &run.instructions),
        (["get_weather".into()].as_slice(), &Some(Payload::text("You are a weather bot")))
    );
    assert_eq!(span.output, Payload::from_json("{\"text\":\"hello\"}"));
    let context = &span.context;
    assert_eq!(context.tags, ["prod", "team:ml"]);
    assert_eq!(
        (context.user_id.as_deref(), context.session_id.as_deref()),
        (Some("user-42"), Some("sess-9"))
    );
    assert_eq!(
        (context.thread_id.as_deref(), context.request_id.as_deref()),
        (Some("thread-7"), Some("req"))
    );
    assert_eq!(
        (context.organization_id.as_deref(), context.environment.as_deref()),
        (Some("org"), Some("test"))
    );
    assert_eq!(context.metadata.get("runId").and_then(Value::as_str), Some("run-1"));
    assert_eq!(
        context.metadata.get("status").and_then(Value::as_str),
        Some("vip"),
        "metadata is no field of the type"
    );
}

#[test]
fn a_model_call_has_the_time_of_its_first_token() {
    let inference = |time: &str| {
        one(&[
            ("mastra.span.type", json!("model_inference")),
            ("gen_ai.request.model", json!("m")),
            ("mastra.completion_start_time", json!(time)),
        ])
    };
    let span = inference("2026-01-15T12:00:00.150Z");
    assert_eq!(span.span_type.as_generation().unwrap().time_to_first_token, Some(Duration::from_millis(150)));
    for nonsense in ["2026-01-15T11:00:00Z", "soon"] {
        let span = inference(nonsense);
        assert_eq!(span.span_type.as_generation().unwrap().time_to_first_token, None);
        assert!(span.attributes.get("mastra.completion_start_time").is_some());
    }
}

#[test]
fn a_workflow_run_has_its_run_and_status() {
    let run = |status: &str| {
        let span = one(&[
            ("mastra.span.type", json!("workflow_run")),
            ("mastra.metadata.runId", json!("run-1")),
            ("mastra.workflow_run.status", json!(status)),
        ]);
        match span.span_type {
            SpanType::WorkflowRun(run) => (run.run_id, run.status, span.attributes.len()),
            other => panic!("{other:?}"),
        }
    };
    for (name, status) in [
        ("success", WorkflowStatus::Completed),
        ("running", WorkflowStatus::Running),
        ("failed", WorkflowStatus::Failed),
        ("suspended", WorkflowStatus::Suspended),
        ("skipped", WorkflowStatus::Skipped),
    ] {
        assert_eq!(run(name), (Some("run-1".into()), Some(status), 0));
    }
    assert_eq!(run("bailed"), (Some("run-1".into()), None, 1));
}

#[test]
fn tools_scorers_and_stores_have_their_fields() {
    let tool = one(&[
        ("mastra.span.type", json!("mcp_tool_call")),
        ("mastra.mcp_tool_call.mcp_server", json!("files")),
        ("mastra.mcp_tool_call.server_version", json!("2")),
        ("mastra.mcp_tool_call.success", json!(false)),
    ]);
    let SpanType::McpToolCall(mcp) = &tool.span_type else { panic!("{:?}", tool.span_type) };
    assert_eq!(
        (mcp.server.as_deref(), mcp.server_version.as_deref(), mcp.call.success),
        (Some("files"), Some("2"), Some(false))
    );
    let scorer = one(&[
        ("mastra.span.type", json!("scorer_run")),
        ("mastra.scorer_run.scorer_id", json!("tone")),
        ("mastra.scorer_run.score_source", json!("live")),
    ]);
    let SpanType::EvalExecution(eval) = &scorer.span_type else { panic!("{:?}", scorer.span_type) };
    assert_eq!((eval.scorer.as_deref(), eval.source.as_deref()), (Some("tone"), Some("live")));
    let rag = one(&[
        ("mastra.span.type", json!("rag_vector_operation")),
        ("mastra.rag_vector_operation.operation", json!("query")),
        ("mastra.rag_vector_operation.index_name", json!("docs")),
        ("mastra.rag_vector_operation.top_k", json!(4)),
    ]);
    let SpanType::RagQuery(query) = &rag.span_type else { panic!("{:?}", rag.span_type) };
    assert_eq!((query.store.as_deref(), query.top_k), (Some("docs"), Some(4)));
}
