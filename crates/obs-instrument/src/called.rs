//! The model that a call was made of, for the calls directly below it that do not say theirs.

use std::sync::Arc;

use obs_core::{LlmGeneration, Span, SpanType, Str};

/// A model, and who serves it.
#[derive(Debug)]
pub(crate) struct Called {
    model: Str,
    provider: Option<Str>,
}

/// What the children of a span are told: its own model, else of a call without one and of a span of no special type what
/// it was told itself; a tool's or an agent's calls are of models of their own.
pub(crate) fn below(span: &Span, above: Option<&Arc<Called>>) -> Option<Arc<Called>> {
    match &span.span_type {
        SpanType::LlmGeneration(LlmGeneration { model: Some(model), provider, .. }) => {
            Some(Arc::new(Called { model: model.clone(), provider: provider.clone() }))
        }
        SpanType::LlmGeneration(_) | SpanType::Generic => above.cloned(),
        _ => None,
    }
}

/// Whether a call does not say what it is told from above.
#[inline]
pub(crate) fn lacks(span_type: &SpanType) -> bool {
    matches!(span_type, SpanType::LlmGeneration(call)
        if (call.model.is_none() || call.provider.is_none()) && call.response_model.is_none())
}

/// Fills in what a call does not say, unless it says something else of the same.
pub(crate) fn inherit(span: &mut Span, above: Option<&Arc<Called>>) {
    let (SpanType::LlmGeneration(call), Some(above)) = (&mut span.span_type, above) else { return };
    match (&call.model, &call.provider) {
        (None, provider) if provider.is_none() || *provider == above.provider => {
            call.model = Some(above.model.clone());
            call.provider.clone_from(&above.provider);
        }
        (Some(model), None) if *model == above.model => call.provider.clone_from(&above.provider),
        _ => {}
    }
}
