//! obs as an application uses it.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{Error, Str, Usage};
use obs_instrument::{AutomaticMetrics, Observability, Sampling, intern};

use crate::case::Case;
use crate::payload::{INPUT_TOKENS, NAME, OUTPUT_TOKENS, TEMPERATURE, Texts, owned, shared};
use crate::sink::Sink;

/// How long a flush may take; nobody comes near.
const PATIENCE: Duration = Duration::from_secs(30);

/// An instance that delivers to the sink; it counts nothing by itself, as its peers do not.
pub(crate) fn instance(sampling: Sampling) -> Result<Observability, Error> {
    let builder = Observability::builder("bench").to(Sink).sampling(sampling);
    builder.automatic_metrics(AutomaticMetrics::off()).build()
}

/// An instance as it is by default: it counts every span, sampled or not.
fn counting(sampling: Sampling) -> Result<Observability, Error> {
    Observability::builder("bench").to(Sink).sampling(sampling).build()
}

pub(crate) fn flush(obs: &Observability) -> impl FnMut() + 'static {
    let obs = obs.clone();
    move || {
        obs.flush(PATIENCE);
    }
}

/// A model call whose strings are copied.
pub(crate) fn copied() -> Result<Case, Error> {
    Ok(copied_by("obs.copied", instance(Sampling::Always)?))
}

/// The same, and its metrics.
pub(crate) fn copied_counted() -> Result<Case, Error> {
    Ok(copied_by("obs.copied.counted", counting(Sampling::Always)?))
}

fn copied_by(name: &'static str, obs: Observability) -> Case {
    let (flush, texts) = (flush(&obs), owned());
    Case::new(name, move |times| (0..times).for_each(|_| span_copied(&obs, &texts)), flush)
}

#[inline(always)]
pub(crate) fn span_copied(obs: &Observability, texts: &Texts<String>) {
    let mut span = obs.llm_generation(NAME);
    span.provider(intern(&texts.provider))
        .model(intern(&texts.model))
        .temperature(TEMPERATURE)
        .input(texts.input.as_str());
    span.usage(Usage::new(INPUT_TOKENS, OUTPUT_TOKENS));
    span.end_with(texts.output.as_str());
}

/// A model call whose strings are shared.
pub(crate) fn arc() -> Result<Case, Error> {
    let (obs, texts) = (instance(Sampling::Always)?, shared());
    let flush = flush(&obs);
    Ok(Case::new("obs.shared", move |times| (0..times).for_each(|_| span_shared(&obs, &texts)), flush))
}

#[inline(always)]
pub(crate) fn span_shared(obs: &Observability, texts: &Texts<Arc<str>>) {
    let text = |text: &Arc<str>| Str::from(Arc::clone(text));
    let mut span = obs.llm_generation(NAME);
    span.provider(text(&texts.provider))
        .model(text(&texts.model))
        .temperature(TEMPERATURE)
        .input(text(&texts.input));
    span.usage(Usage::new(INPUT_TOKENS, OUTPUT_TOKENS));
    span.end_with(text(&texts.output));
}

/// A model call of a trace that is not sampled, its fields given as closures.
pub(crate) fn unsampled() -> Result<Case, Error> {
    Ok(unsampled_by("obs.unsampled", instance(Sampling::Never)?))
}

/// The same where it is counted.
pub(crate) fn unsampled_counted() -> Result<Case, Error> {
    Ok(unsampled_by("obs.unsampled.counted", counting(Sampling::Never)?))
}

fn unsampled_by(name: &'static str, obs: Observability) -> Case {
    let (flush, texts) = (flush(&obs), owned());
    Case::new(name, move |times| (0..times).for_each(|_| span_lazy(&obs, &texts)), flush)
}

#[inline(always)]
fn span_lazy(obs: &Observability, texts: &Texts<String>) {
    let mut span = obs.llm_generation(NAME);
    span.fields(|call| {
        call.provider = Some(intern(&texts.provider));
        call.model = Some(intern(&texts.model));
        call.parameters.temperature = Some(TEMPERATURE);
    });
    span.input_with(|| texts.input.as_str());
    span.fields(|call| call.usage = Usage::new(INPUT_TOKENS, OUTPUT_TOKENS));
    span.output_with(|| texts.output.as_str());
    span.end();
}

/// A log record with three fields under a span.
pub(crate) fn log() -> Result<Case, Error> {
    let obs = instance(Sampling::Always)?;
    let flush = flush(&obs);
    Ok(Case::new(
        "obs.log",
        move |times| {
            let span = obs.span("request");
            let current = span.enter();
            for attempt in 0..times {
                obs.info("the tool answered")
                    .with("tool.name", "search")
                    .with("attempt", attempt as i64)
                    .with("score", 0.5);
            }
            drop(current);
            span.end();
        },
        flush,
    ))
}
