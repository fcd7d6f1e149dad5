//! The metadata of a run: what LangSmith filters, groups and prices by.

use obs_core::{
    AgentRun, Decision, Embedding, ErrorInfo, EvalExecution, Link, LlmGeneration, McpToolCall, MemoryLookup,
    MemoryUpdate, Payload, PromptLink, RagQuery, Resource, Rfc3339, Span, SpanType, Status, Str, ToolCall,
    TraceContext, Value, WorkflowRun, WorkflowStep,
};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::object::Object;
use crate::payloads::{Documents, Hidden};
use crate::run::invocation_params;
use crate::usage::{UsageMetadata, in_dollars};
use crate::wire::InvocationParams;

/// All that is known of a span beside its times, its payloads and its error, as one object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Metadata<'a> {
    pub(crate) span: &'a Span,
    pub(crate) hidden: Hidden,
    /// The span's own name, where the run has the trace's.
    pub(crate) span_name: Option<&'a str>,
}

impl Serialize for Metadata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let span = self.span;
        let mut out = Object::new(serializer.serialize_map(None)?);
        self.of_type(&mut out)?;
        out.some("usage_metadata", UsageMetadata::of(&span.span_type).as_ref())?;
        of_context(&mut out, &span.context, &span.resource, Who::default())?;
        self.of_span(&mut out)?;
        if let Some(error) = &span.error {
            of_error(&mut out, error)?;
        }
        out.free("attributes", &span.attributes)?;
        out.free("trace_metadata", &span.context.metadata)?;
        out.end()
    }
}

/// What a record says itself of what its trace says, too.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Who<'a> {
    pub(crate) user_id: Option<&'a Str>,
    pub(crate) experiment_id: Option<&'a Str>,
}

/// What every run of a trace carries, since LangSmith finds threads and adds up costs run by run.
/// A judgement may know better who it is of.
pub(crate) fn of_context<'a, M: SerializeMap>(
    out: &mut Object<'a, M>,
    context: &'a TraceContext,
    resource: &'a Resource,
    who: Who<'a>,
) -> Result<(), M::Error> {
    let TraceContext {
        name,
        user_id,
        session_id,
        thread_id,
        request_id,
        organization_id,
        tags: _,
        environment,
        release,
        version,
        service,
        experiment_id,
        entity,
        parent_entity,
        metadata: _,
    } = context;
    out.some("thread_id", thread_id.as_ref().or(session_id.as_ref()))?;
    out.some("session_id", session_id.as_ref())?;
    out.some("user_id", who.user_id.or(user_id.as_ref()))?;
    out.some("environment", environment.as_ref())?;
    out.some("revision_id", release.as_ref())?;
    out.some("version", version.as_ref())?;
    out.some("trace_name", name.as_ref())?;
    out.some("request_id", request_id.as_ref())?;
    out.some("organization_id", organization_id.as_ref())?;
    out.some("service", service.as_deref().or(resource.service_name()))?;
    out.some("experiment_id", who.experiment_id.or(experiment_id.as_ref()))?;
    out.some("entity", entity.as_ref())?;
    out.some("parent_entity", parent_entity.as_ref())
}

fn of_error<'a, M: SerializeMap>(out: &mut Object<'a, M>, error: &'a ErrorInfo) -> Result<(), M::Error> {
    out.some("error_id", error.error_id.as_ref())?;
    out.some("error_type", error.error_type.as_ref())?;
    out.some("error_code", error.code.as_ref())?;
    out.some("error_domain", error.domain.as_ref())?;
    out.some("error_category", error.category.as_ref())?;
    if error.details.is_empty() { Ok(()) } else { out.put("error_details", &error.details) }
}

