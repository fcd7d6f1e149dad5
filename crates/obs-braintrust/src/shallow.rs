//! Documents that nest too deep for a row.

use std::borrow::Cow;
use std::sync::Arc;

use obs_core::{
    Labels, Log, Payload, Resource, Span, SpanType, Str, TextVisitor, TraceContext, Value, VisitText,
};

/// The deepest that a document may nest: a row, its metadata and a list in it take seven of the 127 levels that readers of
/// JSON take, and Braintrust could read nothing of the whole request.
const MOST: usize = 120;

/// The span, with what nests too deep as text.
pub(crate) fn span(span: &Span) -> Cow<'_, Span> {
    let own = match &span.span_type {
        SpanType::AgentRun(run) => run.instructions.as_ref(),
        SpanType::LlmGeneration(call) => call.tools.as_ref(),
        _ => None,
    };
    let found = match &span.span_type {
        SpanType::MemoryLookup(lookup) => lookup.results.iter().any(|hit| is_deep(hit.content.as_ref())),
        SpanType::RagQuery(query) => query.chunks.iter().any(|chunk| is_deep(chunk.content.as_ref())),
        _ => false,
    };
    flat(span, found || [span.input.as_ref(), span.output.as_ref(), own].into_iter().any(is_deep))
}

/// The log, with what nests too deep as text.
pub(crate) fn log(log: &Log) -> Cow<'_, Log> {
    flat(log, is_deep(log.data.as_ref()))
}

fn is_deep(payload: Option<&Payload>) -> bool {
    payload.is_some_and(|payload| payload.is_deeper_than(MOST))
}

fn flat<T: VisitText + Clone>(record: &T, deep: bool) -> Cow<'_, T> {
    if !deep {
        return Cow::Borrowed(record);
    }
    let mut flat = record.clone();
    flat.visit_text(&mut Flatten);
    Cow::Owned(flat)
}

struct Flatten;

impl TextVisitor for Flatten {
    fn payload(&mut self, _: &str, payload: &mut Payload) {
        if is_deep(Some(payload)) {
            *payload = Payload::text(payload.shared().clone());
        }
    }

    fn text(&mut self, _: &str, _: &mut Str) {}

    fn attribute(&mut self, _: &mut Str, _: &mut Value) {}

    fn labels(&mut self, _: &mut Labels) {}

    fn context(&mut self, _: &mut Arc<TraceContext>) {}

    fn resource(&mut self, _: &mut Arc<Resource>) {}
}
