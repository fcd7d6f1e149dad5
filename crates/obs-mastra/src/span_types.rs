//! Mastra's types of spans.

use obs_core::{LoopKind, SpanType, StepFlavour, WorkflowStatus};

/// Mastra's type of a span.
pub(crate) const fn name(span_type: &SpanType) -> &'static str {
    match span_type {
        SpanType::AgentRun(_) => "agent_run",
        SpanType::WorkflowRun(_) => "workflow_run",
        SpanType::WorkflowStep(step) => match step.flavour {
            StepFlavour::Plain => "workflow_step",
            StepFlavour::Conditional { .. } => "workflow_conditional",
            StepFlavour::Parallel { .. } => "workflow_parallel",
            StepFlavour::Loop { .. } => "workflow_loop",
            StepFlavour::Sleep { .. } => "workflow_sleep",
            StepFlavour::WaitEvent { .. } => "workflow_wait_event",
        },
        SpanType::LlmGeneration(_) => "model_generation",
        SpanType::ToolCall(_) => "tool_call",
        SpanType::McpToolCall(_) => "mcp_tool_call",
        SpanType::MemoryLookup(_) | SpanType::MemoryUpdate(_) => "memory_operation",
        SpanType::RagQuery(_) => "rag_vector_operation",
        SpanType::Embedding(_) => "rag_embedding",
        SpanType::EvalExecution(_) => "scorer_run",
        SpanType::Generic => GENERIC,
    }
}

/// The type of what has no other, and of what happened during a span.
pub(crate) const GENERIC: &str = "generic";

/// Mastra's word for where a workflow stands.
pub(crate) const fn status(status: WorkflowStatus) -> &'static str {
    match status {
        WorkflowStatus::Running => "running",
        WorkflowStatus::Completed => "success",
        WorkflowStatus::Failed => "failed",
        WorkflowStatus::Suspended => "suspended",
        WorkflowStatus::Skipped => "skipped",
    }
}

/// Mastra's word for how a loop repeats.
pub(crate) const fn loop_type(kind: LoopKind) -> &'static str {
    match kind {
        LoopKind::ForEach => "foreach",
        LoopKind::While => "dowhile",
        LoopKind::Until => "dountil",
    }
}

/// Mastra's name of a model's parameter whose OpenTelemetry name this is; others keep theirs.
pub(crate) fn parameter(name: &str) -> &str {
    match name {
        "top_k" => "topK",
        "presence_penalty" => "presencePenalty",
        "frequency_penalty" => "frequencyPenalty",
        "stop_sequences" => "stopSequences",
        "max_retries" => "maxRetries",
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use obs_core::{
        AgentRun, Embedding, EvalExecution, LlmGeneration, McpToolCall, MemoryLookup, MemoryUpdate, RagQuery,
        ToolCall, WorkflowRun, WorkflowStep,
    };

    use super::*;

    fn step(flavour: StepFlavour) -> SpanType {
        SpanType::WorkflowStep(WorkflowStep { flavour, ..WorkflowStep::default() })
    }

    #[test]
    fn every_type_has_its_word() {
        let table = [
            (SpanType::AgentRun(AgentRun::default()), "agent_run"),
            (SpanType::WorkflowRun(WorkflowRun::default()), "workflow_run"),
            (step(StepFlavour::Plain), "workflow_step"),
            (step(StepFlavour::Conditional { conditions: 1, selected: vec![] }), "workflow_conditional"),
            (step(StepFlavour::Parallel { branches: 2 }), "workflow_parallel"),
            (
                step(StepFlavour::Loop { kind: LoopKind::While, iteration: None, total: None }),
                "workflow_loop",
            ),
            (step(StepFlavour::Sleep { duration: None, until: None }), "workflow_sleep"),
            (
                step(StepFlavour::WaitEvent { event: "e".into(), timeout: None, received: None }),
                "workflow_wait_event",
            ),
            (SpanType::LlmGeneration(LlmGeneration::default()), "model_generation"),
            (SpanType::ToolCall(ToolCall::default()), "tool_call"),
            (SpanType::McpToolCall(McpToolCall::default()), "mcp_tool_call"),
            (SpanType::MemoryLookup(MemoryLookup::default()), "memory_operation"),
            (SpanType::MemoryUpdate(MemoryUpdate::default()), "memory_operation"),
            (SpanType::RagQuery(RagQuery::default()), "rag_vector_operation"),
            (SpanType::Embedding(Embedding::default()), "rag_embedding"),
            (SpanType::EvalExecution(EvalExecution::default()), "scorer_run"),
            (SpanType::Generic, "generic"),
        ];
        for (span_type, word) in &table {
            assert_eq!(name(span_type), *word);
        }
        for known in SpanType::NAMES {
            assert!(
                table.iter().any(|(span_type, _)| span_type.name() == known),
                "{known} is not in the table"
            );
        }
    }
}
