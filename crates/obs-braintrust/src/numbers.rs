//! Times, tokens and costs as Braintrust counts them: totals include their parts, cached input and reasoning too.

use obs_core::{Cost, Span, SpanType, Timestamp, Usage};

use crate::wire::Metrics;

/// What a record of a span tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// That it runs.
    Started,
    /// That it is over, also where its source does not say when, or says a time before it began.
    Ended,
}

/// The numbers of a span's row.
pub(crate) fn of_span(span: &Span, stage: Stage) -> Metrics {
    let end = match stage {
        Stage::Started => None,
        Stage::Ended => Some(span.end.map_or(span.start, |end| end.max(span.start))),
    };
    let times = Metrics { start: seconds(span.start), end: end.map(seconds), ..Metrics::default() };
    match &span.span_type {
        SpanType::LlmGeneration(call) => Metrics {
            time_to_first_token: call.time_to_first_token.map(|time| time.as_secs_f64()),
            estimated_cost: call.cost.as_deref().and_then(in_dollars),
            ..with_usage(times, &call.usage)
        },
        SpanType::Embedding(embedding) => Metrics {
            estimated_cost: embedding.cost.as_deref().and_then(in_dollars),
            ..with_usage(times, &embedding.usage)
        },
        _ => times,
    }
}

/// The numbers of something that takes no time.
pub(crate) fn at(time: Timestamp) -> Metrics {
    Metrics { start: seconds(time), end: Some(seconds(time)), ..Metrics::default() }
}

/// Seconds since 1970; a float of that size tells a quarter of a microsecond.
pub(crate) fn seconds(time: Timestamp) -> f64 {
    let nanos = time.as_nanos();
    (nanos / 1_000_000_000) as f64 + (nanos % 1_000_000_000) as f64 / 1e9
}

/// The amount where it is one that Braintrust adds up: US dollars.
pub(crate) fn in_dollars(cost: &Cost) -> Option<f64> {
    Some(cost.total).filter(|total| total.is_finite() && cost.currency.eq_ignore_ascii_case("USD"))
}

fn with_usage(metrics: Metrics, usage: &Usage) -> Metrics {
    let (input, output) = (&usage.input_details, &usage.output_details);
    let some = |tokens: u64| Some(tokens).filter(|tokens| *tokens > 0);
    Metrics {
        prompt_tokens: usage.input,
        completion_tokens: usage.output,
        tokens: usage.total(),
        prompt_cached_tokens: some(input.cache_read),
        prompt_cache_creation_tokens: some(input.cache_writes()),
        prompt_cache_creation_5m_tokens: some(input.cache_write_5m),
        prompt_cache_creation_1h_tokens: some(input.cache_write_1h),
        prompt_audio_tokens: some(input.audio),
        prompt_image_tokens: some(input.image),
        completion_reasoning_tokens: some(output.reasoning),
        completion_audio_tokens: some(output.audio),
        completion_image_tokens: some(output.image),
        ..metrics
    }
}

#[cfg(test)]
mod tests {
    use obs_core::InputTokens;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn totals_are_the_source_s_and_the_parts_are_in_them(
            input in proptest::option::of(0u64..1 << 40), output in proptest::option::of(0u64..1 << 40),
            read in 0u64..1 << 40, (short, long, other) in (0u64..1 << 40, 0u64..1 << 40, 0u64..1 << 40),
        ) {
            let input_details = InputTokens {
                cache_read: read, cache_write: other, cache_write_5m: short, cache_write_1h: long, ..InputTokens::default()
            };
            let usage = Usage { input, output, input_details, ..Usage::default() };
            let metrics = with_usage(Metrics::default(), &usage);
            prop_assert_eq!((metrics.prompt_tokens, metrics.completion_tokens), (input, output));
            prop_assert_eq!(metrics.tokens, usage.total());
            prop_assert_eq!(metrics.prompt_cached_tokens.unwrap_or(0), read);
            prop_assert_eq!(metrics.prompt_cache_creation_tokens.unwrap_or(0), short + long + other);
        }

        #[test]
        fn seconds_tell_the_time_to_the_microsecond(nanos in 0u64..4_000_000_000_000_000_000) {
            let told = seconds(Timestamp::from_nanos(nanos));
            let exact = i128::from(nanos);
            let back = (told.trunc() as i128) * 1_000_000_000 + (told.fract() * 1e9).round() as i128;
            prop_assert!((back - exact).abs() < 500, "{} for {}", told, nanos);
        }
    }

    #[test]
    fn another_currency_is_not_taken_for_dollars() {
        assert_eq!(in_dollars(&Cost::usd(0.25)), Some(0.25));
        assert_eq!(in_dollars(&Cost { currency: "usd".into(), ..Cost::usd(0.25) }), Some(0.25));
        assert_eq!(in_dollars(&Cost { currency: "EUR".into(), ..Cost::usd(0.25) }), None);
        assert_eq!(in_dollars(&Cost::usd(f64::NAN)), None);
    }
}
