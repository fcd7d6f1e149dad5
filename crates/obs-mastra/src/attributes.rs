//! The fields of a type of span, under Mastra's names; where it has none, under ours as it would write them.

use std::time::Duration;

use obs_core::{
    AgentRun, Decision, Embedding, EvalExecution, LlmGeneration, McpToolCall, MemoryLookup, MemoryUpdate,
    ModelParameters, RagQuery, Span, SpanType, StepFlavour, Str, Timestamp, ToolCall, Value, WorkflowStep,
};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::fields::Fields;
use crate::span_types::{loop_type, parameter, status};
use crate::usage::{CostContext, UsageStats};
use crate::wire::Time;

/// Mastra's `attributes` of a span.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Typed<'a>(&'a Span);

impl<'a> Typed<'a> {
    /// `None` for a span of no type.
    pub(crate) fn of(span: &'a Span) -> Option<Self> {
        (span.span_type != SpanType::Generic).then_some(Self(span))
    }
}

impl Serialize for Typed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(span) = self;
        let mut out = Fields::new(serializer.serialize_map(None)?);
        match &span.span_type {
            SpanType::AgentRun(run) => agent(run, &mut out)?,
            SpanType::WorkflowRun(run) => out.some("status", run.status.map(status))?,
            SpanType::WorkflowStep(step) => workflow_step(step, &mut out)?,
            SpanType::LlmGeneration(call) => generation(call, span.start, &mut out)?,
            SpanType::ToolCall(call) => tool(call, &mut out)?,
            SpanType::McpToolCall(call) => mcp_tool(call, &mut out)?,
            SpanType::MemoryLookup(lookup) => recall(lookup, &mut out)?,
            SpanType::MemoryUpdate(update) => remember(update, &mut out)?,
            SpanType::RagQuery(query) => retrieval(query, &mut out)?,
            SpanType::Embedding(embedding) => embed(embedding, &mut out)?,
            SpanType::EvalExecution(run) => scorer(run, &mut out)?,
            SpanType::Generic => {}
        }
        out.end()
    }
}

fn agent<M: SerializeMap>(run: &AgentRun, out: &mut Fields<M>) -> Result<(), M::Error> {
    // Mastra's instructions are a text, also where they are a document here.
    out.some("instructions", run.instructions.as_ref().map(|instructions| instructions.as_str().to_owned()))?;
    out.list("availableTools", &run.tools)?;
    out.some("maxSteps", run.max_steps)?;
    let decisions: Vec<_> = run.decisions.iter().map(Chosen::of).collect();
    out.list("decisions", &decisions)
}

/// A decision of an agent, with its time as Mastra has times.
#[derive(Serialize)]
struct Chosen<'a> {
    time: Time,
    action: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Str]>::is_empty")]
    alternatives: &'a [Str],
}

impl<'a> Chosen<'a> {
    fn of(decision: &'a Decision) -> Self {
        Self {
            time: Time(decision.time),
            action: &decision.action,
            reasoning: decision.reasoning.as_deref(),
            alternatives: &decision.alternatives,
        }
    }
}

fn workflow_step<M: SerializeMap>(step: &WorkflowStep, out: &mut Fields<M>) -> Result<(), M::Error> {
    out.some("status", step.status.map(status))?;
    match &step.flavour {
        StepFlavour::Plain => Ok(()),
        StepFlavour::Conditional { conditions, selected } => {
            out.put("conditionCount", conditions)?;
            out.list("selectedSteps", selected)
        }
        StepFlavour::Parallel { branches } => out.put("branchCount", branches),
        StepFlavour::Loop { kind, iteration, total } => {
            out.put("loopType", loop_type(*kind))?;
            out.some("iteration", *iteration)?;
            out.some("totalIterations", *total)
        }
        StepFlavour::Sleep { duration, until } => {
            out.some("durationMs", duration.map(millis))?;
            out.some("untilDate", until.map(Time))
        }
        StepFlavour::WaitEvent { event, timeout, received } => {
            out.put("eventName", event)?;
            out.some("timeoutMs", timeout.map(millis))?;
            out.some("eventReceived", *received)
        }
    }
}

/// Milliseconds, whole ones where they are.
fn millis(duration: Duration) -> serde_json::Number {
    let nanos = duration.as_nanos();
    match u64::try_from(nanos / 1_000_000) {
        Ok(millis) if nanos.is_multiple_of(1_000_000) => millis.into(),
        _ => serde_json::Number::from_f64(duration.as_secs_f64() * 1e3).unwrap_or_else(|| 0.into()),
    }
}

