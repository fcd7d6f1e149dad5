//! The fields of a run: where each is on the wire, and how it is read off the span.

use obs_core::{Span, SpanType, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

/// One field: what it is, where it is on the wire, and how it is read off the span; null is absent.
pub(crate) type Row = (&'static str, &'static str, fn(&Span) -> Value);

fn of(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

fn micros(time: Timestamp) -> Value {
    json!(time.as_nanos() / 1_000)
}

fn llm(span: &Span, read: impl Fn(&obs_core::LlmGeneration) -> Value) -> Value {
    span.span_type.as_generation().map_or(Value::Null, read)
}

fn usage(span: &Span, read: impl Fn(&obs_core::Usage) -> Option<u64>) -> Value {
    span.span_type.model().map_or(Value::Null, |(_, _, usage)| of(&read(usage)))
}

fn bucket(value: u64) -> Option<u64> {
    Some(value).filter(|value| *value > 0)
}

fn cost(span: &Span, read: impl Fn(&obs_core::Cost) -> Option<f64>) -> Value {
    llm(span, |g| of(&g.cost.as_deref().filter(|cost| cost.currency == "USD").and_then(&read)))
}

fn tool(span: &Span, read: impl Fn(&obs_core::ToolCall) -> Value) -> Value {
    match &span.span_type {
        SpanType::ToolCall(call) => read(call),
        SpanType::McpToolCall(mcp) => read(&mcp.call),
        _ => Value::Null,
    }
}

pub(crate) const IDS: &[Row] = &[
    ("span id", "/extra/metadata/otel.span_id", |s| json!(s.span_id.to_string())),
    ("trace id", "/extra/metadata/otel.trace_id", |s| json!(s.trace_id.to_string())),
    ("parent", "/extra/metadata/otel.parent_span_id", |s| of(&s.parent_span_id)),
    ("trace state", "/extra/metadata/otel.trace_state", |s| of(&s.trace_state)),
    ("start", "/start_time", |s| micros(s.start)),
    ("end", "/end_time", |s| micros(s.end.unwrap_or(s.start).max(s.start))),
    ("project", "/session_name", |_| json!("support")),
    ("type", "/extra/metadata/span_type", |s| json!(s.span_type.name())),
    ("run type", "/run_type", |s| {
        json!(match s.span_type.name() {
            "llm_generation" => "llm",
            "tool_call" | "mcp_tool_call" => "tool",
            "memory_lookup" | "rag_query" => "retriever",
            "embedding" => "embedding",
            _ => "chain",
        })
    }),
];

pub(crate) const CONTEXT: &[Row] = &[
    ("thread", "/extra/metadata/thread_id", |s| {
        of(&s.context.thread_id.clone().or(s.context.session_id.clone()))
    }),
    ("session", "/extra/metadata/session_id", |s| of(&s.context.session_id)),
    ("user", "/extra/metadata/user_id", |s| of(&s.context.user_id)),
    ("environment", "/extra/metadata/environment", |s| of(&s.context.environment)),
    ("release", "/extra/metadata/revision_id", |s| of(&s.context.release)),
    ("version", "/extra/metadata/version", |s| of(&s.context.version)),
    ("trace name", "/extra/metadata/trace_name", |s| of(&s.context.name)),
    ("request", "/extra/metadata/request_id", |s| of(&s.context.request_id)),
    ("organisation", "/extra/metadata/organization_id", |s| of(&s.context.organization_id)),
    ("experiment", "/extra/metadata/experiment_id", |s| of(&s.context.experiment_id)),
    ("entity", "/extra/metadata/entity", |s| of(&s.context.entity)),
    ("parent entity", "/extra/metadata/parent_entity", |s| of(&s.context.parent_entity)),
    ("tags", "/tags", |s| if s.context.tags.is_empty() { Value::Null } else { json!(s.context.tags) }),
    ("free metadata", "/extra/metadata/tier", |s| of(&s.context.metadata.get("tier"))),
    ("resource", "/extra/runtime/resource", |s| {
        Some(&s.resource.attributes).filter(|a| !a.is_empty()).map_or(Value::Null, |a| json!(a))
    }),
    ("scope", "/extra/runtime/scope", |s| of(&s.resource.scope.as_ref().map(|scope| scope.name.clone()))),
];

pub(crate) const MODEL: &[Row] = &[
    ("provider", "/extra/metadata/ls_provider", |s| {
        s.span_type.model().map_or(Value::Null, |(_, p, _)| of(&p))
    }),
    ("model", "/extra/metadata/ls_model_name", |s| match &s.span_type {
        SpanType::Embedding(e) => of(&e.model),
        _ => llm(s, |g| of(&g.response_model.clone().or(g.model.clone()))),
    }),
    ("kind of model", "/extra/metadata/ls_model_type", |s| llm(s, |_| json!("chat"))),
    ("most tokens", "/extra/metadata/ls_max_tokens", |s| llm(s, |g| of(&g.parameters.max_tokens))),
    ("tools", "/extra/invocation_params/tools", |s| llm(s, |g| of(&g.tools))),
    ("top p", "/extra/invocation_params/top_p", |s| llm(s, |g| of(&g.parameters.top_p))),
    ("answer's id", "/extra/metadata/response_id", |s| llm(s, |g| of(&g.response_id))),
    ("result type", "/extra/metadata/result_type", |s| llm(s, |g| of(&g.result_type))),
    ("finish reason", "/extra/metadata/finish_reason", |s| llm(s, |g| of(&g.finish_reason))),
    ("streaming", "/extra/metadata/streaming", |s| llm(s, |g| of(&g.streaming))),
    ("prompt", "/extra/metadata/lc_hub_repo", |s| llm(s, |g| of(&g.prompt.as_ref().map(|p| p.name.clone())))),
    ("prompt's version", "/extra/metadata/lc_hub_commit_hash", |s| {
        llm(s, |g| of(&g.prompt.as_ref().and_then(|p| p.version.clone())))
    }),
    ("input tokens", "/extra/metadata/usage_metadata/input_tokens", |s| usage(s, |u| u.input)),
    ("output tokens", "/extra/metadata/usage_metadata/output_tokens", |s| usage(s, |u| u.output)),
    ("cache read", "/extra/metadata/usage_metadata/input_token_details/cache_read", |s| {
        usage(s, |u| bucket(u.input_details.cache_read))
    }),
    ("cache write", "/extra/metadata/usage_metadata/input_token_details/cache_creation", |s| {
        usage(s, |u| bucket(u.input_details.cache_write))
    }),
    ("cache write 5m", "/extra/metadata/usage_metadata/input_token_details/ephemeral_5m_input_tokens", |s| {
        usage(s, |u| bucket(u.input_details.cache_write_5m))
    }),
    ("cache write 1h", "/extra/metadata/usage_metadata/input_token_details/ephemeral_1h_input_tokens", |s| {
        usage(s, |u| bucket(u.input_details.cache_write_1h))
    }),
    ("audio in", "/extra/metadata/usage_metadata/input_token_details/audio", |s| {
        usage(s, |u| bucket(u.input_details.audio))
    }),
    ("images in", "/extra/metadata/usage_metadata/input_token_details/image", |s| {
        usage(s, |u| bucket(u.input_details.image))
    }),
    ("reasoning", "/extra/metadata/usage_metadata/output_token_details/reasoning", |s| {
        usage(s, |u| bucket(u.output_details.reasoning))
    }),
    ("whole cost", "/extra/metadata/usage_metadata/total_cost", |s| cost(s, |c| Some(c.total))),
    ("input cost", "/extra/metadata/usage_metadata/input_cost", |s| cost(s, |c| c.input)),
    ("output cost", "/extra/metadata/usage_metadata/output_cost", |s| cost(s, |c| c.output)),
];

pub(crate) const OTHERS: &[Row] = &[
    ("agent", "/extra/metadata/agent_id", |s| match &s.span_type {
        SpanType::AgentRun(agent) => of(&agent.agent_id),
        _ => Value::Null,
    }),
    ("instructions", "/extra/metadata/instructions", |s| match &s.span_type {
        SpanType::AgentRun(agent) => of(&agent.instructions),
        _ => Value::Null,
    }),
    ("decision", "/extra/metadata/decisions/0/action", |s| match &s.span_type {
        SpanType::AgentRun(agent) => of(&agent.decisions.first().map(|decision| decision.action.clone())),
        _ => Value::Null,
    }),
    ("workflow's status", "/extra/metadata/workflow_status", |s| match &s.span_type {
        SpanType::WorkflowRun(run) => of(&run.status),
        SpanType::WorkflowStep(step) => of(&step.status),
        _ => Value::Null,
    }),
    ("step's flavour", "/extra/metadata/step", |s| match &s.span_type {
        SpanType::WorkflowStep(step) if !step.flavour.is_plain() => json!(step.flavour),
        _ => Value::Null,
    }),
    ("tool", "/extra/metadata/tool_name", |s| tool(s, |call| of(&call.tool))),
    ("tool's call", "/extra/metadata/tool_call_id", |s| tool(s, |call| of(&call.call_id))),
    ("tool's success", "/extra/metadata/tool_success", |s| tool(s, |call| of(&call.success))),
    ("server", "/extra/metadata/mcp_server", |s| match &s.span_type {
        SpanType::McpToolCall(mcp) => of(&mcp.server),
        _ => Value::Null,
    }),
    ("memory", "/extra/metadata/memory", |s| match &s.span_type {
        SpanType::MemoryLookup(lookup) => of(&lookup.memory),
        SpanType::MemoryUpdate(update) => of(&update.memory),
        _ => Value::Null,
    }),
    ("store", "/extra/metadata/store", |s| match &s.span_type {
        SpanType::RagQuery(rag) => of(&rag.store),
        _ => Value::Null,
    }),
    ("dimensions", "/extra/metadata/embedding_dimensions", |s| match &s.span_type {
        SpanType::Embedding(embedding) => of(&embedding.dimensions),
        _ => Value::Null,
    }),
    ("scorer", "/extra/metadata/scorer", |s| match &s.span_type {
        SpanType::EvalExecution(eval) => of(&eval.scorer),
        _ => Value::Null,
    }),
    ("error's type", "/extra/metadata/error_type", |s| {
        of(&s.error.as_ref().and_then(|e| e.error_type.clone()))
    }),
    ("error's id", "/extra/metadata/error_id", |s| of(&s.error.as_ref().and_then(|e| e.error_id))),
    ("error's code", "/extra/metadata/error_code", |s| of(&s.error.as_ref().and_then(|e| e.code.clone()))),
    ("links", "/extra/metadata/links", |s| if s.links.is_empty() { Value::Null } else { json!(s.links) }),
];
