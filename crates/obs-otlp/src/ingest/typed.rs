//! Filling the fields of a span's type.

use std::time::Duration;

use obs_core::{
    AgentRun, Chunk, Embedding, LlmGeneration, LoopKind, MemoryHit, PromptLink, ResultType, SpanType,
    StepFlavour, Str, Timestamp, ToolCall, Value, WorkflowStatus, WorkflowStep,
};

use super::pairs::once;
use super::value::{name, number, parsed, payload, truth, whole};
use crate::conventions::Field;

/// Fills a field of the type, or gives the value back if the type has no such field, holds another value, or this one does not fit.
pub(super) fn set(span_type: &mut SpanType, field: Field, value: Value) -> Option<Value> {
    match (span_type, field) {
        (SpanType::LlmGeneration(generation), field) => set_generation(generation, field, value),
        (SpanType::AgentRun(agent), field) => set_agent(agent, field, value),
        (SpanType::ToolCall(call), field) => set_tool(call, field, value),
        (SpanType::McpToolCall(mcp), Field::McpServer) => once(&mut mcp.server, name(&value), value),
        (SpanType::McpToolCall(mcp), Field::McpServerVersion) => {
            once(&mut mcp.server_version, name(&value), value)
        }
        (SpanType::McpToolCall(mcp), Field::McpMethod) => once(&mut mcp.method, name(&value), value),
        (SpanType::McpToolCall(mcp), field) => set_tool(&mut mcp.call, field, value),
        (SpanType::WorkflowRun(run), Field::WorkflowId | Field::EntityName) => {
            once(&mut run.workflow_id, name(&value), value)
        }
        (SpanType::WorkflowRun(run), Field::NodeId) => same_node(&[&run.workflow_id], value),
        (SpanType::WorkflowRun(run), Field::RunId) => once(&mut run.run_id, name(&value), value),
        (SpanType::WorkflowRun(run), Field::WorkflowStatus) => once(&mut run.status, status(&value), value),
        (SpanType::WorkflowStep(step), field) => set_step(step, field, value),
        (SpanType::Embedding(embedding), field) => set_embedding(embedding, field, value),
        (SpanType::MemoryLookup(lookup), Field::Store) => once(&mut lookup.memory, name(&value), value),
        (SpanType::MemoryLookup(lookup), Field::Query) => once(&mut lookup.query, name(&value), value),
        (SpanType::MemoryLookup(lookup), Field::Documents) => documents(&mut lookup.results, value, hit),
        (SpanType::MemoryUpdate(update), Field::Store) => once(&mut update.memory, name(&value), value),
        (SpanType::MemoryUpdate(update), Field::MemoryOperation) => {
            once(&mut update.operation, name(&value), value)
        }
        (SpanType::MemoryUpdate(update), Field::MemoryCount) => once(&mut update.count, whole(&value), value),
        (SpanType::RagQuery(query), Field::Store) => once(&mut query.store, name(&value), value),
        (SpanType::RagQuery(query), Field::Query) => once(&mut query.query, name(&value), value),
        (SpanType::RagQuery(query), Field::TopK) => once(&mut query.top_k, small(&value), value),
        (SpanType::RagQuery(query), Field::Documents) => documents(&mut query.chunks, value, chunk),
        (SpanType::EvalExecution(eval), Field::ScorerName) => once(&mut eval.scorer, name(&value), value),
        (SpanType::EvalExecution(eval), Field::ScorerSource) => once(&mut eval.source, name(&value), value),
        _ => Some(value),
    }
}

fn set_generation(generation: &mut LlmGeneration, field: Field, value: Value) -> Option<Value> {
    match field {
        Field::Model => once(&mut generation.model, name(&value), value),
        Field::Provider => once(&mut generation.provider, name(&value), value),
        Field::ResponseModel => once(&mut generation.response_model, name(&value), value),
        Field::ResponseId => once(&mut generation.response_id, name(&value), value),
        Field::ResultType => once(&mut generation.result_type, result_type(&value), value),
        Field::Streaming => once(&mut generation.streaming, truth(&value), value),
        Field::TimeToFirstToken => {
            let seconds = number(&value).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            once(&mut generation.time_to_first_token, seconds, value)
        }
        Field::FinishReason => finish_reason(&mut generation.finish_reason, value),
        Field::Temperature => once(&mut generation.parameters.temperature, number(&value), value),
        Field::TopP => once(&mut generation.parameters.top_p, number(&value), value),
        Field::MaxTokens => once(&mut generation.parameters.max_tokens, whole(&value), value),
        Field::Tools => {
            let tools = Some(payload(&value));
            once(&mut generation.tools, tools, value)
        }
        Field::PromptName => match (&mut generation.prompt, name(&value)) {
            (None, Some(name)) => {
                generation.prompt = Some(Box::new(PromptLink { name, version: None }));
                None
            }
            _ => Some(value),
        },
        Field::PromptVersion => match &mut generation.prompt {
            Some(prompt) => once(&mut prompt.version, name(&value), value),
            None => Some(value),
        },
        _ => Some(value),
    }
}

