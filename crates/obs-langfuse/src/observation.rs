//! A span in Langfuse's words, the same for both ways it can take.

use obs_core::{ModelParameters, Payload, PromptLink, Span, SpanId, SpanType, Status, Str, Timestamp, Value};
use obs_otlp::conventions::langfuse::type_of;
use obs_otlp::encode::Fields;
use serde::ser::{Error, SerializeMap};
use serde::{Serialize, Serializer};

use crate::attribute;
use crate::text;
use crate::usage::{self, Details, Tokens};

/// The fields of an observation that Langfuse has.
pub(crate) struct Observation<'a> {
    pub(crate) kind: &'static str,
    pub(crate) level: &'static str,
    pub(crate) status_message: Option<&'a str>,
    pub(crate) input: Option<&'a Payload>,
    pub(crate) output: Option<&'a Payload>,
    pub(crate) model: Option<&'a str>,
    pub(crate) parameters: Option<Parameters<'a>>,
    pub(crate) tokens: Tokens,
    pub(crate) cost: Option<Details<f64>>,
    pub(crate) first_token: Option<Timestamp>,
    pub(crate) prompt: Option<(&'a str, i64)>,
    is_app_root: bool,
}

impl<'a> Observation<'a> {
    /// The observation of a span.
    pub(crate) fn of(span: &'a Span) -> Self {
        let generation = span.span_type.as_generation();
        let message = span.error.as_deref().map(|error| error.message.as_str());
        let usage = span.span_type.model().map(|(_, _, usage)| *usage).unwrap_or_default();
        let parameters = generation.map(|generation| &generation.parameters);
        Self {
            kind: kind(&span.span_type),
            level: if span.status == Status::Error { "ERROR" } else { "DEFAULT" },
            status_message: message.filter(|message| !message.is_empty()),
            input: span.input.as_ref(),
            output: span.output.as_ref(),
            model: model(&span.span_type),
            parameters: parameters.filter(|parameters| !parameters.is_empty()).map(Parameters::of),
            tokens: usage::tokens(&usage),
            cost: span.span_type.cost().and_then(usage::cost),
            first_token: generation
                .and_then(|generation| generation.time_to_first_token)
                .map(|duration| span.start.saturating_add(duration)),
            prompt: generation.and_then(|generation| linked_prompt(generation.prompt.as_deref()?)),
            is_app_root: span.remote_parent && parent(span).is_some(),
        }
    }

    /// Puts it as attributes.
    pub(crate) fn write(&self, to: &mut Fields<'_>) {
        to.str(attribute::TYPE, self.kind);
        to.str(attribute::LEVEL, self.level);
        to.opt_str(attribute::STATUS_MESSAGE, self.status_message);
        if let Some(input) = self.input {
            to.payload(attribute::INPUT, input);
        }
        if let Some(output) = self.output {
            to.payload(attribute::OUTPUT, output);
        }
        to.opt_str(attribute::MODEL, self.model);
        if let Some(parameters) = &self.parameters {
            to.json(attribute::PARAMETERS, parameters);
        }
        if let Some(details) = &self.tokens.details {
            to.json(attribute::USAGE, details);
        }
        if let Some(cost) = &self.cost {
            to.json(attribute::COST, cost);
        }
        if let Some(time) = self.first_token {
            to.str(attribute::FIRST_TOKEN, text::time(time).encode(&mut [0; 30]));
        }
        if let Some((name, version)) = self.prompt {
            to.str(attribute::PROMPT_NAME, name);
            to.i64(attribute::PROMPT_VERSION, version);
        }
        if self.is_app_root {
            to.bool(attribute::IS_APP_ROOT, true);
        }
    }
}

