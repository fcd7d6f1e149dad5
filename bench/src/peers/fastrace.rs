//! fastrace: a root span with properties, which are strings.

use fastrace::Span;
use fastrace::collector::{Config, Reporter, SpanContext, SpanRecord};

use crate::case::Case;
use crate::payload::{INPUT_TOKENS, NAME, OPERATION, OUTPUT_TOKENS, TEMPERATURE, Texts, owned};

/// Takes everything, keeps nothing.
struct Sink;

impl Reporter for Sink {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        drop(spans);
    }
}

/// Sets the reporter of the process.
pub(crate) fn start() {
    fastrace::set_reporter(Sink, Config::default());
}

/// A model call whose strings are copied.
pub(crate) fn copied() -> Case {
    let texts = owned();
    let context = || SpanContext::random();
    Case::new(
        "fastrace.copied",
        move |times| (0..times).for_each(|_| span(&texts, context())),
        fastrace::flush,
    )
}

/// A model call of a trace that is not sampled.
pub(crate) fn unsampled() -> Case {
    let texts = owned();
    let context = || SpanContext::random().sampled(false);
    let burst = move |times| (0..times).for_each(|_| span(&texts, context()));
    Case::new("fastrace.unsampled", burst, fastrace::flush)
}

#[inline(always)]
fn span(texts: &Texts<String>, context: SpanContext) {
    let span = Span::root(NAME, context).with_properties(|| {
        [
            ("gen_ai.operation.name", OPERATION.into()),
            ("gen_ai.provider.name", texts.provider.clone()),
            ("gen_ai.request.model", texts.model.clone()),
            ("gen_ai.request.temperature", TEMPERATURE.to_string()),
            ("gen_ai.input.messages", texts.input.clone()),
        ]
    });
    span.add_properties(|| {
        [
            ("gen_ai.usage.input_tokens", INPUT_TOKENS.to_string()),
            ("gen_ai.usage.output_tokens", OUTPUT_TOKENS.to_string()),
            ("gen_ai.output.messages", texts.output.clone()),
        ]
    });
}
