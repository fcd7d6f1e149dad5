//! `tracing` with tracing-opentelemetry, with its defaults and without what can be left out.

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::Sampler;
use tracing::Dispatch;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::layer::SubscriberExt;

use super::otel;
use crate::case::Case;
use crate::payload::{INPUT_TOKENS, OPERATION, OUTPUT_TOKENS, TEMPERATURE, Texts, owned};

/// A model call, with location, thread and inactivity as by default.
pub(crate) fn default() -> Case {
    case("tracing-otel.default", false)
}

/// A model call, with everything off that can be.
pub(crate) fn lean() -> Case {
    case("tracing-otel.lean", true)
}

fn case(name: &'static str, lean: bool) -> Case {
    let provider = otel::provider(Sampler::AlwaysOn);
    let layer = OpenTelemetryLayer::new(provider.tracer("bench"));
    let layer = if lean {
        layer.with_location(false).with_threads(false).with_tracked_inactivity(false).with_target(false)
    } else {
        layer
    };
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
    let texts = owned();
    let burst = move |times| {
        tracing::dispatcher::with_default(&dispatch, || (0..times).for_each(|_| span(&texts)));
    };
    Case::new(name, burst, otel::flush(&provider))
}

#[inline(always)]
pub(crate) fn span(texts: &Texts<String>) {
    let span = tracing::info_span!(
        "chat",
        gen_ai.operation.name = OPERATION,
        gen_ai.provider.name = texts.provider.as_str(),
        gen_ai.request.model = texts.model.as_str(),
        gen_ai.request.temperature = TEMPERATURE,
        gen_ai.input.messages = texts.input.as_str(),
        gen_ai.usage.input_tokens = Empty,
        gen_ai.usage.output_tokens = Empty,
        gen_ai.output.messages = Empty,
    );
    span.record("gen_ai.usage.input_tokens", INPUT_TOKENS);
    span.record("gen_ai.usage.output_tokens", OUTPUT_TOKENS);
    span.record("gen_ai.output.messages", texts.output.as_str());
}
