//! The agent, workflow or tool at work, in Mastra's words.

use obs_core::{Entity, Span, SpanType, Str, TraceContext};

/// Mastra's `EntityType`; its storage takes no other word.
const TYPES: [&str; 14] = [
    "agent",
    "scorer",
    "rag_ingestion",
    "trajectory",
    "input_processor",
    "input_step_processor",
    "output_processor",
    "output_step_processor",
    "tool_result_processor",
    "workflow_step",
    "tool",
    "mcp_server",
    "workflow_run",
    "memory",
];

/// Mastra's word for a kind of entity; `None` for a kind that it does not know, which stands in the metadata.
pub(crate) fn entity_type(kind: &str) -> Option<&'static str> {
    let kind = if kind == "workflow" { "workflow_run" } else { kind };
    TYPES.into_iter().find(|known| *known == kind)
}

/// The kind of an entity where Mastra has no word for it.
pub(crate) fn unknown_kind(entity: Option<&Entity>) -> Option<&Str> {
    entity?.kind.as_ref().filter(|kind| entity_type(kind).is_none())
}

/// What is at work in a span.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct AtWork<'a> {
    pub(crate) kind: Option<&'static str>,
    pub(crate) id: Option<&'a str>,
    pub(crate) name: Option<&'a str>,
    pub(crate) version: Option<&'a str>,
}

impl<'a> AtWork<'a> {
    /// What the span's own fields name, else what is at work in the trace, as Mastra's spans inherit it.
    pub(crate) fn of_span(span: &'a Span) -> Self {
        let (kind, id, name) = match &span.span_type {
            SpanType::AgentRun(run) => ("agent", run.agent_id.as_deref(), run.agent_name.as_deref()),
            SpanType::WorkflowRun(run) => ("workflow_run", run.workflow_id.as_deref(), None),
            SpanType::WorkflowStep(step) => ("workflow_step", step.step_id.as_deref(), None),
            SpanType::ToolCall(call) => ("tool", None, call.tool.as_deref()),
            SpanType::McpToolCall(call) => ("tool", None, call.call.tool.as_deref()),
            SpanType::EvalExecution(run) => ("scorer", None, run.scorer.as_deref()),
            _ => return Self::of_context(&span.context),
        };
        if id.is_none() && name.is_none() {
            return Self::of_context(&span.context);
        }
        // The context may know more of the same one.
        let known = Self::of_context(&span.context);
        let is_same = id.is_some() && known.kind == Some(kind) && known.id == id;
        let version = known.version.filter(|_| is_same);
        Self { kind: Some(kind), id, name: name.or(known.name.filter(|_| is_same)), version }
    }

    fn of_context(context: &'a TraceContext) -> Self {
        context.entity.as_ref().map(Self::of).unwrap_or_default()
    }

    pub(crate) fn of(entity: &'a Entity) -> Self {
        Self {
            kind: entity.kind.as_deref().and_then(entity_type),
            id: entity.id.as_deref(),
            name: entity.name.as_deref(),
            version: entity.version.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_one_of_mastra_s_words_or_stands_beside_them() {
        for (kind, told) in
            [("agent", Some("agent")), ("workflow", Some("workflow_run")), ("robot", None), ("", None)]
        {
            assert_eq!(entity_type(kind), told, "{kind}");
            let entity = Entity { kind: Some(kind.into()), ..Entity::default() };
            assert_eq!(unknown_kind(Some(&entity)).is_none(), told.is_some(), "{kind}");
        }
        assert_eq!(TYPES.map(entity_type), TYPES.map(Some));
    }
}
