//! What a span has by its type, as metadata.
//!
//! Each struct is taken apart field by field, so that a new field does not compile until it has a place.

use obs_core::{
    AgentRun, Embedding, EvalExecution, LlmGeneration, McpToolCall, MemoryLookup, MemoryUpdate,
    ModelParameters, RagQuery, ResultType, SpanType, StepFlavour, Str, ToolCall, Usage, Value, WorkflowRun,
    WorkflowStatus, WorkflowStep,
};

use crate::messages;
use crate::metadata::Collector;
use crate::numbers::is_in_dollars;

/// Adds the fields of a span's type that stand nowhere else.
pub(crate) fn put<'a>(to: &mut Collector<'a>, span_type: &'a SpanType) {
    match span_type {
        SpanType::AgentRun(run) => agent(to, run),
        SpanType::WorkflowRun(WorkflowRun { workflow_id, run_id, status }) => {
            to.text("workflow_id", workflow_id.as_ref());
            to.text("run_id", run_id.as_ref());
            to.put("workflow_status", status.map(WorkflowStatus::as_str));
        }
        SpanType::WorkflowStep(step) => workflow_step(to, step),
        SpanType::LlmGeneration(call) => generation(to, call),
        SpanType::ToolCall(call) => tool(to, call),
        SpanType::McpToolCall(McpToolCall { call, server, server_version, method }) => {
            tool(to, call);
            to.text("mcp_server", server.as_ref());
            to.text("mcp_server_version", server_version.as_ref());
            to.text("mcp_method", method.as_ref());
        }
        // Results are documents of the output.
        SpanType::MemoryLookup(MemoryLookup { memory, query, results: _ }) => {
            to.text("memory", memory.as_ref());
            to.text("query", query.as_ref());
        }
        SpanType::MemoryUpdate(MemoryUpdate { memory, operation, count }) => {
            to.text("memory", memory.as_ref());
            to.text("operation", operation.as_ref());
            to.put("count", *count);
        }
        SpanType::RagQuery(RagQuery { query, store, top_k, chunks: _ }) => {
            to.text("query", query.as_ref());
            to.text("store", store.as_ref());
            to.put("top_k", *top_k);
        }
        SpanType::Embedding(Embedding { model, provider, dimensions, count, usage, cost: _ }) => {
            model_of(to, model.as_ref(), provider.as_ref());
            to.put("dimensions", *dimensions);
            to.put("count", *count);
            other_tokens(to, usage);
        }
        SpanType::EvalExecution(EvalExecution { scorer, source }) => {
            to.text("scorer", scorer.as_ref());
            to.text("source", source.as_ref());
        }
        SpanType::Generic => {}
    }
}

fn agent<'a>(to: &mut Collector<'a>, run: &'a AgentRun) {
    let AgentRun { agent_id, agent_name, instructions, tools, max_steps, decisions } = run;
    to.text("agent_id", agent_id.as_ref());
    to.text("agent_name", agent_name.as_ref());
    to.put("instructions", instructions.as_ref().map(|told| told.shared().clone()));
    to.json("tools", tools);
    to.put("max_steps", *max_steps);
    to.json("decisions", decisions);
}

fn workflow_step(to: &mut Collector<'_>, step: &WorkflowStep) {
    let WorkflowStep { step_id, status, flavour } = step;
    to.text("step_id", step_id.as_ref());
    to.put("step_status", status.map(WorkflowStatus::as_str));
    if *flavour != StepFlavour::Plain {
        to.put("step_flavour", serde_json::to_string(flavour).ok());
    }
}

fn tool(to: &mut Collector<'_>, call: &ToolCall) {
    let ToolCall { tool, agent, call_id, kind, description, success } = call;
    to.text("tool_name", tool.as_ref());
    to.text("agent_name", agent.as_ref());
    to.text("tool_call_id", call_id.as_ref());
    to.text("tool_kind", kind.as_ref());
    to.text("tool_description", description.as_ref());
    to.put("success", *success);
}

fn model_of(to: &mut Collector<'_>, model: Option<&Str>, provider: Option<&Str>) {
    to.text("model_name", model);
    to.text("model_provider", provider);
}

fn generation<'a>(to: &mut Collector<'a>, call: &'a LlmGeneration) {
    let LlmGeneration {
        model,
        provider,
        response_model,
        response_id,
        parameters: ModelParameters { temperature, top_p, max_tokens, other },
        tools,
        result_type,
        usage,
        cost,
        finish_reason,
        streaming,
        time_to_first_token: _,
        prompt: _,
    } = call;
    model_of(to, model.as_ref().or(response_model.as_ref()), provider.as_ref());
    to.put("temperature", temperature.map(Value::F64));
    to.put("top_p", top_p.map(Value::F64));
    to.put("max_tokens", *max_tokens);
    to.text("response_model", response_model.as_ref());
    to.text("response_id", response_id.as_ref());
    to.put("result_type", result_type.map(ResultType::as_str));
    to.text("finish_reason", finish_reason.as_ref());
    to.put("streaming", *streaming);
    let unread = tools.as_ref().filter(|tools| messages::tools(tools).is_none());
    to.put("tools", unread.map(|tools| tools.shared().clone()));
    if let Some(cost) = cost.as_deref() {
        if is_in_dollars(cost) {
            to.put("cost_is_partial", Some(true).filter(|_| cost.partial));
        } else {
            to.put("cost", serde_json::to_string(cost).ok());
        }
    }
    other_tokens(to, usage);
    to.attributes("parameters", other);
}

/// Tokens that Datadog has no name for.
fn other_tokens(to: &mut Collector<'_>, usage: &Usage) {
    let (input, output) = (&usage.input_details, &usage.output_details);
    let counts = [
        ("input_audio_tokens", input.audio),
        ("input_image_tokens", input.image),
        ("output_audio_tokens", output.audio),
        ("output_image_tokens", output.image),
    ];
    for (name, count) in counts {
        to.put(name, Some(count).filter(|count| *count > 0));
    }
}
