//! Tokens and costs in LangSmith's accounting: inclusive totals, and details that do not overlap.

use obs_core::{Cost, InputTokens, OutputTokens, SpanType, Usage};
use serde::Serialize;

/// The `usage_metadata` of a run.
///
/// LangSmith's SDKs refuse any other name at the top of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct UsageMetadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    input_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_token_details: Option<InputDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_token_details: Option<OutputDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_cost: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_cost: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_cost: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct InputDetails {
    #[serde(skip_serializing_if = "is_zero")]
    text: u64,
    #[serde(skip_serializing_if = "is_zero")]
    cache_read: u64,
    /// Of a lifetime that was not stated; the stated ones have names of their own.
    #[serde(skip_serializing_if = "is_zero")]
    cache_creation: u64,
    #[serde(skip_serializing_if = "is_zero")]
    ephemeral_5m_input_tokens: u64,
    #[serde(skip_serializing_if = "is_zero")]
    ephemeral_1h_input_tokens: u64,
    #[serde(skip_serializing_if = "is_zero")]
    audio: u64,
    #[serde(skip_serializing_if = "is_zero")]
    image: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct OutputDetails {
    #[serde(skip_serializing_if = "is_zero")]
    text: u64,
    #[serde(skip_serializing_if = "is_zero")]
    reasoning: u64,
    #[serde(skip_serializing_if = "is_zero")]
    audio: u64,
    #[serde(skip_serializing_if = "is_zero")]
    image: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_zero(value: &u64) -> bool {
    *value == 0
}

impl UsageMetadata {
    /// What a model call used and cost; `None` for any other span, and where nothing is known.
    ///
    /// LangSmith adds up the runs of a tree itself, so that only the call says what it used.
    pub(crate) fn of(span_type: &SpanType) -> Option<Self> {
        let (_, _, usage) = span_type.model()?;
        let cost = span_type.cost().and_then(in_dollars);
        if usage.is_empty() && cost.is_none() {
            return None;
        }
        let finite = |amount: Option<f64>| amount.filter(|amount| amount.is_finite());
        Some(Self {
            input_tokens: usage.input,
            output_tokens: usage.output,
            total_tokens: usage.total(),
            input_token_details: InputDetails::of(usage),
            output_token_details: OutputDetails::of(usage),
            input_cost: finite(cost.and_then(|cost| cost.input)),
            output_cost: finite(cost.and_then(|cost| cost.output)),
            total_cost: finite(cost.map(|cost| cost.total)),
        })
    }
}

/// A cost that LangSmith can add up: it knows US dollars only.
pub(crate) fn in_dollars(cost: &Cost) -> Option<&Cost> {
    cost.currency.eq_ignore_ascii_case("USD").then_some(cost)
}

impl InputDetails {
    fn of(usage: &Usage) -> Option<Self> {
        let InputTokens { cache_read, cache_write, cache_write_5m, cache_write_1h, audio, image } =
            usage.input_details;
        (!usage.input_details.is_zero()).then(|| Self {
            text: usage.input_text(),
            cache_read,
            cache_creation: cache_write,
            ephemeral_5m_input_tokens: cache_write_5m,
            ephemeral_1h_input_tokens: cache_write_1h,
            audio,
            image,
        })
    }
}

impl OutputDetails {
    fn of(usage: &Usage) -> Option<Self> {
        let OutputTokens { reasoning, audio, image } = usage.output_details;
        (!usage.output_details.is_zero()).then(|| Self { text: usage.output_text(), reasoning, audio, image })
    }
}

#[cfg(test)]
mod tests {
    use obs_core::LlmGeneration;
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn sum(details: &Value) -> u64 {
        details.as_object().unwrap().values().map(|value| value.as_u64().unwrap()).sum()
    }

    proptest! {
        #[test]
        fn details_never_overlap_and_sum_to_the_inclusive_total(
            text in 0u64..1 << 40, said in 0u64..1 << 40, buckets in proptest::array::uniform9(1u64..1 << 40),
        ) {
            let [cache_read, cache_write, cache_write_5m, cache_write_1h, audio, image, reasoning, o_audio, o_image] = buckets;
            let input_details = InputTokens { cache_read, cache_write, cache_write_5m, cache_write_1h, audio, image };
            let output_details = OutputTokens { reasoning, audio: o_audio, image: o_image };
            let (input, output) = (text + input_details.sum(), said + output_details.sum());
            let usage = Usage { input: Some(input), output: Some(output), input_details, output_details };
            let generation = LlmGeneration { usage, ..LlmGeneration::default() };
            let json = serde_json::to_value(UsageMetadata::of(&SpanType::LlmGeneration(generation))).unwrap();
            prop_assert_eq!(sum(&json["input_token_details"]), input);
            prop_assert_eq!(sum(&json["output_token_details"]), output);
            prop_assert_eq!(json["total_tokens"].as_u64(), Some(input + output));
        }
    }

    #[test]
    fn another_currency_and_numbers_that_are_none_are_left_out() {
        let cost = |cost| {
            let generation = LlmGeneration { cost: Some(Box::new(cost)), ..LlmGeneration::default() };
            serde_json::to_value(UsageMetadata::of(&SpanType::LlmGeneration(generation))).unwrap()
        };
        assert_eq!(cost(Cost { currency: "EUR".into(), ..Cost::usd(1.0) }), Value::Null);
        assert_eq!(
            cost(Cost { input: Some(f64::NAN), ..Cost::usd(0.5) }),
            serde_json::json!({"total_cost": 0.5})
        );
        assert_eq!(UsageMetadata::of(&SpanType::Generic), None);
    }
}