fn generation<M: SerializeMap>(
    call: &LlmGeneration,
    start: Timestamp,
    out: &mut Fields<M>,
) -> Result<(), M::Error> {
    out.some("model", call.model.as_ref())?;
    out.some("provider", call.provider.as_ref())?;
    out.some("tools", call.tools.as_ref())?;
    out.some("resultType", call.result_type.map(obs_core::ResultType::as_str))?;
    out.some("usage", (!call.usage.is_empty()).then_some(UsageStats(&call.usage)))?;
    let cost = |cost| CostContext {
        provider: call.provider.as_deref(),
        model: call.response_model.as_deref().or(call.model.as_deref()),
        cost,
    };
    out.some("costContext", call.cost.as_deref().map(cost))?;
    out.some("parameters", (!call.parameters.is_empty()).then_some(Parameters(&call.parameters)))?;
    out.some("streaming", call.streaming)?;
    out.some("finishReason", call.finish_reason.as_ref())?;
    out.some("completionStartTime", call.time_to_first_token.map(|time| Time(start.saturating_add(time))))?;
    out.some("responseModel", call.response_model.as_ref())?;
    out.some("responseId", call.response_id.as_ref())?;
    out.some("prompt", call.prompt.as_deref())
}

/// Sampling parameters; a name that is there twice is the typed field's, and what is no number in JSON is its name.
struct Parameters<'a>(&'a ModelParameters);

impl Serialize for Parameters<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(parameters) = self;
        let mut out = Fields::new(serializer.serialize_map(None)?);
        out.some("maxOutputTokens", parameters.max_tokens)?;
        out.some("temperature", parameters.temperature.map(Value::F64))?;
        out.some("topP", parameters.top_p.map(Value::F64))?;
        let is_told = |name: &str| match name {
            "maxOutputTokens" => parameters.max_tokens.is_some(),
            "temperature" => parameters.temperature.is_some(),
            "topP" => parameters.top_p.is_some(),
            _ => false,
        };
        let mut told = Vec::with_capacity(parameters.other.len());
        for (name, value) in parameters.other.iter() {
            // Two names can be the same one of Mastra's: the first wins.
            let name = parameter(name);
            if !is_told(name) && !told.contains(&name) {
                told.push(name);
                out.put(name, value)?;
            }
        }
        out.end()
    }
}

fn tool<M: SerializeMap>(call: &ToolCall, out: &mut Fields<M>) -> Result<(), M::Error> {
    out.some("toolType", call.kind.as_ref())?;
    out.some("toolDescription", call.description.as_ref())?;
    out.some("toolCallId", call.call_id.as_ref())?;
    out.some("success", call.success)?;
    out.some("agentName", call.agent.as_ref())
}

fn mcp_tool<M: SerializeMap>(call: &McpToolCall, out: &mut Fields<M>) -> Result<(), M::Error> {
    tool(&call.call, out)?;
    out.some("mcpServer", call.server.as_ref())?;
    out.some("serverVersion", call.server_version.as_ref())?;
    out.some("mcpMethod", call.method.as_ref())
}

fn recall<M: SerializeMap>(lookup: &MemoryLookup, out: &mut Fields<M>) -> Result<(), M::Error> {
    out.put("operationType", "recall")?;
    out.put("vectorResultCount", &lookup.results.len())?;
    out.some("memory", lookup.memory.as_ref())?;
    out.some("query", lookup.query.as_ref())?;
    out.list("results", &lookup.results)
}

fn remember<M: SerializeMap>(update: &MemoryUpdate, out: &mut Fields<M>) -> Result<(), M::Error> {
    out.some("operationType", update.operation.as_ref())?;
    out.some("messageCount", update.count)?;
    out.some("memory", update.memory.as_ref())
}

fn retrieval<M: SerializeMap>(query: &RagQuery, out: &mut Fields<M>) -> Result<(), M::Error> {
    out.put("operation", "query")?;
    out.some("store", query.store.as_ref())?;
    out.some("topK", query.top_k)?;
    out.some("query", query.query.as_ref())?;
    out.list("chunks", &query.chunks)
}

fn embed<M: SerializeMap>(embedding: &Embedding, out: &mut Fields<M>) -> Result<(), M::Error> {
    out.some("model", embedding.model.as_ref())?;
    out.some("provider", embedding.provider.as_ref())?;
    out.some("dimensions", embedding.dimensions)?;
    out.some("inputCount", embedding.count)?;
    out.some("usage", (!embedding.usage.is_empty()).then_some(UsageStats(&embedding.usage)))
}

fn scorer<M: SerializeMap>(run: &EvalExecution, out: &mut Fields<M>) -> Result<(), M::Error> {
    out.some("scorerName", run.scorer.as_ref())?;
    out.some("scoreSource", run.source.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_whole_where_they_are() {
        assert_eq!(millis(Duration::from_secs(2)).to_string(), "2000");
        assert_eq!(millis(Duration::from_micros(1_500)).to_string(), "1.5");
        assert!(millis(Duration::MAX).as_f64().unwrap() > 1e22);
    }
}
