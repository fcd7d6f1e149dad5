//! The fields of a span's type that OpenInference has names for.

use obs_core::{
    Attributes, Embedding, Entity, LlmGeneration, Payload, Span, SpanType, Str, ToolCall, Usage, Value,
};

use super::flat;
use super::names as n;
use crate::conventions::Field;
use crate::encode::genai::document::Document;
use crate::encode::genai::names as g;
use crate::encode::genai::put::Put;

/// Puts the fields of the type, and what of the documents stands in lists.
pub(super) fn put(span: &Span, put: &mut Put<'_, '_>) {
    match &span.span_type {
        SpanType::LlmGeneration(call) => {
            generation(call, put);
            list(n::INPUT_MESSAGES, Field::InputMessages, span.input.as_ref(), put);
            list(n::OUTPUT_MESSAGES, Field::OutputMessages, span.output.as_ref(), put);
        }
        SpanType::Embedding(embedding) => {
            self::embedding(embedding, put);
            list(n::EMBEDDINGS, Field::EmbeddedTexts, span.input.as_ref(), put);
        }
        SpanType::AgentRun(run) => {
            put.some(n::AGENT_NAME, run.agent_name.as_ref());
            node(span, run.agent_id.as_ref().or(run.agent_name.as_ref()), put);
        }
        SpanType::WorkflowRun(run) => node(span, run.workflow_id.as_ref(), put),
        SpanType::WorkflowStep(step) => node(span, step.step_id.as_ref(), put),
        SpanType::ToolCall(call) => tool(call, put),
        SpanType::McpToolCall(mcp) => tool(&mcp.call, put),
        SpanType::MemoryLookup(lookup) => {
            asked(span, lookup.query.as_ref(), put);
            documents(lookup.results.iter().map(Document::from), put);
        }
        SpanType::RagQuery(query) => {
            asked(span, query.query.as_ref(), put);
            documents(query.chunks.iter().map(Document::from), put);
        }
        SpanType::MemoryUpdate(_) | SpanType::EvalExecution(_) | SpanType::Generic => {}
    }
}

/// A document's elements, each under its path.
fn list(before: &str, field: Field, document: Option<&Payload>, put: &mut Put<'_, '_>) {
    if let Some(document) = document {
        flat::flattened(field, document, &mut |path, text| put.str(&[before, path].concat(), text));
    }
}

fn generation(call: &LlmGeneration, put: &mut Put<'_, '_>) {
    put.some(n::PROVIDER, call.provider.as_ref());
    put.some(n::SYSTEM, call.provider.as_ref());
    put.some(n::MODEL, call.model.as_ref());
    put.some(n::RESPONSE_MODEL, call.response_model.as_ref());
    parameters(call, put);
    put.some(n::FINISH_REASON, call.finish_reason.as_ref());
    usage(&call.usage, put);
    if let Some(cost) = call.cost.as_ref().filter(|cost| cost.currency == "USD") {
        put.f64(n::COST, Some(cost.total));
    }
    if let Some(tools) = &call.tools {
        flat::tools(tools, &mut |path, schema| put.str(&[n::TOOLS, path].concat(), schema));
    }
}

/// All parameters in one object; one that is a field as well stands there once, as the field.
fn parameters(call: &LlmGeneration, put: &mut Put<'_, '_>) {
    let parameters = &call.parameters;
    let fields = [
        ("temperature", parameters.temperature.map(Value::F64)),
        ("top_p", parameters.top_p.map(Value::F64)),
        ("max_tokens", parameters.max_tokens.map(Value::from)),
    ];
    let mut all = Attributes::new();
    for (name, value) in fields {
        if let Some(value) = value {
            all.push(name, value);
        }
    }
    for (name, value) in parameters.other.iter() {
        if all.get(name).is_none() {
            all.push(name.clone(), value.clone());
        }
    }
    if !all.is_empty() {
        put.json(n::PARAMETERS, &all);
    }
}

fn usage(usage: &Usage, put: &mut Put<'_, '_>) {
    let (input, output) = (&usage.input_details, &usage.output_details);
    put.u64(n::INPUT_TOKENS, usage.input);
    put.u64(n::OUTPUT_TOKENS, usage.output);
    put.u64(n::TOTAL_TOKENS, usage.total());
    put.count(n::CACHE_READ, input.cache_read);
    put.count(n::CACHE_WRITE, input.cache_writes());
    put.count(n::INPUT_AUDIO, input.audio);
    put.count(n::REASONING, output.reasoning);
    put.count(n::OUTPUT_AUDIO, output.audio);
}

fn embedding(embedding: &Embedding, put: &mut Put<'_, '_>) {
    put.some(n::PROVIDER, embedding.provider.as_ref());
    put.some(n::EMBEDDING_MODEL, embedding.model.as_ref());
    usage(&embedding.usage, put);
}

fn tool(call: &ToolCall, put: &mut Put<'_, '_>) {
    put.some(n::TOOL_NAME, call.tool.as_ref());
    put.some(n::AGENT_NAME, call.agent.as_ref());
    put.some(n::TOOL_CALL_ID, call.call_id.as_ref());
    put.some(n::TOOL_DESCRIPTION, call.description.as_ref());
}

/// The span as a node of the graph that agents, workflows and steps form.
fn node(span: &Span, id: Option<&Str>, put: &mut Put<'_, '_>) {
    put.some(n::NODE_ID, id);
    if let Some(Entity { id, name, .. }) = &span.context.parent_entity {
        put.some(n::NODE_PARENT_ID, id.as_ref().or(name.as_ref()));
    }
}

/// What was asked, where readers look for it, unless the span has an input.
fn asked(span: &Span, query: Option<&Str>, put: &mut Put<'_, '_>) {
    if let Some(query) = query.filter(|query| span.input.is_none() && !query.is_empty()) {
        put.document(g::INPUT, g::INPUT_MIME, &Payload::text(query.clone()));
    }
}

/// What was found; where a document is from is metadata of it.
fn documents<'a>(found: impl Iterator<Item = Document<'a>>, put: &mut Put<'_, '_>) {
    for (nth, document) in found.enumerate() {
        let Document { id, source, content, score } = document;
        let name = |field: &str| format!("{}{nth}.document.{field}", n::DOCUMENTS);
        if let Some(id) = id.filter(|id| !id.is_empty()) {
            put.str(&name("id"), id);
        }
        if let Some(content) = content {
            put.payload(&name("content"), content);
        }
        if let Some(score) = score {
            put.value(&name("score"), &score);
        }
        if let Some(source) = source.filter(|source| !source.is_empty()) {
            put.json(&name("metadata"), &Attributes::from_iter([("source", Str::copied(source))]));
        }
    }
}
