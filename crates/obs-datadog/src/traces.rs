//! Spans into requests: of LLM Observability, or of OTLP.

use std::borrow::Cow;
use std::time::Duration;

use obs_core::{
    Batch, Chunk, ErrorInfo, Mapped, MemoryHit, Payload, Records, Refused, Span, SpanRecord, SpanType,
    Status, Str, Timestamp,
};
use obs_otlp::chat::Role;

use crate::metadata::{self, Collector};
use crate::pack::{Packer, push};
use crate::tags;
use crate::wire::{Document, Fault, Io, Kind, Meta, Own, Parent, Place, Prompt, RawKind, Request, SpanEvent};
use crate::{DatadogExporter, Mode, messages, numbers, typed};

/// How long ago a span may have begun: of older ones Datadog says that it does not take them.
const PAST: Duration = Duration::from_hours(24);

/// Requests of the spans that have ended.
pub(crate) fn map(exporter: &DatadogExporter, records: &Records<SpanRecord>) -> Mapped<Request> {
    if exporter.config().mode != Mode::Llmobs {
        return exporter.otlp(&Batch::Traces(records.clone()));
    }
    let form = Form { raw: exporter.by_agent(), exporter };
    let since = Timestamp::from_nanos(exporter.now().as_nanos().saturating_sub(PAST.as_nanos() as u64));
    let mut packer = Packer::new(Place::LlmobsSpans, form.start(), form.end());
    for (at, record) in records.iter().enumerate() {
        match record {
            SpanRecord::Started(_) => packer.refuse(started(at)),
            SpanRecord::Ended(span) if span.start < since => packer.refuse(too_old(at, span)),
            SpanRecord::Ended(span) => packer.add(at, span, |span, out| form.write(span, out)),
        }
    }
    packer.finish()
}

/// Why the start of a span is not sent.
fn started(at: usize) -> Refused {
    Refused::encode(at, "a span that only began: Datadog takes spans when they have ended")
}

/// Why an old span is not sent.
fn too_old(at: usize, span: &Span) -> Refused {
    let begun = span.start.rfc3339();
    Refused::encode(
        at,
        format!("it began at {begun}, and LLM Observability takes spans of the last 24 hours"),
    )
}

/// How a request for spans looks: as the API is documented, or by an Agent as Datadog's own clients write it.
#[derive(Clone, Copy)]
struct Form<'a> {
    raw: bool,
    exporter: &'a DatadogExporter,
}

impl Form<'_> {
    fn start(&self) -> Vec<u8> {
        if self.raw {
            return b"[".to_vec();
        }
        let app = self.exporter.ml_app_json();
        format!(r#"{{"data":{{"type":"span","attributes":{{"ml_app":{app},"spans":["#).into_bytes()
    }

    fn end(&self) -> &'static [u8] {
        if self.raw { b"]" } else { b"]}}}" }
    }

    /// One span; in the raw form within an envelope of its own.
    fn write(&self, span: &Span, out: &mut Vec<u8>) -> Result<(), String> {
        if !self.raw {
            return push(out, &event(self, span));
        }
        let version = env!("CARGO_PKG_VERSION");
        let envelope =
            format!(r#"{{"_dd.stage":"raw","_dd.tracer_version":"{version}","event_type":"span","spans":["#);
        out.extend_from_slice(envelope.as_bytes());
        push(out, &event(self, span))?;
        out.extend_from_slice(b"]}");
        Ok(())
    }
}

fn event<'a>(form: &Form<'a>, span: &'a Span) -> SpanEvent<'a> {
    let is_error = span.status == Status::Error || span.error.is_some();
    let (trace_id, span_id) = (span.trace_id, span.span_id);
    let duration = span.end.map_or(0, |end| end.as_nanos().saturating_sub(span.start.as_nanos()));
    SpanEvent {
        trace_id,
        span_id,
        parent_id: Parent(span.parent_span_id),
        name: &span.name,
        start_ns: span.start.as_nanos(),
        duration,
        status: if is_error { "error" } else { "ok" },
        session_id: span.context.session_id.as_deref(),
        meta: meta(form.raw, span),
        metrics: numbers::of(span),
        tags: tags::of(form.exporter, &span.context, &span.resource, form.raw),
        own: form.raw.then_some(Own { span_id, trace_id, apm_trace_id: trace_id }),
    }
}

/// Datadog's kind of a span.
///
/// A root of no type is a workflow, since a task is documented as below one; a tool or a step stays what it is, wherever
/// it stands.
fn kind(span: &Span) -> &'static str {
    match &span.span_type {
        SpanType::AgentRun(_) => "agent",
        SpanType::WorkflowRun(_) => "workflow",
        SpanType::LlmGeneration(_) => "llm",
        SpanType::ToolCall(_) | SpanType::McpToolCall(_) => "tool",
        SpanType::MemoryLookup(_) | SpanType::RagQuery(_) => "retrieval",
        SpanType::Embedding(_) => "embedding",
        SpanType::Generic if span.is_root() => "workflow",
        SpanType::WorkflowStep(_)
        | SpanType::MemoryUpdate(_)
        | SpanType::EvalExecution(_)
        | SpanType::Generic => "task",
    }
}

