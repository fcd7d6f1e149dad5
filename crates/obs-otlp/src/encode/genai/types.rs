//! The fields of a span's type.

use std::time::Duration;

use obs_core::{
    AgentRun, Cost, Embedding, EvalExecution, LlmGeneration, LoopKind, McpToolCall, MemoryLookup,
    MemoryUpdate, RagQuery, SpanType, StepFlavour, ToolCall, Usage, WorkflowRun, WorkflowStep,
};

use serde::Serialize;

use super::document::Document;
use super::names as n;
use super::put::Put;
use crate::chat;
use crate::conventions::own;

/// What was done to a memory, and the operation that it is; any other is put beside the last.
const MEMORY_OPERATIONS: [(&str, &str); 4] = [
    ("create", "create_memory"),
    ("update", "update_memory"),
    ("delete", "delete_memory"),
    ("upsert", "upsert_memory"),
];

/// The method of MCP that calls a tool.
pub(super) const TOOLS_CALL: &str = "tools/call";

/// Puts the attribute that names the type, and the fields of it.
pub(super) fn put(span_type: &SpanType, put: &mut Put<'_, '_>) {
    match span_type {
        SpanType::AgentRun(run) => agent(run, put),
        SpanType::WorkflowRun(run) => workflow(run, put),
        SpanType::WorkflowStep(step) => self::step(step, put),
        SpanType::LlmGeneration(call) => generation(call, put),
        SpanType::ToolCall(call) => {
            put.str(n::OPERATION, n::EXECUTE_TOOL);
            tool(call, put);
        }
        SpanType::McpToolCall(call) => mcp(call, put),
        SpanType::MemoryLookup(lookup) => memory_lookup(lookup, put),
        SpanType::MemoryUpdate(update) => memory_update(update, put),
        SpanType::RagQuery(query) => rag(query, put),
        SpanType::Embedding(embedding) => self::embedding(embedding, put),
        SpanType::EvalExecution(eval) => self::eval(eval, put),
        SpanType::Generic => {}
    }
}

/// A tool of which only the name is known, as the conventions have definitions.
#[derive(Serialize)]
struct Function<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'a str,
}

#[inline]
fn generation(call: &LlmGeneration, put: &mut Put<'_, '_>) {
    put.str(n::OPERATION, n::CHAT);
    put.some(n::PROVIDER, call.provider.as_ref());
    put.some(n::MODEL, call.model.as_ref());
    put.some(n::RESPONSE_MODEL, call.response_model.as_ref());
    put.some(n::RESPONSE_ID, call.response_id.as_ref());
    parameters(call, put);
    put.bool(n::STREAMING, call.streaming);
    usage(&call.usage, put);
    if let Some(cost) = &call.cost {
        self::cost(cost, put);
    }
    if let Some(reason) = call.finish_reason.as_ref().filter(|reason| !reason.is_empty()) {
        put.strs(n::FINISH_REASONS, std::slice::from_ref(reason));
    }
    put.f64(n::TIME_TO_FIRST_TOKEN, call.time_to_first_token.map(|time| time.as_secs_f64()));
    if let Some(tools) = &call.tools {
        put.payload(n::TOOLS, tools);
    }
    if let Some(result_type) = call.result_type {
        put.str(n::RESULT_TYPE, result_type.as_str());
    }
    if let Some(prompt) = &call.prompt {
        put.some(n::PROMPT_NAME, Some(&prompt.name));
        put.some(n::PROMPT_VERSION, prompt.version.as_ref());
    }
}

fn parameters(call: &LlmGeneration, put: &mut Put<'_, '_>) {
    let parameters = &call.parameters;
    put.f64(n::TEMPERATURE, parameters.temperature);
    put.f64(n::TOP_P, parameters.top_p);
    put.u64(n::MAX_TOKENS, parameters.max_tokens);
    if put.is_told(n::PARAMETER) {
        return;
    }
    for (key, value) in parameters.other.iter() {
        let name = format!("{}{key}", n::PARAMETER.trim_end_matches('*'));
        // A parameter that is a field as well is put once, as the field.
        let twice = match name.as_str() {
            n::MODEL => call.model.is_some(),
            n::STREAMING => call.streaming.is_some(),
            n::TEMPERATURE => parameters.temperature.is_some(),
            n::TOP_P => parameters.top_p.is_some(),
            n::MAX_TOKENS => parameters.max_tokens.is_some(),
            _ => false,
        };
        if !twice {
            put.value(&name, value);
        }
    }
}

