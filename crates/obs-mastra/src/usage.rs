//! Tokens and costs as Mastra counts them: totals include their parts, and writes to the cache their lifetimes.

use obs_core::{Cost, Usage, Value};
use serde::{Serialize, Serializer};

use crate::fields::Fields;

/// Mastra's `UsageStats`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UsageStats<'a>(pub(crate) &'a Usage);

impl Serialize for UsageStats<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(usage) = self;
        let mut out = Fields::new(serializer.serialize_map(None)?);
        out.some("inputTokens", usage.input)?;
        out.some("outputTokens", usage.output)?;
        let has_input = usage.input.is_some() || !usage.input_details.is_zero();
        let has_output = usage.output.is_some() || !usage.output_details.is_zero();
        out.some("inputDetails", has_input.then_some(InputDetails(usage)))?;
        out.some("outputDetails", has_output.then_some(OutputDetails(usage)))?;
        out.end()
    }
}

struct InputDetails<'a>(&'a Usage);

impl Serialize for InputDetails<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(usage) = self;
        let parts = &usage.input_details;
        let mut out = Fields::new(serializer.serialize_map(None)?);
        out.some("text", usage.input.map(|_| usage.input_text()))?;
        out.some("cacheRead", some(parts.cache_read))?;
        out.some("cacheWrite", some(parts.cache_writes()))?;
        out.some("cacheWrite5m", some(parts.cache_write_5m))?;
        out.some("cacheWrite1h", some(parts.cache_write_1h))?;
        out.some("audio", some(parts.audio))?;
        out.some("image", some(parts.image))?;
        out.end()
    }
}

struct OutputDetails<'a>(&'a Usage);

impl Serialize for OutputDetails<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(usage) = self;
        let parts = &usage.output_details;
        let mut out = Fields::new(serializer.serialize_map(None)?);
        out.some("text", usage.output.map(|_| usage.output_text()))?;
        out.some("reasoning", some(parts.reasoning))?;
        out.some("audio", some(parts.audio))?;
        out.some("image", some(parts.image))?;
        out.end()
    }
}

fn some(tokens: u64) -> Option<u64> {
    Some(tokens).filter(|tokens| *tokens > 0)
}

/// Mastra's `CostContext`: an amount, and what was paid for.
#[derive(Debug)]
pub(crate) struct CostContext<'a> {
    pub(crate) provider: Option<&'a str>,
    pub(crate) model: Option<&'a str>,
    pub(crate) cost: &'a Cost,
}

impl Serialize for CostContext<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = Fields::new(serializer.serialize_map(None)?);
        out.some("provider", self.provider)?;
        out.some("model", self.model)?;
        out.some("estimatedCost", Some(self.cost.total).filter(|total| total.is_finite()))?;
        out.put("costUnit", &self.cost.currency)?;
        let Cost { total, input, output, partial, .. } = self.cost;
        let more = !total.is_finite() || input.is_some() || output.is_some() || *partial;
        out.some("costMetadata", more.then_some(CostMetadata(self.cost)))?;
        out.end()
    }
}

/// What Mastra has no field for in a cost, and its own word for one that lacks a price.
struct CostMetadata<'a>(&'a Cost);

impl Serialize for CostMetadata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(cost) = self;
        let mut out = Fields::new(serializer.serialize_map(None)?);
        out.some("total", (!cost.total.is_finite()).then_some(Value::F64(cost.total)))?;
        out.some("input", cost.input.map(Value::F64))?;
        out.some("output", cost.output.map(Value::F64))?;
        out.some("error", cost.partial.then_some("partial_cost"))?;
        out.end()
    }
}

#[cfg(test)]
mod tests {
    use obs_core::{InputTokens, OutputTokens};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn number(told: &serde_json::Value, place: &str) -> u64 {
        told.pointer(place).and_then(serde_json::Value::as_u64).unwrap_or(0)
    }

    proptest! {
        #[test]
        fn the_parts_of_a_total_add_up_to_it(
            text in 0u64..1 << 40, said in 0u64..1 << 40, parts in proptest::array::uniform9(0u64..1 << 40),
        ) {
            let [cache_read, cache_write, cache_write_5m, cache_write_1h, audio, image, reasoning, spoken, drawn] = parts;
            let input_details = InputTokens { cache_read, cache_write, cache_write_5m, cache_write_1h, audio, image };
            let output_details = OutputTokens { reasoning, audio: spoken, image: drawn };
            let usage = Usage {
                input: Some(text + input_details.sum()),
                output: Some(said + output_details.sum()),
                input_details,
                output_details,
            };
            let told = serde_json::to_value(UsageStats(&usage)).unwrap();
            let sum = |object: &str, names: &[&str]| -> u64 {
                names.iter().map(|name| number(&told, &format!("/{object}/{name}"))).sum()
            };
            prop_assert_eq!(sum("inputDetails", &["text", "cacheRead", "cacheWrite", "audio", "image"]), usage.input.unwrap());
            prop_assert_eq!(sum("outputDetails", &["text", "reasoning", "audio", "image"]), usage.output.unwrap());
            prop_assert_eq!((number(&told, "/inputTokens"), number(&told, "/outputTokens")), (usage.input.unwrap(), usage.output.unwrap()));
            prop_assert!(sum("inputDetails", &["cacheWrite5m", "cacheWrite1h"]) <= number(&told, "/inputDetails/cacheWrite"));
        }
    }

    #[test]
    fn what_was_not_reported_is_not_told() {
        let usage = Usage { output: Some(3), ..Usage::default() };
        let told = serde_json::to_value(UsageStats(&usage)).unwrap();
        assert_eq!(told, json!({"outputTokens": 3, "outputDetails": {"text": 3}}));
        let cost = Cost { total: f64::NAN, partial: true, ..Cost::usd(0.0) };
        let told =
            serde_json::to_value(CostContext { provider: None, model: Some("m"), cost: &cost }).unwrap();
        assert_eq!(
            told,
            json!({"model": "m", "costUnit": "USD", "costMetadata": {"total": "NaN", "error": "partial_cost"}})
        );
    }
}
