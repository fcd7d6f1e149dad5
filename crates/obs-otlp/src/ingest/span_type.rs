//! What a span stands for, from its attributes.

use obs_core::{
    AgentRun, Embedding, EvalExecution, LlmGeneration, LoopKind, McpToolCall, MemoryLookup, MemoryUpdate,
    RagQuery, SpanType, StepFlavour, Str, ToolCall, Value, WorkflowRun, WorkflowStep,
};

use crate::conventions::{self, Field, TYPES, TypeName};
use crate::encode::openinference;

/// The type of a span, with its fields still empty.
///
/// The first attribute of [`TYPES`] that names one decides; else a model or a tool's name tells.
pub(super) fn of(pairs: &[(Str, Value)]) -> SpanType {
    let text = |name: &str| pairs.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.as_str());
    let says = |row: &&TypeName| text(row.attribute).is_some_and(|value| value == row.value);
    // An MCP method only makes a tool call more precise, so it is asked after the others have spoken.
    match TYPES.iter().find(says) {
        Some(row) if row.span_type == "tool_call" && text("mcp.method.name") == Some("tools/call") => {
            make("mcp_tool_call")
        }
        Some(row) => refine(make(row.span_type), row.value, &text),
        None => guess(pairs),
    }
}

/// Whether the span's type says everything that this pair does, so that the pair need not be kept.
pub(super) fn implies(span_type: &SpanType, key: &str, value: &Value) -> bool {
    let Some(value) = value.as_str() else { return false };
    // A chain is whatever has no better kind, so that it says more than nothing of a span of no type.
    let typed = !matches!(span_type, SpanType::Generic);
    if typed && key == conventions::openinference::KIND && value == openinference::kind_of(span_type) {
        return true;
    }
    TYPES
        .iter()
        .any(|row| row.exact && row.attribute == key && row.value == value && says_all(span_type, row))
}

fn says_all(span_type: &SpanType, row: &TypeName) -> bool {
    let flavour = match span_type {
        SpanType::WorkflowStep(step) => {
            flavour(row.value).is_none_or(|flavour| same(&flavour, &step.flavour))
        }
        _ => true,
    };
    let mcp = row.span_type == "tool_call" && span_type.name() == "mcp_tool_call";
    flavour && (row.span_type == span_type.name() || mcp)
}

fn same(a: &StepFlavour, b: &StepFlavour) -> bool {
    std::mem::discriminant(a) == std::mem::discriminant(b)
}

fn make(name: &str) -> SpanType {
    match name {
        "agent_run" => SpanType::AgentRun(AgentRun::default()),
        "workflow_run" => SpanType::WorkflowRun(WorkflowRun::default()),
        "workflow_step" => SpanType::WorkflowStep(WorkflowStep::default()),
        "llm_generation" => SpanType::LlmGeneration(LlmGeneration::default()),
        "tool_call" => SpanType::ToolCall(ToolCall::default()),
        "mcp_tool_call" => SpanType::McpToolCall(McpToolCall::default()),
        "memory_lookup" => SpanType::MemoryLookup(MemoryLookup::default()),
        "memory_update" => SpanType::MemoryUpdate(MemoryUpdate::default()),
        "rag_query" => SpanType::RagQuery(RagQuery::default()),
        "embedding" => SpanType::Embedding(Embedding::default()),
        "eval_execution" => SpanType::EvalExecution(EvalExecution::default()),
        _ => SpanType::Generic,
    }
}

/// What a second attribute, or the name itself, says beyond the type.
fn refine<'a>(span_type: SpanType, name: &str, text: &impl Fn(&str) -> Option<&'a str>) -> SpanType {
    match name {
        "memory_operation" if text("mastra.memory_operation.operation_type") == Some("recall") => {
            make("memory_lookup")
        }
        "rag_vector_operation"
            if text("mastra.rag_vector_operation.operation")
                .is_some_and(|operation| operation != "query") =>
        {
            SpanType::Generic
        }
        "create_memory" | "update_memory" | "upsert_memory" | "delete_memory" => {
            // An attribute of its own says more exactly what was done.
            let said = text("mastra.memory_operation.operation_type").is_some();
            let operation = name.strip_suffix("_memory").filter(|_| !said).map(Str::copied);
            SpanType::MemoryUpdate(MemoryUpdate { operation, ..MemoryUpdate::default() })
        }
        name => match (span_type, flavour(name)) {
            (SpanType::WorkflowStep(step), Some(flavour)) => {
                SpanType::WorkflowStep(WorkflowStep { flavour, ..step })
            }
            (span_type, _) => span_type,
        },
    }
}

/// The flavour that Mastra's type name has, with its fields still empty.
fn flavour(name: &str) -> Option<StepFlavour> {
    Some(match name {
        "workflow_step" => StepFlavour::Plain,
        "workflow_conditional" => StepFlavour::Conditional { conditions: 0, selected: Vec::new() },
        "workflow_parallel" => StepFlavour::Parallel { branches: 0 },
        "workflow_loop" => StepFlavour::Loop { kind: LoopKind::ForEach, iteration: None, total: None },
        "workflow_sleep" => StepFlavour::Sleep { duration: None, until: None },
        "workflow_wait_event" => StepFlavour::WaitEvent { event: Str::EMPTY, timeout: None, received: None },
        _ => return None,
    })
}

/// The type of a span that no attribute names.
fn guess(pairs: &[(Str, Value)]) -> SpanType {
    let has = |wanted: Field| {
        pairs.iter().any(|(key, _)| conventions::lookup(key).is_some_and(|meaning| meaning.field == wanted))
    };
    if has(Field::Model) || has(Field::ResponseModel) {
        make("llm_generation")
    } else if has(Field::ToolName) {
        make("tool_call")
    } else {
        SpanType::Generic
    }
}
