//! The fields of a span that Langfuse has no place for.

use obs_core::{
    AgentRun, Embedding, ErrorInfo, EvalExecution, LlmGeneration, McpToolCall, MemoryLookup, MemoryUpdate,
    RagQuery, Span, SpanKind, SpanType, StepFlavour, ToolCall, WorkflowRun, WorkflowStep,
};

use crate::metadata::{Item, Metadata};
use crate::observation::linked_prompt;
use crate::text;
use crate::usage;

/// Adds what a span says beyond its observation's own fields.
///
/// `differs` says that the tokens of its observation do not tell all of what was reported.
pub(crate) fn put<'a>(span: &'a Span, differs: bool, to: &mut Metadata<'a>) {
    to.put("spanType", Item::Text(span.span_type.name()));
    if let Some(kind) = kind(span.kind) {
        to.put("spanKind", Item::Text(kind));
    }
    of_type(&span.span_type, to);
    if let Some((_, _, usage)) = span.span_type.model().filter(|_| differs) {
        to.put("reportedUsage", Item::Usage(usage));
    }
    if let Some(error) = &span.error {
        of_error(error, to);
    }
    to.list("events", &span.events, Item::Events);
    to.list("links", &span.links, Item::Links);
    to.text("traceState", span.trace_state.as_ref());
    if span.end.is_none() {
        // The server wants an end, so that the span was given its start for one.
        to.put("endTime", Item::Text("unknown"));
    }
    to.attributes(&span.attributes);
}

const fn kind(kind: SpanKind) -> Option<&'static str> {
    match kind {
        SpanKind::Internal => None,
        SpanKind::Client => Some("client"),
        SpanKind::Server => Some("server"),
        SpanKind::Producer => Some("producer"),
        SpanKind::Consumer => Some("consumer"),
    }
}

fn of_type<'a>(span_type: &'a SpanType, to: &mut Metadata<'a>) {
    match span_type {
        SpanType::AgentRun(agent) => of_agent(agent, to),
        SpanType::WorkflowRun(run) => of_workflow(run, to),
        SpanType::WorkflowStep(step) => of_step(step, to),
        SpanType::LlmGeneration(generation) => of_generation(generation, to),
        SpanType::ToolCall(call) => of_tool(call, to),
        SpanType::McpToolCall(call) => of_mcp(call, to),
        SpanType::MemoryLookup(lookup) => of_lookup(lookup, to),
        SpanType::MemoryUpdate(update) => of_update(update, to),
        SpanType::RagQuery(query) => of_retrieval(query, to),
        SpanType::Embedding(embedding) => of_embedding(embedding, to),
        SpanType::EvalExecution(execution) => of_evaluation(execution, to),
        SpanType::Generic => {}
    }
}

fn of_agent<'a>(agent: &'a AgentRun, to: &mut Metadata<'a>) {
    to.text("agentId", agent.agent_id.as_ref());
    to.text("agentName", agent.agent_name.as_ref());
    if let Some(instructions) = &agent.instructions {
        to.put("instructions", Item::Document(instructions));
    }
    to.list("tools", &agent.tools, Item::Texts);
    to.count("maxSteps", agent.max_steps);
    to.list("decisions", &agent.decisions, Item::Decisions);
}

fn of_workflow<'a>(run: &'a WorkflowRun, to: &mut Metadata<'a>) {
    to.text("workflowId", run.workflow_id.as_ref());
    to.text("runId", run.run_id.as_ref());
    if let Some(status) = run.status {
        to.put("workflowStatus", Item::Text(status.as_str()));
    }
}

fn of_step<'a>(step: &'a WorkflowStep, to: &mut Metadata<'a>) {
    to.text("stepId", step.step_id.as_ref());
    if let Some(status) = step.status {
        to.put("workflowStatus", Item::Text(status.as_str()));
    }
    let mut flavour = |name| to.put("stepFlavour", Item::Text(name));
    match &step.flavour {
        StepFlavour::Plain => {}
        StepFlavour::Conditional { conditions, selected } => {
            flavour("conditional");
            to.count("conditions", Some(*conditions));
            to.list("selectedSteps", selected, Item::Texts);
        }
        StepFlavour::Parallel { branches } => {
            flavour("parallel");
            to.count("branches", Some(*branches));
        }
        StepFlavour::Loop { kind, iteration, total } => {
            flavour("loop");
            to.put("loopKind", Item::Text(kind.as_str()));
            to.count("iteration", *iteration);
            to.count("totalIterations", *total);
        }
        StepFlavour::Sleep { duration, until } => {
            flavour("sleep");
            if let Some(duration) = duration {
                to.put("sleepMs", Item::Number(duration.as_secs_f64() * 1_000.0));
            }
            if let Some(until) = until {
                to.put("sleepUntil", Item::Time(text::time(*until)));
            }
        }
        StepFlavour::WaitEvent { event, timeout, received } => {
            flavour("wait_event");
            to.put("awaitedEvent", Item::Text(event));
            if let Some(timeout) = timeout {
                to.put("timeoutMs", Item::Number(timeout.as_secs_f64() * 1_000.0));
            }
            to.flag("eventReceived", *received);
        }
    }
}

