//! Filling the fields of a span's type; what is told last counts, as in `tracing`.

use obs_core::{
    AgentRun, Cost, Embedding, EvalExecution, LlmGeneration, McpToolCall, MemoryLookup, MemoryUpdate,
    PromptLink, RagQuery, SpanType, Str, ToolCall, TraceContext, Usage, Value, WorkflowRun, WorkflowStep,
};
use obs_otlp::conventions::{Field, TYPES, TypeName};

use crate::read::{document, name, number, result_type, seconds, small, status, truth, whole};

/// The type that a row of the table names, its fields still empty.
pub(crate) fn make(row: &TypeName) -> SpanType {
    let mut span_type = empty(row.span_type);
    if let SpanType::MemoryUpdate(update) = &mut span_type {
        update.operation = row.value.strip_suffix("_memory").map(Str::from_static);
    }
    if let (SpanType::LlmGeneration(call), "chat_streaming") = (&mut span_type, row.value) {
        call.streaming = Some(true);
    }
    span_type
}

/// The type of this name, its fields still empty.
pub(crate) fn empty(name: &str) -> SpanType {
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

/// The row that a value names; the rows of its attribute begin at `first`.
pub(crate) fn row(first: usize, value: &str) -> Option<usize> {
    let attribute = TYPES.get(first)?.attribute;
    let found = TYPES[first..].iter().position(|row| row.attribute == attribute && row.value == value);
    found.map(|at| first + at)
}

/// Whether the type says all that the attribute which names it does.
pub(crate) fn says_all(row: &TypeName) -> bool {
    // The flavours of a step are other types elsewhere, and not read here.
    row.exact && (row.span_type != "workflow_step" || row.value == "workflow_step" || row.value == "task")
}

/// Fills a field of the type, or gives the value back if the type has no such field or the value does not fit.
pub(crate) fn set(span_type: &mut SpanType, field: Field, rest: &'static str, value: Value) -> Option<Value> {
    match span_type {
        SpanType::LlmGeneration(call) => set_generation(call, field, rest, value),
        SpanType::AgentRun(run) => set_agent(run, field, value),
        SpanType::ToolCall(call) => set_tool(call, field, value),
        SpanType::McpToolCall(mcp) => match field {
            Field::McpServer => put(&mut mcp.server, name, value),
            Field::McpServerVersion => put(&mut mcp.server_version, name, value),
            Field::McpMethod => put(&mut mcp.method, name, value),
            field => set_tool(&mut mcp.call, field, value),
        },
        SpanType::Embedding(embedding) => match field {
            Field::Model => put(&mut embedding.model, name, value),
            Field::Provider => put(&mut embedding.provider, name, value),
            Field::Dimensions => put(&mut embedding.dimensions, small, value),
            Field::EmbeddingCount => put(&mut embedding.count, whole, value),
            field => set_count(&mut embedding.usage, field, value),
        },
        SpanType::WorkflowRun(run) => match field {
            Field::WorkflowId | Field::EntityName => put(&mut run.workflow_id, name, value),
            Field::RunId => put(&mut run.run_id, name, value),
            Field::WorkflowStatus => put(&mut run.status, status, value),
            _ => Some(value),
        },
        SpanType::WorkflowStep(step) => match field {
            Field::StepId | Field::NodeId | Field::EntityName => put(&mut step.step_id, name, value),
            Field::WorkflowStatus => put(&mut step.status, status, value),
            _ => Some(value),
        },
        span_type => set_rarer(span_type, field, value),
    }
}

fn set_rarer(span_type: &mut SpanType, field: Field, value: Value) -> Option<Value> {
    match (span_type, field) {
        (SpanType::MemoryLookup(lookup), Field::Store) => put(&mut lookup.memory, name, value),
        (SpanType::MemoryLookup(lookup), Field::Query) => put(&mut lookup.query, name, value),
        (SpanType::MemoryUpdate(update), Field::Store) => put(&mut update.memory, name, value),
        (SpanType::MemoryUpdate(update), Field::MemoryOperation) => put(&mut update.operation, name, value),
        (SpanType::MemoryUpdate(update), Field::MemoryCount) => put(&mut update.count, whole, value),
        (SpanType::RagQuery(query), Field::Store) => put(&mut query.store, name, value),
        (SpanType::RagQuery(query), Field::Query) => put(&mut query.query, name, value),
        (SpanType::RagQuery(query), Field::TopK) => put(&mut query.top_k, small, value),
        (SpanType::EvalExecution(eval), Field::ScorerName) => put(&mut eval.scorer, name, value),
        (SpanType::EvalExecution(eval), Field::ScorerSource) => put(&mut eval.source, name, value),
        _ => Some(value),
    }
}

fn set_generation(call: &mut LlmGeneration, field: Field, rest: &'static str, value: Value) -> Option<Value> {
    match field {
        Field::Model => put(&mut call.model, name, value),
        Field::Provider => put(&mut call.provider, name, value),
        Field::ResponseModel => put(&mut call.response_model, name, value),
        Field::ResponseId => put(&mut call.response_id, name, value),
        Field::ResultType => put(&mut call.result_type, result_type, value),
        Field::Streaming => put(&mut call.streaming, truth, value),
        Field::TimeToFirstToken => put(&mut call.time_to_first_token, seconds, value),
        Field::FinishReason => set_finish_reason(&mut call.finish_reason, value),
        Field::Temperature => put(&mut call.parameters.temperature, number, value),
        Field::TopP => put(&mut call.parameters.top_p, number, value),
        Field::MaxTokens => put(&mut call.parameters.max_tokens, whole, value),
        Field::TopK | Field::Parameter => {
            let key = if field == Field::TopK { "top_k" } else { rest };
            call.parameters.other.insert(key, value);
            None
        }
        Field::Tools => put(&mut call.tools, document, value),
        Field::PromptName => match name(&value) {
            Some(name) => {
                let version = call.prompt.take().and_then(|link| link.version);
                call.prompt = Some(Box::new(PromptLink { name, version }));
                None
            }
            None => Some(value),
        },
        Field::PromptVersion => match &mut call.prompt {
            Some(prompt) => put(&mut prompt.version, name, value),
            None => Some(value),
        },
        Field::Cost | Field::InputCost | Field::OutputCost => set_cost(call, field, value),
        field => set_count(&mut call.usage, field, value),
    }
}

fn set_cost(call: &mut LlmGeneration, field: Field, value: Value) -> Option<Value> {
    let Some(amount) = number(&value) else { return Some(value) };
    let cost = match (&mut call.cost, field) {
        (Some(cost), _) => cost,
        (none, Field::Cost) => none.insert(Box::new(Cost::usd(amount))),
        // A part says nothing of the whole.
        (None, _) => return Some(value),
    };
    match field {
        Field::InputCost => cost.input = Some(amount),
        Field::OutputCost => cost.output = Some(amount),
        _ => cost.total = amount,
    }
    None
}

/// Counts as they are reported; what they mean is settled when the span ends.
fn set_count(usage: &mut Usage, field: Field, value: Value) -> Option<Value> {
    let Some(count) = whole(&value) else { return Some(value) };
    let slot = match field {
        Field::InputTokens => usage.input.insert(0),
        Field::OutputTokens => usage.output.insert(0),
        Field::CacheReadTokens => &mut usage.input_details.cache_read,
        Field::CacheWriteTokens => &mut usage.input_details.cache_write,
        Field::CacheWrite5mTokens => &mut usage.input_details.cache_write_5m,
        Field::CacheWrite1hTokens => &mut usage.input_details.cache_write_1h,
        Field::InputAudioTokens => &mut usage.input_details.audio,
        Field::InputImageTokens => &mut usage.input_details.image,
        Field::ReasoningTokens => &mut usage.output_details.reasoning,
        Field::OutputAudioTokens => &mut usage.output_details.audio,
        Field::OutputImageTokens => &mut usage.output_details.image,
        _ => return Some(value),
    };
    *slot = count;
    None
}

fn set_agent(run: &mut AgentRun, field: Field, value: Value) -> Option<Value> {
    match field {
        Field::AgentId => put(&mut run.agent_id, name, value),
        Field::AgentName | Field::EntityName => put(&mut run.agent_name, name, value),
        Field::MaxSteps => put(&mut run.max_steps, small, value),
        Field::Instructions => put(&mut run.instructions, document, value),
        _ => Some(value),
    }
}

fn set_tool(call: &mut ToolCall, field: Field, value: Value) -> Option<Value> {
    match field {
        Field::ToolName | Field::EntityName => put(&mut call.tool, name, value),
        Field::AgentName => put(&mut call.agent, name, value),
        Field::ToolCallId => put(&mut call.call_id, name, value),
        Field::ToolKind => put(&mut call.kind, name, value),
        Field::ToolDescription => put(&mut call.description, name, value),
        Field::ToolSuccess => put(&mut call.success, truth, value),
        _ => Some(value),
    }
}

/// Fills what is known of the whole trace, or gives the value back if the field is none of that.
pub(crate) fn set_context(context: &mut TraceContext, field: Field, value: Value) -> Option<Value> {
    let slot = match field {
        Field::TraceName => &mut context.name,
        Field::UserId => &mut context.user_id,
        Field::SessionId => &mut context.session_id,
        Field::ThreadId => &mut context.thread_id,
        Field::RequestId => &mut context.request_id,
        Field::OrganizationId => &mut context.organization_id,
        Field::Environment => &mut context.environment,
        Field::Release => &mut context.release,
        Field::Version => &mut context.version,
        Field::Service => &mut context.service,
        Field::ExperimentId => &mut context.experiment_id,
        _ => return Some(value),
    };
    put(slot, name, value)
}

/// Whether a field is one of the whole trace.
pub(crate) fn is_context(field: Field) -> bool {
    (Field::TraceName..=Field::ExperimentId).contains(&field) && field != Field::Tags
}

fn put<T>(slot: &mut Option<T>, read: fn(&Value) -> Option<T>, value: Value) -> Option<Value> {
    match read(&value) {
        Some(new) => {
            *slot = Some(new);
            None
        }
        None => Some(value),
    }
}

/// The first of several reasons is the field; the list stays an attribute unless it has only that one.
fn set_finish_reason(slot: &mut Option<Str>, value: Value) -> Option<Value> {
    let Some(list) = value.as_str().filter(|text| text.starts_with('[')) else {
        return put(slot, name, value);
    };
    match serde_json::from_str::<Vec<String>>(list) {
        Ok(reasons) if !reasons.is_empty() => {
            *slot = Some(obs_instrument::intern(&reasons[0]));
            (reasons.len() > 1).then_some(value)
        }
        _ => Some(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_type_can_be_made() {
        for row in TYPES {
            assert_eq!(make(row).name(), row.span_type, "{row:?}");
        }
    }

    #[test]
    fn what_does_not_fit_comes_back() {
        let mut call = SpanType::LlmGeneration(LlmGeneration::default());
        assert_eq!(set(&mut call, Field::Temperature, "", Value::from("warm")), Some(Value::from("warm")));
        assert_eq!(set(&mut call, Field::ToolName, "", Value::from("t")), Some(Value::from("t")));
        assert_eq!(set(&mut call, Field::MaxTokens, "", Value::from("Some(5)")), None);
        assert_eq!(set(&mut call, Field::MaxTokens, "", Value::from("None")), Some(Value::from("None")));
        let several = Value::from("[\"stop\",\"length\"]");
        assert_eq!(set(&mut call, Field::FinishReason, "", several.clone()), Some(several));
        let call = call.as_generation().unwrap();
        assert_eq!((call.parameters.max_tokens, call.finish_reason.as_deref()), (Some(5), Some("stop")));
    }
}