fn set_agent(agent: &mut AgentRun, field: Field, value: Value) -> Option<Value> {
    match field {
        Field::AgentId => once(&mut agent.agent_id, name(&value), value),
        Field::AgentName | Field::EntityName => once(&mut agent.agent_name, name(&value), value),
        Field::NodeId => same_node(&[&agent.agent_id, &agent.agent_name], value),
        Field::MaxSteps => once(&mut agent.max_steps, small(&value), value),
        Field::Instructions => {
            let instructions = Some(payload(&value));
            once(&mut agent.instructions, instructions, value)
        }
        Field::Tools if agent.tools.is_empty() => {
            let Some(Value::List(tools)) = parsed(&value) else { return Some(value) };
            agent.tools = tools.iter().filter_map(tool_name).collect();
            (!tools.iter().all(is_name_alone)).then_some(value)
        }
        _ => Some(value),
    }
}

/// A tool's name, given alone or in a definition.
fn tool_name(tool: &Value) -> Option<Str> {
    match tool {
        Value::Map(definition) => definition.get("name").or_else(|| match definition.get("function")? {
            Value::Map(function) => function.get("name"),
            _ => None,
        }),
        tool => Some(tool),
    }
    .and_then(name)
}

/// Whether a definition says no more than the tool's name, as our own writer puts them.
fn is_name_alone(tool: &Value) -> bool {
    match tool {
        Value::Str(_) => true,
        Value::Map(definition) => {
            let kind = definition.get("type").and_then(Value::as_str);
            let name = definition.get("name").and_then(Value::as_str);
            definition.len() == 2 && kind == Some("function") && name.is_some_and(|name| !name.is_empty())
        }
        _ => false,
    }
}

fn set_tool(call: &mut ToolCall, field: Field, value: Value) -> Option<Value> {
    match field {
        Field::ToolName | Field::EntityName => once(&mut call.tool, name(&value), value),
        Field::AgentName => once(&mut call.agent, name(&value), value),
        Field::ToolCallId => once(&mut call.call_id, name(&value), value),
        Field::ToolKind => once(&mut call.kind, name(&value), value),
        Field::ToolDescription => once(&mut call.description, name(&value), value),
        Field::ToolSuccess => once(&mut call.success, truth(&value), value),
        _ => Some(value),
    }
}

fn set_embedding(embedding: &mut Embedding, field: Field, value: Value) -> Option<Value> {
    match field {
        Field::Model => once(&mut embedding.model, name(&value), value),
        Field::Provider => once(&mut embedding.provider, name(&value), value),
        Field::Dimensions => once(&mut embedding.dimensions, small(&value), value),
        Field::EmbeddingCount => once(&mut embedding.count, whole(&value), value),
        _ => Some(value),
    }
}

/// A node of this id, which is the one that the span runs: then nothing is left to keep.
fn same_node(ids: &[&Option<Str>], value: Value) -> Option<Value> {
    let id = name(&value);
    let same = id.is_some() && ids.iter().any(|known| **known == id);
    (!same).then_some(value)
}

fn set_step(step: &mut WorkflowStep, field: Field, value: Value) -> Option<Value> {
    match field {
        Field::StepId | Field::NodeId | Field::EntityName => once(&mut step.step_id, name(&value), value),
        Field::WorkflowStatus => once(&mut step.status, status(&value), value),
        field => set_flavour(&mut step.flavour, field, value),
    }
}

fn set_flavour(flavour: &mut StepFlavour, field: Field, value: Value) -> Option<Value> {
    match (flavour, field) {
        (StepFlavour::Conditional { conditions, .. }, Field::Conditions) => {
            fill(conditions, small(&value), value)
        }
        (StepFlavour::Conditional { selected, .. }, Field::SelectedSteps) => {
            let names = match parsed(&value) {
                Some(Value::List(steps)) => steps.iter().map(name).collect(),
                _ => None,
            };
            fill(selected, names, value)
        }
        (StepFlavour::Parallel { branches }, Field::Branches) => fill(branches, small(&value), value),
        (StepFlavour::Loop { kind, .. }, Field::LoopKind) => fill(kind, loop_kind(&value), value),
        (StepFlavour::Loop { iteration, .. }, Field::Iteration) => once(iteration, small(&value), value),
        (StepFlavour::Loop { total, .. }, Field::Iterations) => once(total, small(&value), value),
        (StepFlavour::Sleep { duration, .. }, Field::SleepMillis) => once(duration, millis(&value), value),
        (StepFlavour::Sleep { until, .. }, Field::SleepUntil) => once(until, time(&value), value),
        (StepFlavour::WaitEvent { event, .. }, Field::AwaitedEvent) => fill(event, name(&value), value),
        (StepFlavour::WaitEvent { timeout, .. }, Field::AwaitMillis) => once(timeout, millis(&value), value),
        (StepFlavour::WaitEvent { received, .. }, Field::EventReceived) => {
            once(received, truth(&value), value)
        }
        _ => Some(value),
    }
}

