//! Spans in OpenInference's conventions, as Arize and Phoenix have them.
//!
//! What OpenInference has no name for goes out as [`genai`] puts it: the id of an agent, the flavour of a step, the error.
//! With the feature `ingest`, all of them are read back.
//!
//! A backend that reads both conventions gets [`genai::attributes`] and [`own_attributes`], which have no name in common.
//!
//! ```
//! use obs_core::{LlmGeneration, Span, SpanId, SpanType, Timestamp, TraceId};
//! use obs_otlp::encode::{Encoding, SpanParts, TraceRequests, openinference};
//!
//! let (trace_id, span_id) = (TraceId::new(7).unwrap(), SpanId::new(9).unwrap());
//! let mut span = Span::new(trace_id, span_id, "answer", Timestamp::from_nanos(1));
//! let call = LlmGeneration { model: Some("gpt-4o".into()), ..LlmGeneration::default() };
//! span.span_type = SpanType::LlmGeneration(call);
//! assert_eq!(openinference::kind(&span), "LLM");
//!
//! let parts = SpanParts::of(&span, Timestamp::from_nanos(5));
//! let mut requests = TraceRequests::new(Encoding::Json, 512, 4 << 20);
//! requests.push(0, &span.resource, &parts, |to| openinference::attributes(&span, to));
//! let body = requests.finish().remove(0).body;
//! assert!(String::from_utf8_lossy(&body).contains(r#"{"key":"llm.model_name","value":{"stringValue":"gpt-4o"}}"#));
//! ```

mod flat;
mod kind;
mod names;
mod types;

use obs_core::{Span, SpanType};

use super::Fields;
use super::genai;
use super::genai::put::{Put, Taken};
#[cfg(feature = "ingest")]
pub(crate) use flat::flattened;
use names as n;

/// The value of `openinference.span.kind`.
///
/// A workflow, its steps, an update of memory and a generic span are a `CHAIN`, which is OpenInference's word for whatever has no better one.
pub fn kind(span: &Span) -> &'static str {
    kind_of(&span.span_type)
}

pub(crate) const fn kind_of(span_type: &SpanType) -> &'static str {
    kind::of(span_type).name
}

/// Puts all that the conventions have names for, what only GenAI has names for, then the span's own attributes.
///
/// An attribute of the span's own wins over a field that would go out under the same name.
pub fn attributes(span: &Span, to: &mut Fields<'_>) {
    own_attributes(span, to);
    genai::attributes_but(span, kind::of(&span.span_type).told, to);
}

/// Puts what stands under OpenInference's names and is not among [`genai::attributes`]: both together are both conventions.
///
/// Sessions, users, tags, metadata and the parts of a cost have OpenInference's names, or the same ones, in GenAI's attributes already.
pub fn own_attributes(span: &Span, to: &mut Fields<'_>) {
    let mut put = Put { to, taken: Taken::by(&span.attributes, &[]) };
    put.str(n::KIND, kind(span));
    types::put(span, &mut put);
    for (document, role, [.., any, mime]) in genai::sides(span) {
        if genai::has_name(&span.span_type, document, role) {
            put.document(any, mime, document);
        }
    }
}