impl<'a> Metadata<'a> {
    fn of_span<M: SerializeMap>(&self, out: &mut Object<'a, M>) -> Result<(), M::Error> {
        let span = self.span;
        out.put("span_type", span.span_type.name())?;
        out.some("span_name", self.span_name)?;
        if !span.kind.is_internal() {
            out.put("span_kind", &span.kind)?;
        }
        if span.status == Status::Ok {
            out.put("span_status", &span.status)?;
        }
        out.put("otel.trace_id", &span.trace_id)?;
        out.put("otel.span_id", &span.span_id)?;
        out.some("otel.parent_span_id", span.parent_span_id.as_ref())?;
        out.some("otel.trace_state", span.trace_state.as_ref())?;
        if span.remote_parent {
            out.put("remote_parent", &true)?;
        }
        out.list::<Link>("links", &span.links)
    }

    fn of_type<M: SerializeMap>(&self, out: &mut Object<'a, M>) -> Result<(), M::Error> {
        match &self.span.span_type {
            SpanType::AgentRun(agent) => self.agent(out, agent),
            SpanType::WorkflowRun(WorkflowRun { workflow_id, run_id, status }) => {
                out.some("workflow_id", workflow_id.as_ref())?;
                out.some("workflow_run_id", run_id.as_ref())?;
                out.some("workflow_status", status.as_ref())
            }
            SpanType::WorkflowStep(WorkflowStep { step_id, status, flavour }) => {
                out.some("step_id", step_id.as_ref())?;
                out.some("workflow_status", status.as_ref())?;
                if flavour.is_plain() { Ok(()) } else { out.put("step", flavour) }
            }
            SpanType::LlmGeneration(call) => generation(out, call),
            SpanType::ToolCall(call) => tool(out, call),
            SpanType::McpToolCall(McpToolCall { call, server, server_version, method }) => {
                tool(out, call)?;
                out.some("mcp_server", server.as_ref())?;
                out.some("mcp_server_version", server_version.as_ref())?;
                out.some("mcp_method", method.as_ref())
            }
            SpanType::MemoryLookup(MemoryLookup { memory, query, results: _ }) => {
                out.some("memory", memory.as_ref())?;
                self.retrieval(out, query.as_ref())
            }
            SpanType::MemoryUpdate(MemoryUpdate { memory, operation, count }) => {
                out.some("memory", memory.as_ref())?;
                out.some("memory_operation", operation.as_ref())?;
                out.some("memory_count", count.as_ref())
            }
            SpanType::RagQuery(RagQuery { query, store, top_k, chunks: _ }) => {
                out.some("store", store.as_ref())?;
                out.some("top_k", top_k.as_ref())?;
                self.retrieval(out, query.as_ref())
            }
            SpanType::Embedding(Embedding { model, provider, dimensions, count, usage: _, cost: _ }) => {
                out.some("ls_provider", provider.as_ref())?;
                out.some("ls_model_name", model.as_ref())?;
                out.some("embedding_dimensions", dimensions.as_ref())?;
                out.some("embedding_count", count.as_ref())
            }
            SpanType::EvalExecution(EvalExecution { scorer, source }) => {
                out.some("scorer", scorer.as_ref())?;
                out.some("scorer_source", source.as_ref())
            }
            SpanType::Generic => Ok(()),
        }
    }

    fn agent<M: SerializeMap>(&self, out: &mut Object<'a, M>, agent: &'a AgentRun) -> Result<(), M::Error> {
        let AgentRun { agent_id, agent_name, instructions, tools, max_steps, decisions } = agent;
        out.some("agent_id", agent_id.as_ref())?;
        out.some("agent_name", agent_name.as_ref())?;
        out.some::<Payload>("instructions", instructions.as_ref().filter(|_| !self.hidden.inputs))?;
        out.list::<Str>("tools", tools)?;
        out.some("max_steps", max_steps.as_ref())?;
        if self.hidden.outputs || decisions.is_empty() {
            return Ok(());
        }
        out.put("decisions", &decisions.iter().map(Choice::of).collect::<Vec<_>>())
    }

