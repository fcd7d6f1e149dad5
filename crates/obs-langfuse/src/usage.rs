//! Tokens and money in Langfuse's accounting: buckets that exclude each other, and add up to the total.

use obs_core::{Cost, Usage};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// The greatest integer that JavaScript counts exactly, and the server takes.
const MOST: u64 = (1 << 53) - 1;

/// What Langfuse is told of a model call's tokens.
pub(crate) struct Tokens {
    /// The buckets, `total` the last; `None` where there is nothing to tell, or nothing that the server would take.
    pub(crate) details: Option<Details<u64>>,
    /// Whether the buckets do not tell all of what was reported, so that the report itself belongs in the metadata.
    pub(crate) differs: bool,
}

/// Named numbers, as one JSON object; those that are `None` are left out.
pub(crate) struct Details<T>(Vec<(&'static str, T)>);

impl<T: Serialize> Serialize for Details<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// The buckets of a model call.
///
/// The names are those of the server's price tables.
/// Buckets that hold more than their total, which providers do report, count as they are; the total is their sum then.
pub(crate) fn tokens(usage: &Usage) -> Tokens {
    if usage.is_empty() {
        return Tokens { details: None, differs: false };
    }
    let (input, output) = (&usage.input_details, &usage.output_details);
    let whole =
        |total: Option<u64>, text: u64, has_details: bool| (total.is_some() || has_details).then_some(text);
    let some = |tokens: u64| (tokens > 0).then_some(tokens);
    let buckets = [
        ("input", whole(usage.input, usage.input_text(), !input.is_zero())),
        ("input_cached_tokens", some(input.cache_read)),
        ("input_cache_creation", some(input.cache_write)),
        ("input_cache_creation_5m", some(input.cache_write_5m)),
        ("input_cache_creation_1h", some(input.cache_write_1h)),
        ("input_audio_tokens", some(input.audio)),
        ("input_image_tokens", some(input.image)),
        ("output", whole(usage.output, usage.output_text(), !output.is_zero())),
        ("output_reasoning_tokens", some(output.reasoning)),
        ("output_audio_tokens", some(output.audio)),
        ("output_image_tokens", some(output.image)),
    ];
    let sum = buckets.iter().try_fold(0u64, |sum, (_, tokens)| sum.checked_add(tokens.unwrap_or(0)));
    let Some(total) = sum.filter(|sum| *sum <= MOST) else {
        return Tokens { details: None, differs: true };
    };
    let mut details = Vec::with_capacity(buckets.len() + 1);
    details.extend(buckets.into_iter().filter_map(|(name, tokens)| Some((name, tokens?))));
    details.push(("total", total));
    Tokens { details: Some(Details(details)), differs: usage.total() != Some(total) }
}

/// The cost of a model call in US dollars, or `None` where it is none: another currency, or no number that is one.
pub(crate) fn cost(cost: &Cost) -> Option<Details<f64>> {
    let amount = |amount: &f64| amount.is_finite() && *amount >= 0.0;
    if !cost.currency.eq_ignore_ascii_case("USD") || !amount(&cost.total) {
        return None;
    }
    let parts = [("input", cost.input), ("output", cost.output), ("total", Some(cost.total))];
    let known = parts.into_iter().filter_map(|(name, part)| Some((name, part.filter(amount)?)));
    Some(Details(known.collect()))
}

#[cfg(test)]
mod tests {
    use obs_core::{InputTokens, OutputTokens};
    use proptest::prelude::*;

    use super::*;

    fn sum_of<'a>(details: &'a Details<u64>, word: &'a str) -> u64 {
        details.0.iter().filter(|(name, _)| name.contains(word)).map(|(_, tokens)| tokens).sum()
    }

    prop_compose! {
        /// Totals that hold their buckets.
        fn reported()(text in 0u64..1 << 40, out in 0u64..1 << 40, b in proptest::array::uniform9(0u64..1 << 40)) -> Usage {
            let [cache_read, cache_write, cache_write_5m, cache_write_1h, audio, image, reasoning, o_audio, o_image] = b;
            let input_details = InputTokens { cache_read, cache_write, cache_write_5m, cache_write_1h, audio, image };
            let output_details = OutputTokens { reasoning, audio: o_audio, image: o_image };
            let (input, output) = (Some(text + input_details.sum()), Some(out + output_details.sum()));
            Usage { input, output, input_details, output_details }
        }
    }

    proptest! {
        #[test]
        fn buckets_exclude_each_other_and_add_up_to_the_total(usage in reported()) {
            let tokens = tokens(&usage);
            let details = tokens.details.unwrap();
            prop_assert!(!tokens.differs);
            prop_assert_eq!(sum_of(&details, "input"), usage.input.unwrap());
            prop_assert_eq!(sum_of(&details, "output"), usage.output.unwrap());
            prop_assert_eq!(sum_of(&details, "total"), usage.total().unwrap());
        }

        #[test]
        fn whatever_is_reported_the_sum_is_the_total(
            totals in any::<(Option<u32>, Option<u32>)>(), buckets in any::<[u32; 4]>()
        ) {
            let [cache_read, audio, reasoning, image] = buckets.map(u64::from);
            let usage = Usage {
                input: totals.0.map(u64::from),
                output: totals.1.map(u64::from),
                input_details: InputTokens { cache_read, audio, ..InputTokens::default() },
                output_details: OutputTokens { reasoning, image, ..OutputTokens::default() },
            };
            let tokens = tokens(&usage);
            prop_assert_eq!(tokens.details.is_none(), usage.is_empty());
            if let Some(details) = tokens.details {
                let total = sum_of(&details, "total");
                prop_assert_eq!(sum_of(&details, "input") + sum_of(&details, "output"), total);
                prop_assert_eq!(tokens.differs, usage.total() != Some(total));
            }
        }
    }

    #[test]
    fn what_javascript_cannot_count_is_not_sent_as_tokens() {
        let usage = Usage { input: Some(u64::MAX), ..Usage::default() };
        let tokens = tokens(&usage);
        assert!(tokens.details.is_none() && tokens.differs);
    }

    #[test]
    fn only_dollars_are_sent_as_dollars() {
        let json = |cost: &Cost| super::cost(cost).map(|cost| serde_json::to_string(&cost).unwrap());
        let dollars = Cost { input: Some(0.003), ..Cost::usd(0.004) };
        assert_eq!(json(&dollars).as_deref(), Some(r#"{"input":0.003,"total":0.004}"#));
        assert_eq!(json(&Cost { currency: "EUR".into(), ..Cost::usd(1.0) }), None);
        for no_amount in [f64::NAN, f64::INFINITY, -1.0] {
            assert_eq!(json(&Cost::usd(no_amount)), None);
        }
        assert_eq!(
            json(&Cost { input: Some(f64::NAN), ..Cost::usd(1.0) }).as_deref(),
            Some(r#"{"total":1.0}"#)
        );
    }
}
