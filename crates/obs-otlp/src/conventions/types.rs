//! Which name each convention has for a type of span.

use super::equal;

/// One row of [`TYPES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeName {
    /// The attribute that names the type.
    pub attribute: &'static str,
    /// Its value.
    pub value: &'static str,
    /// The type, by its name in `obs_core::SpanType::NAMES`.
    pub span_type: &'static str,
    /// Whether the type alone gives the value back: then it is what a writer writes, and a reader need not keep it.
    pub exact: bool,
}

const fn exact(attribute: &'static str, value: &'static str, span_type: &'static str) -> TypeName {
    TypeName { attribute, value, span_type, exact: true }
}

const fn near(attribute: &'static str, value: &'static str, span_type: &'static str) -> TypeName {
    TypeName { attribute, value, span_type, exact: false }
}

pub(crate) const MASTRA: &str = "mastra.span.type";
pub(crate) const GEN_AI: &str = "gen_ai.operation.name";
/// The attribute of OpenInference's kind.
pub const OPEN_INFERENCE: &str = "openinference.span.kind";
const OPEN_LLMETRY: &str = "traceloop.span.kind";
/// The attribute of an observation's type.
pub const LANGFUSE: &str = "langfuse.observation.type";
const REQUEST: &str = "llm.request.type";
const MCP: &str = "mcp.method.name";

/// Every name of a span type, the attribute that says most about it first.
///
/// Where two attributes of a span disagree, the earlier one decides.
pub const TYPES: &[TypeName] = &[
    exact(MASTRA, "agent_run", "agent_run"),
    exact(MASTRA, "workflow_run", "workflow_run"),
    exact(MASTRA, "workflow_step", "workflow_step"),
    exact(MASTRA, "workflow_conditional", "workflow_step"),
    exact(MASTRA, "workflow_parallel", "workflow_step"),
    exact(MASTRA, "workflow_loop", "workflow_step"),
    exact(MASTRA, "workflow_sleep", "workflow_step"),
    exact(MASTRA, "workflow_wait_event", "workflow_step"),
    exact(MASTRA, "model_generation", "llm_generation"),
    near(MASTRA, "model_step", "llm_generation"),
    near(MASTRA, "model_inference", "llm_generation"),
    near(MASTRA, "model_chunk", "generic"),
    exact(MASTRA, "tool_call", "tool_call"),
    near(MASTRA, "client_tool_call", "tool_call"),
    near(MASTRA, "provider_tool_call", "tool_call"),
    exact(MASTRA, "mcp_tool_call", "mcp_tool_call"),
    near(MASTRA, "memory_operation", "memory_update"),
    near(MASTRA, "rag_vector_operation", "rag_query"),
    exact(MASTRA, "rag_embedding", "embedding"),
    exact(MASTRA, "scorer_run", "eval_execution"),
    near(MASTRA, "scorer_step", "generic"),
    near(MASTRA, "rag_ingestion", "generic"),
    near(MASTRA, "rag_action", "generic"),
    exact(MASTRA, "generic", "generic"),
    exact(GEN_AI, "chat", "llm_generation"),
    near(GEN_AI, "text_completion", "llm_generation"),
    near(GEN_AI, "completion", "llm_generation"),
    near(GEN_AI, "generate_content", "llm_generation"),
    near(GEN_AI, "generate", "llm_generation"),
    exact(GEN_AI, "embeddings", "embedding"),
    exact(GEN_AI, "retrieval", "rag_query"),
    exact(GEN_AI, "invoke_agent", "agent_run"),
    exact(GEN_AI, "invoke_workflow", "workflow_run"),
    exact(GEN_AI, "execute_tool", "tool_call"),
    exact(GEN_AI, "search_memory", "memory_lookup"),
    near(GEN_AI, "create_memory", "memory_update"),
    near(GEN_AI, "update_memory", "memory_update"),
    near(GEN_AI, "upsert_memory", "memory_update"),
    near(GEN_AI, "delete_memory", "memory_update"),
    near(GEN_AI, "create_memory_store", "generic"),
    near(GEN_AI, "delete_memory_store", "generic"),
    near(GEN_AI, "create_agent", "generic"),
    near(GEN_AI, "plan", "generic"),
    // Rig's, before it told streaming apart from the operation.
    near(GEN_AI, "chat_streaming", "llm_generation"),
    near(GEN_AI, "rerank", "generic"),
    exact(OPEN_INFERENCE, "LLM", "llm_generation"),
    exact(OPEN_INFERENCE, "EMBEDDING", "embedding"),
    exact(OPEN_INFERENCE, "RETRIEVER", "rag_query"),
    exact(OPEN_INFERENCE, "TOOL", "tool_call"),
    exact(OPEN_INFERENCE, "AGENT", "agent_run"),
    exact(OPEN_INFERENCE, "EVALUATOR", "eval_execution"),
    near(OPEN_INFERENCE, "CHAIN", "generic"),
    near(OPEN_INFERENCE, "RERANKER", "generic"),
    near(OPEN_INFERENCE, "GUARDRAIL", "generic"),
    near(OPEN_INFERENCE, "PROMPT", "generic"),
    exact(OPEN_LLMETRY, "workflow", "workflow_run"),
    exact(OPEN_LLMETRY, "task", "workflow_step"),
    exact(OPEN_LLMETRY, "agent", "agent_run"),
    exact(OPEN_LLMETRY, "tool", "tool_call"),
    exact(LANGFUSE, "generation", "llm_generation"),
    exact(LANGFUSE, "embedding", "embedding"),
    exact(LANGFUSE, "agent", "agent_run"),
    exact(LANGFUSE, "tool", "tool_call"),
    exact(LANGFUSE, "retriever", "rag_query"),
    exact(LANGFUSE, "evaluator", "eval_execution"),
    near(LANGFUSE, "span", "generic"),
    near(LANGFUSE, "event", "generic"),
    near(LANGFUSE, "chain", "generic"),
    near(LANGFUSE, "guardrail", "generic"),
    exact(REQUEST, "chat", "llm_generation"),
    near(REQUEST, "completion", "llm_generation"),
    exact(REQUEST, "embedding", "embedding"),
    near(REQUEST, "rerank", "generic"),
    exact(MCP, "tools/call", "mcp_tool_call"),
];

/// The value of an attribute that stands for a type and nothing else: its first exact row, or `None` if it has none.
///
/// ```
/// use obs_otlp::conventions::type_value;
///
/// assert_eq!(type_value("langfuse.observation.type", "llm_generation"), Some("generation"));
/// assert_eq!(type_value("gen_ai.operation.name", "workflow_step"), None);
/// ```
pub const fn type_value(attribute: &str, span_type: &str) -> Option<&'static str> {
    let mut at = 0;
    while at < TYPES.len() {
        let row = &TYPES[at];
        let same = equal(row.attribute.as_bytes(), attribute.as_bytes())
            && equal(row.span_type.as_bytes(), span_type.as_bytes());
        if same && row.exact {
            return Some(row.value);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use obs_core::SpanType;

    use super::TYPES;

    #[test]
    fn every_row_names_a_type_and_no_name_stands_twice() {
        for (at, row) in TYPES.iter().enumerate() {
            assert!(SpanType::NAMES.contains(&row.span_type), "{row:?}");
            let twin =
                |other: &&super::TypeName| (other.attribute, other.value) == (row.attribute, row.value);
            assert_eq!(TYPES[at..].iter().filter(twin).count(), 1, "{row:?}");
        }
    }
}