    /// What was asked and found, where it does not stand in the run's inputs and outputs.
    fn retrieval<M: SerializeMap>(
        &self,
        out: &mut Object<'a, M>,
        query: Option<&'a Str>,
    ) -> Result<(), M::Error> {
        let span = self.span;
        if span.input.is_some() && !self.hidden.inputs {
            out.some("query", query)?;
        }
        if span.output.is_none() || self.hidden.outputs {
            return Ok(());
        }
        out.some("documents", Documents::of(&span.span_type).as_ref())
    }
}

fn generation<'a, M: SerializeMap>(
    out: &mut Object<'a, M>,
    generation: &'a LlmGeneration,
) -> Result<(), M::Error> {
    let LlmGeneration { model, provider, response_model, parameters, .. } = generation;
    out.some("ls_provider", provider.as_ref())?;
    out.some("ls_model_name", response_model.as_ref().or(model.as_ref()))?;
    out.put("ls_model_type", "chat")?;
    out.number("ls_temperature", parameters.temperature)?;
    out.some("ls_max_tokens", parameters.max_tokens.as_ref())?;
    let stop = ["stop_sequences", "stop"].iter().find_map(|name| parameters.other.get(name));
    out.some("ls_stop", stop.map(Stop).as_ref())?;
    // The tools, which may be long, stand beside the metadata only.
    let params = invocation_params(generation).map(|params| InvocationParams { tools: None, ..params });
    out.some("ls_invocation_params", params.as_ref())?;
    out.some("response_id", generation.response_id.as_ref())?;
    out.some("result_type", generation.result_type.as_ref())?;
    out.some("finish_reason", generation.finish_reason.as_ref())?;
    out.some("streaming", generation.streaming.as_ref())?;
    let first = generation.time_to_first_token.map(|time| time.as_secs_f64());
    out.number("time_to_first_token_seconds", first)?;
    if let Some(cost) = generation.cost.as_deref() {
        if cost.partial {
            out.put("cost_partial", &true)?;
        }
        // What is in dollars stands in `usage_metadata`.
        out.some("cost", Some(cost).filter(|cost| in_dollars(cost).is_none()))?;
    }
    generation.prompt.as_deref().map_or(Ok(()), |prompt| hub(out, prompt))
}

fn tool<'a, M: SerializeMap>(out: &mut Object<'a, M>, call: &'a ToolCall) -> Result<(), M::Error> {
    let ToolCall { tool, agent, call_id, kind, description, success } = call;
    out.some("tool_name", tool.as_ref())?;
    out.some("agent_name", agent.as_ref())?;
    out.some("tool_call_id", call_id.as_ref())?;
    out.some("tool_type", kind.as_ref())?;
    out.some("tool_description", description.as_ref())?;
    out.some("tool_success", success.as_ref())
}

/// The prompt of LangSmith's hub: `owner/name`, or `name` of the own workspace.
fn hub<'a, M: SerializeMap>(out: &mut Object<'a, M>, prompt: &'a PromptLink) -> Result<(), M::Error> {
    let (owner, name) = match prompt.name.split_once('/') {
        Some((owner, name)) => (Some(owner), name),
        None => (None, prompt.name.as_str()),
    };
    out.some("lc_hub_owner", owner)?;
    out.put("lc_hub_repo", name)?;
    out.some("lc_hub_commit_hash", prompt.version.as_ref())
}

/// LangSmith wants a list of stop sequences, also of one.
struct Stop<'a>(&'a Value);

impl Serialize for Stop<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            list @ Value::List(_) => list.serialize(serializer),
            one => [one].serialize(serializer),
        }
    }
}

/// A decision whose time can be read.
#[derive(Serialize)]
struct Choice<'a> {
    time: Rfc3339,
    action: &'a Str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<&'a Str>,
    #[serde(skip_serializing_if = "<[Str]>::is_empty")]
    alternatives: &'a [Str],
}

impl<'a> Choice<'a> {
    fn of(decision: &'a Decision) -> Self {
        let Decision { time, action, reasoning, alternatives } = decision;
        Self { time: time.rfc3339().micros(), action, reasoning: reasoning.as_ref(), alternatives }
    }
}