/// Fills a field that always has a value.
fn fill<T>(slot: &mut T, new: Option<T>, value: Value) -> Option<Value> {
    match new {
        Some(new) => {
            *slot = new;
            None
        }
        None => Some(value),
    }
}

/// The first of several reasons is the field; the list is kept unless it has only that one.
fn finish_reason(slot: &mut Option<Str>, value: Value) -> Option<Value> {
    match parsed(&value).unwrap_or_else(|| value.clone()) {
        Value::List(reasons) if reasons.len() == 1 => once(slot, name(&reasons[0]), value),
        Value::List(reasons) => {
            *slot = slot.take().or_else(|| reasons.first().and_then(name));
            Some(value)
        }
        _ => once(slot, name(&value), value),
    }
}

fn result_type(value: &Value) -> Option<ResultType> {
    Some(match value.as_str()? {
        "tool_selection" => ResultType::ToolSelection,
        "response_generation" => ResultType::ResponseGeneration,
        "reasoning" => ResultType::Reasoning,
        "planning" => ResultType::Planning,
        _ => return None,
    })
}

fn status(value: &Value) -> Option<WorkflowStatus> {
    Some(match value.as_str()? {
        "running" => WorkflowStatus::Running,
        "success" | "completed" => WorkflowStatus::Completed,
        "failed" => WorkflowStatus::Failed,
        "suspended" => WorkflowStatus::Suspended,
        "skipped" => WorkflowStatus::Skipped,
        _ => return None,
    })
}

fn loop_kind(value: &Value) -> Option<LoopKind> {
    Some(match value.as_str()? {
        "foreach" => LoopKind::ForEach,
        "dowhile" => LoopKind::While,
        "dountil" => LoopKind::Until,
        _ => return None,
    })
}

fn small(value: &Value) -> Option<u32> {
    whole(value)?.try_into().ok()
}

fn millis(value: &Value) -> Option<Duration> {
    Duration::try_from_secs_f64(number(value)? / 1e3).ok()
}

/// A point in time in RFC 3339.
pub(super) fn time(value: &Value) -> Option<Timestamp> {
    let time: jiff::Timestamp = value.as_str()?.parse().ok()?;
    u64::try_from(time.as_nanosecond()).ok().map(Timestamp::from_nanos)
}

/// What was found; the value is kept as well if a document says more than the record has fields for, or others were found before.
fn documents<T>(slot: &mut Vec<T>, value: Value, read: fn(&str, &Value, &mut T) -> bool) -> Option<Value>
where
    T: Default + PartialEq,
{
    let Some(Value::List(documents)) = parsed(&value) else { return Some(value) };
    let mut whole = true;
    let mut all = Vec::with_capacity(documents.len());
    for document in documents {
        let mut found = T::default();
        match document {
            Value::Map(fields) => {
                for (key, value) in fields.iter() {
                    let key = key.strip_prefix("document.").unwrap_or(key);
                    whole &= read(key, value, &mut found);
                }
            }
            other => whole &= read("content", &other, &mut found),
        }
        all.push(found);
    }
    if slot.is_empty() {
        *slot = all;
    } else {
        whole &= *slot == all;
    }
    (!whole).then_some(value)
}

fn chunk(key: &str, value: &Value, chunk: &mut Chunk) -> bool {
    match key {
        "id" => chunk.id = name(value),
        "source" => chunk.source = name(value),
        "metadata" => match source(value) {
            Some(source) if chunk.source.is_none() => chunk.source = Some(source),
            _ => return false,
        },
        "content" => chunk.content = Some(payload(value)),
        "score" | "relevance" => chunk.relevance = number(value),
        _ => return false,
    }
    true
}

/// Where a document is from, if its metadata say nothing else.
fn source(metadata: &Value) -> Option<Str> {
    match parsed(metadata)? {
        Value::Map(metadata) if metadata.len() == 1 => name(metadata.get("source")?),
        _ => None,
    }
}

fn hit(key: &str, value: &Value, hit: &mut MemoryHit) -> bool {
    match key {
        "id" => hit.id = name(value),
        "content" => hit.content = Some(payload(value)),
        "score" | "similarity" => hit.similarity = number(value),
        _ => return false,
    }
    true
}
