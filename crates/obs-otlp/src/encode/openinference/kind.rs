//! OpenInference's kind of every type, and which of GenAI's names it has names of its own for.

use obs_core::SpanType;

use crate::encode::genai::names as g;

/// What OpenInference makes of a type.
#[derive(Debug)]
pub(super) struct Kind {
    /// The value of `openinference.span.kind`.
    pub(super) name: &'static str,
    /// GenAI's names of the fields that OpenInference has names for.
    pub(super) told: &'static [&'static str],
}

/// The kind of a type.
pub(super) const fn of(span_type: &SpanType) -> &'static Kind {
    match span_type {
        SpanType::AgentRun(_) => &AGENT,
        SpanType::WorkflowRun(_) => &WORKFLOW,
        SpanType::WorkflowStep(_) | SpanType::MemoryUpdate(_) | SpanType::Generic => &CHAIN,
        SpanType::LlmGeneration(_) => &LLM,
        SpanType::ToolCall(_) => &TOOL,
        SpanType::McpToolCall(_) => &MCP,
        SpanType::MemoryLookup(_) => &MEMORY,
        SpanType::RagQuery(_) => &RETRIEVER,
        SpanType::Embedding(_) => &EMBEDDING,
        SpanType::EvalExecution(_) => &EVALUATOR,
    }
}

// Where the kind alone gives the type back, GenAI's operation is among what is told.

const AGENT: Kind =
    Kind { name: "AGENT", told: &[g::OPERATION, g::AGENT_NAME, g::INPUT_MESSAGES, g::OUTPUT_MESSAGES] };

const WORKFLOW: Kind = Kind { name: "CHAIN", told: &[g::INPUT_MESSAGES, g::OUTPUT_MESSAGES] };

const CHAIN: Kind = Kind { name: "CHAIN", told: &[] };

const LLM: Kind = Kind {
    name: "LLM",
    told: &[
        g::OPERATION,
        g::INPUT_MESSAGES,
        g::OUTPUT_MESSAGES,
        g::PROVIDER,
        g::MODEL,
        g::RESPONSE_MODEL,
        g::FINISH_REASONS,
        g::TOOLS,
        g::PARAMETER,
        g::TEMPERATURE,
        g::TOP_P,
        g::MAX_TOKENS,
        g::INPUT_TOKENS,
        g::OUTPUT_TOKENS,
        g::CACHE_READ,
        g::CACHE_WRITE,
        g::INPUT_AUDIO,
        g::REASONING,
        g::OUTPUT_AUDIO,
        g::COST,
    ],
};

const EMBEDDING: Kind = Kind {
    name: "EMBEDDING",
    told: &[
        g::OPERATION,
        g::PROVIDER,
        g::MODEL,
        g::INPUT_TOKENS,
        g::OUTPUT_TOKENS,
        g::CACHE_READ,
        g::CACHE_WRITE,
        g::INPUT_AUDIO,
        g::REASONING,
        g::OUTPUT_AUDIO,
    ],
};

const TOOL: Kind = Kind {
    name: "TOOL",
    told: &[
        g::OPERATION,
        g::TOOL_ARGUMENTS,
        g::TOOL_RESULT,
        g::TOOL_NAME,
        g::AGENT_NAME,
        g::TOOL_CALL_ID,
        g::TOOL_DESCRIPTION,
    ],
};

/// The method tells the type, so that the operation need not.
const MCP: Kind = Kind { name: TOOL.name, told: TOOL.told };

const MEMORY: Kind = Kind { name: "RETRIEVER", told: &[g::MEMORY_RECORDS] };

const RETRIEVER: Kind = Kind { name: "RETRIEVER", told: &[g::OPERATION, g::RAG_DOCUMENTS] };

const EVALUATOR: Kind = Kind { name: "EVALUATOR", told: &[g::TYPE] };

#[cfg(test)]
mod tests {
    use obs_core::{
        AgentRun, Embedding, EvalExecution, LlmGeneration, McpToolCall, MemoryLookup, MemoryUpdate, RagQuery,
        ToolCall, WorkflowRun, WorkflowStep,
    };

    use super::*;
    use crate::conventions::openinference::KIND;
    use crate::conventions::{TYPES, type_value};

    #[test]
    fn every_kind_is_the_one_that_is_read_where_one_is() {
        let types = [
            SpanType::AgentRun(AgentRun::default()),
            SpanType::WorkflowRun(WorkflowRun::default()),
            SpanType::WorkflowStep(WorkflowStep::default()),
            SpanType::LlmGeneration(LlmGeneration::default()),
            SpanType::ToolCall(ToolCall::default()),
            SpanType::McpToolCall(McpToolCall::default()),
            SpanType::MemoryLookup(MemoryLookup::default()),
            SpanType::MemoryUpdate(MemoryUpdate::default()),
            SpanType::RagQuery(RagQuery::default()),
            SpanType::Embedding(Embedding::default()),
            SpanType::EvalExecution(EvalExecution::default()),
            SpanType::Generic,
        ];
        assert_eq!(types.each_ref().map(SpanType::name), SpanType::NAMES);
        for span_type in &types {
            let kind = of(span_type);
            let read = type_value(KIND, span_type.name());
            assert!(read.is_none_or(|read| read == kind.name), "{kind:?}");
            assert!(TYPES.iter().any(|row| (row.attribute, row.value) == (KIND, kind.name)));
            // What names the type is left out only where the kind, or MCP's method, says as much.
            let silent = kind.told.contains(&g::OPERATION) || kind.told.contains(&g::TYPE);
            let mcp = matches!(span_type, SpanType::McpToolCall(_));
            assert_eq!(silent, read.is_some() || mcp, "{kind:?}");
        }
    }
}