fn of_generation<'a>(generation: &'a LlmGeneration, to: &mut Metadata<'a>) {
    to.text("provider", generation.provider.as_ref());
    if generation.response_model.is_some() {
        to.text("requestedModel", generation.model.as_ref());
    }
    to.text("responseId", generation.response_id.as_ref());
    if let Some(tools) = &generation.tools {
        to.put("tools", Item::Document(tools));
    }
    if let Some(result) = generation.result_type {
        to.put("resultType", Item::Text(result.as_str()));
    }
    to.text("finishReason", generation.finish_reason.as_ref());
    to.flag("streaming", generation.streaming);
    if let Some(prompt) = generation.prompt.as_deref().filter(|prompt| linked_prompt(prompt).is_none()) {
        to.put("promptName", Item::Text(&prompt.name));
        to.text("promptVersion", prompt.version.as_ref());
    }
    if let Some(cost) = &generation.cost {
        if usage::cost(cost).is_none() {
            to.put("cost", Item::Cost(cost));
        } else if cost.partial {
            to.put("costIsPartial", Item::Flag(true));
        }
    }
}

fn of_tool<'a>(call: &'a ToolCall, to: &mut Metadata<'a>) {
    to.text("toolName", call.tool.as_ref());
    to.text("agentName", call.agent.as_ref());
    to.text("toolCallId", call.call_id.as_ref());
    to.text("toolType", call.kind.as_ref());
    to.text("toolDescription", call.description.as_ref());
    to.flag("success", call.success);
}

fn of_mcp<'a>(call: &'a McpToolCall, to: &mut Metadata<'a>) {
    of_tool(&call.call, to);
    to.text("mcpServer", call.server.as_ref());
    to.text("mcpServerVersion", call.server_version.as_ref());
    to.text("mcpMethod", call.method.as_ref());
}

fn of_lookup<'a>(lookup: &'a MemoryLookup, to: &mut Metadata<'a>) {
    to.text("memory", lookup.memory.as_ref());
    to.text("query", lookup.query.as_ref());
    to.list("results", &lookup.results, Item::Hits);
}

fn of_update<'a>(update: &'a MemoryUpdate, to: &mut Metadata<'a>) {
    to.text("memory", update.memory.as_ref());
    to.text("operation", update.operation.as_ref());
    to.count("memoryCount", update.count);
}

fn of_retrieval<'a>(query: &'a RagQuery, to: &mut Metadata<'a>) {
    to.text("query", query.query.as_ref());
    to.text("store", query.store.as_ref());
    to.count("topK", query.top_k);
    to.list("chunks", &query.chunks, Item::Chunks);
}

fn of_embedding<'a>(embedding: &'a Embedding, to: &mut Metadata<'a>) {
    to.text("provider", embedding.provider.as_ref());
    to.count("dimensions", embedding.dimensions);
    to.count("embeddingCount", embedding.count);
}

fn of_evaluation<'a>(execution: &'a EvalExecution, to: &mut Metadata<'a>) {
    to.text("scorer", execution.scorer.as_ref());
    to.text("scorerSource", execution.source.as_ref());
}

fn of_error<'a>(error: &'a ErrorInfo, to: &mut Metadata<'a>) {
    if let Some(id) = error.error_id {
        to.put("errorId", Item::Id(id));
    }
    to.text("errorType", error.error_type.as_ref());
    to.text("errorStack", error.stack.as_ref());
    to.list("errorSources", &error.sources, Item::Texts);
    to.text("errorCode", error.code.as_ref());
    to.text("errorDomain", error.domain.as_ref());
    to.text("errorCategory", error.category.as_ref());
    if !error.details.is_empty() {
        to.put("errorDetails", Item::Attributes(&error.details));
    }
}