#[inline]
fn usage(usage: &Usage, put: &mut Put<'_, '_>) {
    let (input, output) = (&usage.input_details, &usage.output_details);
    put.u64(n::INPUT_TOKENS, usage.input);
    put.u64(n::OUTPUT_TOKENS, usage.output);
    if !input.is_zero() {
        put.count(n::CACHE_READ, input.cache_read);
        put.count(n::CACHE_WRITE, input.cache_writes());
        put.count(n::CACHE_WRITE_5M, input.cache_write_5m);
        put.count(n::CACHE_WRITE_1H, input.cache_write_1h);
        put.count(n::INPUT_AUDIO, input.audio);
        put.count(n::INPUT_IMAGE, input.image);
    }
    if !output.is_zero() {
        put.count(n::REASONING, output.reasoning);
        put.count(n::OUTPUT_AUDIO, output.audio);
        put.count(n::OUTPUT_IMAGE, output.image);
    }
}

/// The names mean US dollars, so that no other currency goes out under them, and know no amount that is not whole.
fn cost(cost: &Cost, put: &mut Put<'_, '_>) {
    if cost.currency != "USD" || cost.partial {
        put.json(own::COST, cost);
    }
    if cost.currency == "USD" {
        put.f64(n::COST, Some(cost.total));
        put.f64(n::INPUT_COST, cost.input);
        put.f64(n::OUTPUT_COST, cost.output);
    }
    put.bool(own::COST_ESTIMATED, cost.estimated.then_some(true));
}

fn agent(run: &AgentRun, put: &mut Put<'_, '_>) {
    put.str(n::OPERATION, n::INVOKE_AGENT);
    put.some(n::AGENT_ID, run.agent_id.as_ref());
    put.some(n::AGENT_NAME, run.agent_name.as_ref());
    if let Some(instructions) = &run.instructions {
        put.str(n::INSTRUCTIONS, &chat::instructions(instructions));
    }
    if !run.tools.is_empty() {
        let tools: Vec<_> = run.tools.iter().map(|name| Function { kind: "function", name }).collect();
        put.json(n::TOOLS, &tools);
    }
    put.u64(n::MAX_STEPS, run.max_steps);
    if !run.decisions.is_empty() {
        put.json(own::DECISIONS, &run.decisions);
    }
}

fn workflow(run: &WorkflowRun, put: &mut Put<'_, '_>) {
    put.str(n::OPERATION, n::INVOKE_WORKFLOW);
    put.some(n::WORKFLOW_ID, run.workflow_id.as_ref());
    put.some(n::RUN_ID, run.run_id.as_ref());
    if let Some(status) = run.status {
        put.str(n::RUN_STATUS, status.as_str());
    }
}

fn step(step: &WorkflowStep, put: &mut Put<'_, '_>) {
    put.str(n::TYPE, flavour(&step.flavour));
    put.some(n::STEP_ID, step.step_id.as_ref());
    if let Some(status) = step.status {
        put.str(n::STEP_STATUS, status.as_str());
    }
    match &step.flavour {
        StepFlavour::Plain => {}
        StepFlavour::Conditional { conditions, selected } => {
            put.u64(n::CONDITIONS, Some(*conditions));
            put.strs(n::SELECTED_STEPS, selected);
        }
        StepFlavour::Parallel { branches } => put.u64(n::BRANCHES, Some(*branches)),
        StepFlavour::Loop { kind, iteration, total } => {
            put.str(n::LOOP_KIND, loop_kind(*kind));
            put.u64(n::ITERATION, *iteration);
            put.u64(n::ITERATIONS, *total);
        }
        StepFlavour::Sleep { duration, until } => {
            put.f64(n::SLEEP_MILLIS, duration.map(millis));
            if let Some(until) = until {
                put.display(n::SLEEP_UNTIL, until.rfc3339());
            }
        }
        StepFlavour::WaitEvent { event, timeout, received } => {
            put.some(n::AWAITED_EVENT, Some(event));
            put.f64(n::AWAIT_MILLIS, timeout.map(millis));
            put.bool(n::EVENT_RECEIVED, *received);
        }
    }
}

fn tool(call: &ToolCall, put: &mut Put<'_, '_>) {
    put.some(n::TOOL_NAME, call.tool.as_ref());
    put.some(n::AGENT_NAME, call.agent.as_ref());
    put.some(n::TOOL_CALL_ID, call.call_id.as_ref());
    put.some(n::TOOL_KIND, call.kind.as_ref());
    put.some(n::TOOL_DESCRIPTION, call.description.as_ref());
    put.bool(n::TOOL_SUCCESS, call.success);
}

fn mcp(mcp: &McpToolCall, put: &mut Put<'_, '_>) {
    let method = mcp.method.as_deref().filter(|method| !method.is_empty()).unwrap_or(TOOLS_CALL);
    if method != TOOLS_CALL {
        // The method that calls a tool tells the type; another one does not.
        put.str(n::TYPE, "mcp_tool_call");
    }
    put.str(n::OPERATION, n::EXECUTE_TOOL);
    put.str(n::MCP_METHOD, method);
    put.some(n::MCP_SERVER, mcp.server.as_ref());
    put.some(n::MCP_SERVER_VERSION, mcp.server_version.as_ref());
    tool(&mcp.call, put);
}

