//! What the conventions call a span, and its role.

use std::borrow::Cow;

use obs_core::{Span, SpanKind, SpanType, Str};

use super::names as n;
use super::types::{TOOLS_CALL, memory_operation};

/// The span's name as the conventions have it: the operation and what it is done to.
///
/// `chat gpt-4o`, `execute_tool search`, `invoke_agent Support`; the operation alone where nothing more is known; a generic span keeps its own name.
pub fn name(span: &Span) -> Cow<'_, str> {
    match said(span) {
        Some((operation, Some(target))) => Cow::Owned(format!("{operation} {target}")),
        Some((operation, None)) => Cow::Borrowed(operation),
        None => Cow::Borrowed(&span.name),
    }
}

/// Whether [`name`] is the span's own, or the span has none of its own.
pub fn keeps_name(span: &Span) -> bool {
    let own = span.name.as_str();
    own.is_empty()
        || match said(span) {
            Some((operation, Some(target))) => {
                let rest = own.strip_prefix(operation).and_then(|rest| rest.strip_prefix(' '));
                rest == Some(target.as_str())
            }
            Some((operation, None)) => own == operation,
            None => true,
        }
}

/// The operation and what it is done to; `None` for a span that keeps its own name.
fn said(span: &Span) -> Option<(&str, Option<&Str>)> {
    let (operation, target) = match &span.span_type {
        SpanType::AgentRun(run) => (n::INVOKE_AGENT, run.agent_name.as_ref().or(run.agent_id.as_ref())),
        SpanType::WorkflowRun(run) => (n::INVOKE_WORKFLOW, run.workflow_id.as_ref()),
        SpanType::WorkflowStep(step) => ("workflow_step", step.step_id.as_ref()),
        SpanType::LlmGeneration(call) => (n::CHAT, call.model.as_ref()),
        SpanType::ToolCall(call) => (n::EXECUTE_TOOL, call.tool.as_ref()),
        SpanType::McpToolCall(mcp) => (
            mcp.method.as_deref().filter(|method| !method.is_empty()).unwrap_or(TOOLS_CALL),
            mcp.call.tool.as_ref(),
        ),
        SpanType::MemoryLookup(_) => (n::SEARCH_MEMORY, None),
        SpanType::MemoryUpdate(update) => (memory_operation(update).0, None),
        SpanType::RagQuery(query) => (n::RETRIEVAL, query.store.as_ref()),
        SpanType::Embedding(embedding) => (n::EMBEDDINGS, embedding.model.as_ref()),
        SpanType::EvalExecution(eval) => ("evaluate", eval.scorer.as_ref()),
        SpanType::Generic => return None,
    };
    Some((operation, target.filter(|target| !target.is_empty())))
}

/// The span's role: its own, unless it has none and calls something that is commonly elsewhere.
///
/// Calls of models, MCP servers and stores of documents are a client's.
pub fn kind(span: &Span) -> SpanKind {
    match (&span.span_type, span.kind) {
        (
            SpanType::LlmGeneration(_)
            | SpanType::Embedding(_)
            | SpanType::McpToolCall(_)
            | SpanType::RagQuery(_),
            SpanKind::Internal,
        ) => SpanKind::Client,
        (_, kind) => kind,
    }
}
