//! What the conventions call a span, and its role.

use std::borrow::Cow;

use obs_core::{Span, SpanKind, SpanType, Str};

use super::names as n;
use super::types::{TOOLS_CALL, memory_operation};

/// The span's name as the conventions have it: the operation and what it is done to.
///
/// `chat gpt-4o`, `execute_tool search`, `invoke_agent Support`; a type that does not say what it is done to has the span's own name there, and calls of models and memories the operation alone; a generic span keeps its own name.
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
                rest == Some(target)
            }
            Some((operation, None)) => own == operation,
            None => true,
        }
}

/// The operation and what it is done to; `None` for a span that keeps its own name.
///
/// What the type does not name has the span's own name, but for models and memories, of which it says nothing.
fn said(span: &Span) -> Option<(&str, Option<&str>)> {
    let (operation, target, or_own) = match &span.span_type {
        SpanType::AgentRun(run) => {
            (n::INVOKE_AGENT, some(run.agent_name.as_ref()).or(run.agent_id.as_ref()), true)
        }
        SpanType::WorkflowRun(run) => (n::INVOKE_WORKFLOW, run.workflow_id.as_ref(), true),
        SpanType::WorkflowStep(step) => ("workflow_step", step.step_id.as_ref(), true),
        SpanType::LlmGeneration(call) => (n::CHAT, call.model.as_ref(), false),
        SpanType::ToolCall(call) => (n::EXECUTE_TOOL, call.tool.as_ref(), true),
        SpanType::McpToolCall(mcp) => (
            mcp.method.as_deref().filter(|method| !method.is_empty()).unwrap_or(TOOLS_CALL),
            mcp.call.tool.as_ref(),
            true,
        ),
        SpanType::MemoryLookup(_) => (n::SEARCH_MEMORY, None, false),
        SpanType::MemoryUpdate(update) => (memory_operation(update).0, None, false),
        SpanType::RagQuery(query) => (n::RETRIEVAL, query.store.as_ref(), true),
        SpanType::Embedding(embedding) => (n::EMBEDDINGS, embedding.model.as_ref(), false),
        SpanType::EvalExecution(eval) => ("evaluate", eval.scorer.as_ref(), true),
        SpanType::Generic => return None,
    };
    let target = target.filter(|target| !target.is_empty()).map(Str::as_str);
    Some((operation, target.or_else(|| own_target(span, operation).filter(|_| or_own))))
}

fn some(text: Option<&Str>) -> Option<&Str> {
    text.filter(|text| !text.is_empty())
}

/// The span's own name, without the operation if it begins with that.
fn own_target<'a>(span: &'a Span, operation: &str) -> Option<&'a str> {
    let own = span.name.as_str();
    let target = match own.strip_prefix(operation) {
        Some("") => "",
        Some(rest) => rest.strip_prefix(' ').unwrap_or(own),
        None => own,
    };
    Some(target).filter(|target| !target.is_empty())
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
