//! Tokens, costs and times of a model call under Datadog's names: totals include their parts, cached input and reasoning
//! too.

use obs_core::{Cost, Span, SpanType, Usage};

use crate::wire::Numbers;

/// The numbers of a span: those of a model call.
pub(crate) fn of(span: &Span) -> Numbers {
    let mut numbers = Numbers::default();
    match &span.span_type {
        SpanType::LlmGeneration(call) => {
            add_usage(&mut numbers, &call.usage);
            let first = call.time_to_first_token.map(|time| time.as_secs_f64());
            add(&mut numbers, "time_to_first_token", first);
        }
        SpanType::Embedding(embedding) => add_usage(&mut numbers, &embedding.usage),
        _ => {}
    }
    if let Some(cost) = span.span_type.cost().filter(|cost| is_in_dollars(cost)) {
        add(&mut numbers, "input_cost", cost.input);
        add(&mut numbers, "output_cost", cost.output);
        add(&mut numbers, "total_cost", Some(cost.total));
    }
    numbers
}

/// Whether it is an amount that Datadog adds up: US dollars.
pub(crate) fn is_in_dollars(cost: &Cost) -> bool {
    cost.total.is_finite() && cost.currency.eq_ignore_ascii_case("USD")
}

fn add(numbers: &mut Numbers, name: &'static str, number: Option<f64>) {
    numbers.0.extend(number.filter(|number| number.is_finite()).map(|number| (name, number)));
}

fn add_usage(numbers: &mut Numbers, usage: &Usage) {
    let (input, output) = (&usage.input_details, &usage.output_details);
    let totals =
        [("input_tokens", usage.input), ("output_tokens", usage.output), ("total_tokens", usage.total())];
    for (name, count) in totals {
        add(numbers, name, count.map(|count| count as f64));
    }
    let parts = [
        ("cache_read_input_tokens", input.cache_read),
        ("cache_write_input_tokens", input.cache_writes()),
        ("ephemeral_5m_input_tokens", input.cache_write_5m),
        ("ephemeral_1h_input_tokens", input.cache_write_1h),
        ("reasoning_output_tokens", output.reasoning),
    ];
    for (name, count) in parts {
        add(numbers, name, (count > 0).then_some(count as f64));
    }
}

#[cfg(test)]
mod tests {
    use obs_core::{InputTokens, OutputTokens};
    use proptest::prelude::*;

    use super::*;

    fn told(usage: &Usage) -> impl Fn(&str) -> Option<f64> {
        let mut numbers = Numbers::default();
        add_usage(&mut numbers, usage);
        move |name| numbers.0.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
    }

    proptest! {
        #[test]
        fn totals_are_the_source_s_and_the_parts_are_in_them(
            (text, read, short, long, other) in (0u64..1 << 40, 0u64..1 << 40, 0u64..1 << 40, 0u64..1 << 40, 0u64..1 << 40),
            (said, thought) in (0u64..1 << 40, 0u64..1 << 40),
        ) {
            let input_details = InputTokens {
                cache_read: read, cache_write: other, cache_write_5m: short, cache_write_1h: long, ..InputTokens::default()
            };
            let output_details = OutputTokens { reasoning: thought, ..OutputTokens::default() };
            let input = text + input_details.sum();
            let usage = Usage { input: Some(input), output: Some(said + thought), input_details, output_details };
            let of = told(&usage);
            prop_assert_eq!(of("input_tokens"), Some(input as f64));
            prop_assert_eq!(of("total_tokens"), Some((input + said + thought) as f64));
            let part = |name| of(name).unwrap_or_default();
            prop_assert_eq!(part("cache_read_input_tokens"), read as f64);
            prop_assert_eq!(part("cache_write_input_tokens"), (short + long + other) as f64);
            prop_assert!(part("cache_read_input_tokens") + part("cache_write_input_tokens") <= part("input_tokens"));
            prop_assert!(part("reasoning_output_tokens") <= part("output_tokens"));
        }
    }

    #[test]
    fn another_currency_is_not_taken_for_dollars() {
        assert!(is_in_dollars(&Cost::usd(0.25)));
        assert!(!is_in_dollars(&Cost { currency: "EUR".into(), ..Cost::usd(0.25) }));
        assert!(!is_in_dollars(&Cost::usd(f64::NAN)));
    }
}
