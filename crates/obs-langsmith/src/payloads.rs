//! What goes in and out of a run: LangSmith takes objects only.

use std::borrow::Cow;

use obs_core::{Chunk, Form, MemoryHit, Payload, Span, SpanType, Str, write_json};
use obs_otlp::chat::{self, Role};
use serde::{Serialize, Serializer};

/// What is not sent, as the user has it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Hidden {
    pub(crate) inputs: bool,
    pub(crate) outputs: bool,
}

type Written = Result<bool, serde_json::Error>;

/// Appends the inputs of a run, an object in any case; `false` where there are none.
pub(crate) fn write_inputs(out: &mut Vec<u8>, span: &Span) -> Written {
    match (&span.input, &span.span_type) {
        (Some(input), SpanType::LlmGeneration(_)) => messages(out, input, Role::User, "input"),
        (Some(input), _) => object(out, input, "input"),
        (None, SpanType::RagQuery(rag)) => query(out, rag.query.as_ref()),
        (None, SpanType::MemoryLookup(memory)) => query(out, memory.query.as_ref()),
        (None, _) => Ok(false),
    }
}

/// Appends the outputs of a run, an object in any case; `false` where there are none.
pub(crate) fn write_outputs(out: &mut Vec<u8>, span: &Span) -> Written {
    match (&span.output, &span.span_type) {
        (Some(output), SpanType::LlmGeneration(_)) => messages(out, output, Role::Assistant, "output"),
        (Some(output), _) => object(out, output, "output"),
        (None, span_type) => match Documents::of(span_type) {
            Some(documents) => wrap(out, "documents", |out| write_json(out, &documents)),
            None => Ok(false),
        },
    }
}

fn wrap(
    out: &mut Vec<u8>,
    name: &str,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), serde_json::Error>,
) -> Written {
    out.extend_from_slice(b"{\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    write(out)?;
    out.push(b'}');
    Ok(true)
}

fn query(out: &mut Vec<u8>, query: Option<&Str>) -> Written {
    query.map_or(Ok(false), |query| wrap(out, "query", |out| write_json(out, query)))
}

/// Messages as LangSmith shows them, and any other document as that of another run.
fn messages(out: &mut Vec<u8>, payload: &Payload, role: Role, name: &str) -> Written {
    let Some(messages) = chat::messages(payload, role) else { return object(out, payload, name) };
    wrap(out, "messages", |out| {
        out.extend_from_slice(messages.as_bytes());
        Ok(())
    })
}

/// An object as it is, anything else under a name.
fn object(out: &mut Vec<u8>, payload: &Payload, name: &str) -> Written {
    let payload: Cow<'_, Payload> = payload.settled();
    let text = payload.as_str().trim_ascii();
    if payload.form() == Form::Json && text.starts_with('{') {
        out.extend_from_slice(text.as_bytes());
        return Ok(true);
    }
    wrap(out, name, |out| write_json(out, &*payload))
}

/// What was retrieved, as LangSmith shows documents.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Documents<'a> {
    Chunks(&'a [Chunk]),
    Hits(&'a [MemoryHit]),
}

impl<'a> Documents<'a> {
    /// `None` where a span of this type retrieves nothing, or found nothing.
    pub(crate) fn of(span_type: &'a SpanType) -> Option<Self> {
        match span_type {
            SpanType::RagQuery(rag) if !rag.chunks.is_empty() => Some(Self::Chunks(&rag.chunks)),
            SpanType::MemoryLookup(memory) if !memory.results.is_empty() => Some(Self::Hits(&memory.results)),
            _ => None,
        }
    }
}

impl Serialize for Documents<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Chunks(chunks) => serializer.collect_seq(chunks.iter().map(Document::of_chunk)),
            Self::Hits(hits) => serializer.collect_seq(hits.iter().map(Document::of_hit)),
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    page_content: Content<'a>,
    r#type: &'static str,
    metadata: DocumentMetadata<'a>,
}

/// LangSmith shows the content as text, so that one that is JSON is a text, too.
struct Content<'a>(Option<&'a Payload>);

impl Serialize for Content<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.map_or("", Payload::as_str))
    }
}

#[derive(Serialize)]
struct DocumentMetadata<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a Str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    relevance: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    similarity: Option<f64>,
}

impl<'a> Document<'a> {
    fn of_chunk(chunk: &'a Chunk) -> Self {
        let (id, source) = (chunk.id.as_ref(), chunk.source.as_ref());
        let relevance = chunk.relevance.filter(|relevance| relevance.is_finite());
        let metadata = DocumentMetadata { id, source, relevance, similarity: None };
        Self { page_content: Content(chunk.content.as_ref()), r#type: "Document", metadata }
    }

    fn of_hit(hit: &'a MemoryHit) -> Self {
        let similarity = hit.similarity.filter(|similarity| similarity.is_finite());
        let metadata = DocumentMetadata { id: hit.id.as_ref(), source: None, relevance: None, similarity };
        Self { page_content: Content(hit.content.as_ref()), r#type: "Document", metadata }
    }
}