fn meta(raw: bool, span: &Span) -> Meta<'_> {
    let kind = kind(span);
    let mut collector = Collector::default();
    metadata::of_span(&mut collector, span);
    typed::put(&mut collector, &span.span_type);
    let (input, output) = (input(span, &mut collector), output(span, &mut collector));
    collector.attributes("attributes", &span.attributes);
    metadata::shared(&mut collector, &span.context, &span.resource);
    let generation = span.span_type.as_generation();
    let (model, provider) = match span.span_type.model() {
        Some((model, provider, _)) => (model, provider),
        None => (None, None),
    };
    let model = model.or_else(|| generation?.response_model.as_ref());
    Meta {
        kind: if raw { Kind::Span(RawKind { kind }) } else { Kind::Kind(kind) },
        error: span.error.as_deref().map(fault),
        input,
        output,
        model_name: model.map(Str::as_str),
        model_provider: provider.map(|provider| lower(provider)),
        tool_definitions: generation.and_then(|call| messages::tools(call.tools.as_ref()?)),
        metadata: collector.finish(),
    }
}

/// Providers are in lower case, as Datadog's own clients write them.
fn lower(provider: &str) -> Cow<'_, str> {
    if provider.chars().any(char::is_uppercase) { provider.to_lowercase().into() } else { provider.into() }
}

fn fault(error: &ErrorInfo) -> Fault<'_> {
    let sources = || {
        let told: Vec<_> = error.sources.iter().map(|source| format!("caused by: {source}")).collect();
        (!told.is_empty()).then(|| Cow::Owned(told.join("\n")))
    };
    Fault {
        message: &error.message,
        stack: error.stack.as_deref().map(Cow::Borrowed).or_else(sources),
        error_type: error.error_type.as_deref(),
    }
}

fn input<'a>(span: &'a Span, to: &mut Collector<'a>) -> Io<'a> {
    let query = match &span.span_type {
        SpanType::LlmGeneration(call) => {
            let prompt = call.prompt.as_deref();
            let prompt = prompt.map(|prompt| Prompt { id: &prompt.name, version: prompt.version.as_deref() });
            return Io { prompt, ..chat("input_more", span.input.as_ref(), Role::User, to) };
        }
        SpanType::Embedding(_) => {
            return Io { documents: span.input.as_ref().map(embedded).unwrap_or_default(), ..Io::default() };
        }
        SpanType::MemoryLookup(lookup) => lookup.query.as_ref(),
        SpanType::RagQuery(query) => query.query.as_ref(),
        _ => None,
    };
    let given = span.input.as_ref().map(Payload::as_str);
    Io { value: given.or(query.map(Str::as_str)).map(Cow::Borrowed), ..Io::default() }
}

fn output<'a>(span: &'a Span, to: &mut Collector<'a>) -> Io<'a> {
    let documents = match &span.span_type {
        SpanType::LlmGeneration(_) => return chat("output_more", span.output.as_ref(), Role::Assistant, to),
        SpanType::MemoryLookup(lookup) => lookup.results.iter().map(hit).collect(),
        SpanType::RagQuery(query) => query.chunks.iter().map(chunk).collect(),
        _ => Vec::new(),
    };
    let documents =
        documents.into_iter().enumerate().map(|(nth, (document, score))| retrieved(nth, document, score, to));
    let documents = documents.collect();
    Io { value: span.output.as_ref().map(|output| output.as_str().into()), documents, ..Io::default() }
}

/// What a model was told or said: as messages where it is a chat, else as a text.
fn chat<'a>(more: &'static str, payload: Option<&'a Payload>, role: Role, to: &mut Collector<'a>) -> Io<'a> {
    let Some(payload) = payload else { return Io::default() };
    match messages::of(payload, role) {
        Some(found) => {
            to.put(more, found.more);
            Io { messages: Some(found.list), ..Io::default() }
        }
        None => Io { value: Some(payload.as_str().into()), ..Io::default() },
    }
}

/// What was embedded: each text of a list, or all of it as one.
fn embedded(payload: &Payload) -> Vec<Document<'_>> {
    let texts: Vec<Cow<'_, str>> = match serde_json::from_str::<Vec<String>>(payload.as_str()) {
        Ok(texts) => texts.into_iter().map(Cow::Owned).collect(),
        Err(_) => vec![payload.as_str().into()],
    };
    texts.into_iter().map(|text| Document { text: Some(text), ..Document::default() }).collect()
}

fn hit(hit: &MemoryHit) -> (Document<'_>, Option<f64>) {
    let MemoryHit { id, content, similarity } = hit;
    let text = content.as_ref().map(|content| content.as_str().into());
    (Document { text, id: id.as_deref(), ..Document::default() }, *similarity)
}

fn chunk(chunk: &Chunk) -> (Document<'_>, Option<f64>) {
    let Chunk { id, source, content, relevance } = chunk;
    let text = content.as_ref().map(|content| content.as_str().into());
    (Document { text, id: id.as_deref(), name: source.as_deref(), ..Document::default() }, *relevance)
}

/// A document with its score, which stands in the metadata where JSON has no number for it.
fn retrieved<'a>(
    nth: usize,
    document: Document<'a>,
    score: Option<f64>,
    to: &mut Collector<'_>,
) -> Document<'a> {
    match score {
        Some(score) if !score.is_finite() => {
            to.named(format!("documents.{nth}.score"), score);
            document
        }
        score => Document { score, ..document },
    }
}