/// The type of observation that a type of span is.
const fn kind(span_type: &SpanType) -> &'static str {
    // Computed once, at compile time.
    const AGENT: &str = type_of("agent_run");
    const RUN: &str = type_of("workflow_run");
    const STEP: &str = type_of("workflow_step");
    const GENERATION: &str = type_of("llm_generation");
    const TOOL: &str = type_of("tool_call");
    const MCP_TOOL: &str = type_of("mcp_tool_call");
    const LOOKUP: &str = type_of("memory_lookup");
    const UPDATE: &str = type_of("memory_update");
    const RAG: &str = type_of("rag_query");
    const EMBEDDING: &str = type_of("embedding");
    const EVALUATION: &str = type_of("eval_execution");
    const GENERIC: &str = type_of("generic");
    match span_type {
        SpanType::AgentRun(_) => AGENT,
        SpanType::WorkflowRun(_) => RUN,
        SpanType::WorkflowStep(_) => STEP,
        SpanType::LlmGeneration(_) => GENERATION,
        SpanType::ToolCall(_) => TOOL,
        SpanType::McpToolCall(_) => MCP_TOOL,
        SpanType::MemoryLookup(_) => LOOKUP,
        SpanType::MemoryUpdate(_) => UPDATE,
        SpanType::RagQuery(_) => RAG,
        SpanType::Embedding(_) => EMBEDDING,
        SpanType::EvalExecution(_) => EVALUATION,
        SpanType::Generic => GENERIC,
    }
}

/// The model that answered, which prices go by, else the one that was asked.
fn model(span_type: &SpanType) -> Option<&str> {
    let answered = span_type.as_generation().and_then(|generation| generation.response_model.as_ref());
    let asked = span_type.model().and_then(|(model, _, _)| model);
    answered.or(asked).map(Str::as_str).filter(|model| !model.is_empty())
}

/// A prompt that the server can link to: it wants the name and a whole number above 0 for the version.
pub(crate) fn linked_prompt(prompt: &PromptLink) -> Option<(&str, i64)> {
    let version = prompt.version.as_deref()?.parse::<i32>().ok().filter(|version| *version > 0)?;
    (!prompt.name.is_empty()).then_some((&prompt.name, version.into()))
}

/// The parent; none for a span that is said to be its own, which would hang in the air.
pub(crate) fn parent(span: &Span) -> Option<SpanId> {
    span.parent_span_id.filter(|parent| *parent != span.span_id)
}

/// Sampling parameters as one flat JSON object.
#[derive(Clone, Copy)]
pub(crate) struct Parameters<'a> {
    given: &'a ModelParameters,
    parts_as_text: bool,
}

impl<'a> Parameters<'a> {
    fn of(given: &'a ModelParameters) -> Self {
        Self { given, parts_as_text: false }
    }

    /// The same, where those that are neither texts, numbers nor truth values are JSON text: old servers take no others.
    pub(crate) fn parts_as_text(self) -> Self {
        Self { parts_as_text: true, ..self }
    }
}

impl Serialize for Parameters<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ModelParameters { temperature, top_p, max_tokens, other } = self.given;
        let mut map = serializer.serialize_map(None)?;
        let floats = [("temperature", temperature), ("top_p", top_p)];
        for (name, value) in floats.into_iter().filter_map(|(name, value)| Some((name, (*value)?))) {
            map.serialize_entry(name, &Value::F64(value))?;
        }
        if let Some(max_tokens) = max_tokens {
            map.serialize_entry("max_tokens", max_tokens)?;
        }
        let taken = |key: &str| match key {
            "temperature" => temperature.is_some(),
            "top_p" => top_p.is_some(),
            "max_tokens" => max_tokens.is_some(),
            _ => false,
        };
        for (key, value) in other.iter() {
            let key = text::key(key);
            let key = if taken(&key) { (key.into_owned() + "_").into() } else { key };
            match value {
                Value::Null | Value::List(_) | Value::Map(_) if self.parts_as_text => {
                    let text = serde_json::to_string(value).map_err(Error::custom)?;
                    map.serialize_entry(&key, &text)?;
                }
                value => map.serialize_entry(&key, value)?,
            }
        }
        map.end()
    }
}