fn memory_lookup(lookup: &MemoryLookup, put: &mut Put<'_, '_>) {
    put.str(n::OPERATION, n::SEARCH_MEMORY);
    put.some(n::MEMORY_STORE, lookup.memory.as_ref());
    put.some(n::MEMORY_QUERY, lookup.query.as_ref());
    if !lookup.results.is_empty() {
        let documents: Vec<Document<'_>> = lookup.results.iter().map(Document::from).collect();
        put.json(n::MEMORY_RECORDS, &documents);
    }
}

/// The operation's name for what was done, and whether that name says it.
pub(super) fn memory_operation(update: &MemoryUpdate) -> (&'static str, bool) {
    let done = update.operation.as_deref();
    let named = MEMORY_OPERATIONS.iter().find(|(known, _)| Some(*known) == done);
    named.map_or((MEMORY_OPERATIONS[3].1, false), |(_, operation)| (operation, true))
}

fn memory_update(update: &MemoryUpdate, put: &mut Put<'_, '_>) {
    let (operation, said) = memory_operation(update);
    put.str(n::OPERATION, operation);
    put.some(n::MEMORY_OPERATION, update.operation.as_ref().filter(|_| !said));
    put.some(n::MEMORY_STORE, update.memory.as_ref());
    put.u64(n::MEMORY_COUNT, update.count);
}

fn rag(query: &RagQuery, put: &mut Put<'_, '_>) {
    put.str(n::OPERATION, n::RETRIEVAL);
    put.some(n::RAG_STORE, query.store.as_ref());
    put.some(n::RAG_QUERY, query.query.as_ref());
    put.u64(n::TOP_K, query.top_k);
    if !query.chunks.is_empty() {
        let documents: Vec<Document<'_>> = query.chunks.iter().map(Document::from).collect();
        put.json(n::RAG_DOCUMENTS, &documents);
    }
}

fn embedding(embedding: &Embedding, put: &mut Put<'_, '_>) {
    put.str(n::OPERATION, n::EMBEDDINGS);
    put.some(n::PROVIDER, embedding.provider.as_ref());
    put.some(n::MODEL, embedding.model.as_ref());
    put.u64(n::DIMENSIONS, embedding.dimensions);
    put.u64(n::EMBEDDING_COUNT, embedding.count);
    usage(&embedding.usage, put);
    if let Some(cost) = &embedding.cost {
        self::cost(cost, put);
    }
}

fn eval(eval: &EvalExecution, put: &mut Put<'_, '_>) {
    put.str(n::TYPE, "scorer_run");
    put.some(n::SCORER_NAME, eval.scorer.as_ref());
    put.some(n::SCORER_SOURCE, eval.source.as_ref());
}

/// The name of the type that a step of this flavour has.
const fn flavour(flavour: &StepFlavour) -> &'static str {
    match flavour {
        StepFlavour::Plain => "workflow_step",
        StepFlavour::Conditional { .. } => "workflow_conditional",
        StepFlavour::Parallel { .. } => "workflow_parallel",
        StepFlavour::Loop { .. } => "workflow_loop",
        StepFlavour::Sleep { .. } => "workflow_sleep",
        StepFlavour::WaitEvent { .. } => "workflow_wait_event",
    }
}

const fn loop_kind(kind: LoopKind) -> &'static str {
    match kind {
        LoopKind::ForEach => "foreach",
        LoopKind::While => "dowhile",
        LoopKind::Until => "dountil",
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conventions::TYPES;

    #[test]
    fn every_name_of_a_type_that_is_put_is_in_the_table() {
        let flavours = [
            "workflow_step",
            "workflow_conditional",
            "workflow_parallel",
            "workflow_loop",
            "workflow_sleep",
            "workflow_wait_event",
        ];
        let operations = MEMORY_OPERATIONS.map(|(_, operation)| (n::OPERATION, operation, "memory_update"));
        let put = flavours
            .map(|value| (n::TYPE, value, "workflow_step"))
            .into_iter()
            .chain(operations)
            .chain([(n::TYPE, "mcp_tool_call", "mcp_tool_call"), (n::TYPE, "scorer_run", "eval_execution")])
            .chain([(n::MCP_METHOD, TOOLS_CALL, "mcp_tool_call")]);
        for (attribute, value, span_type) in put {
            let has = |row: &&crate::conventions::TypeName| (row.attribute, row.value) == (attribute, value);
            assert_eq!(TYPES.iter().find(has).map(|row| row.span_type), Some(span_type), "{value}");
        }
    }
}
