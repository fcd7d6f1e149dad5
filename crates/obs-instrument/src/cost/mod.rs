//! What calls of models cost.
//!
//! Spans of generations and embeddings get their cost in the collector, before automatic metrics and every destination.
//! What the application says with [`ActiveSpan::cost`](crate::ActiveSpan::cost), or the provider under
//! `gen_ai.usage.cost`, counts as it is; else the cost is worked out from the tokens and a list of [`Prices`], and marked
//! as [estimated](obs_core::Cost::estimated).
//! Nothing is guessed: a model that no list has, and a call that does not say how many tokens it used, have no cost and
//! are marked with [`UNKNOWN`]; what had no price of its own is named by [`MISSING`], and the cost marked as
//! [partial](obs_core::Cost::partial).

mod compute;
mod entry;
mod model_name;
mod prices;
mod processor;
mod reported;

use obs_core::{Cost, Span};

pub use entry::{ModelPrices, Rates, Tier};
pub use prices::Prices;
use processor::Call;
pub(crate) use processor::CostProcessor;

/// The attribute of a call whose cost is not known, and why: `model` if no list has the model, `usage` if the call did
/// not say how many tokens it used.
pub const UNKNOWN: &str = "obs.cost.unknown";

/// The attribute of a call whose cost is partial: what had no price or count of its own, separated by commas.
///
/// They are names of prices, such as `cache_read`, which then count at the nearest price, and `input_tokens`,
/// `output_tokens` for counts that were not told or are less than their parts, `tier` for an input larger than the prices are known for.
pub const MISSING: &str = "obs.cost.missing";

/// Whether the provider said under some attribute what the call cost.
pub(crate) fn is_reported(span: &Span) -> bool {
    reported::of(&span.attributes).is_some()
}

/// Whether providers say under this attribute what a call cost.
pub(crate) fn is_amount(attribute: &str) -> bool {
    reported::NAMES.iter().any(|names| names.contains(&attribute))
}

/// How costs are found.
#[derive(Debug, Clone)]
pub struct CostConfig(Source);

#[derive(Debug, Clone)]
enum Source {
    Off,
    BuiltIn,
    Own(Prices),
}

impl CostConfig {
    /// By these prices alone.
    pub fn new(prices: Prices) -> Self {
        Self(Source::Own(prices))
    }

    /// Only costs that the application states are there; none are estimated.
    pub fn off() -> Self {
        Self(Source::Off)
    }

    /// The same with further prices, which win where both have a model; off stays off.
    pub(crate) fn extended(self, more: &Prices) -> Self {
        Self(match self.0 {
            Source::Off => Source::Off,
            Source::BuiltIn => Source::Own(Prices::built_in().extend(more)),
            Source::Own(prices) => Source::Own(prices.extend(more)),
        })
    }

    /// What a call cost: what is said of it, else an estimate.
    pub(crate) fn of(&self, span: &Span) -> Option<Cost> {
        let said = || span.span_type.cost().cloned().or_else(|| reported::of(&span.attributes));
        said().or_else(|| {
            let call = Call::of(&span.span_type)?;
            let found = match &self.0 {
                Source::Off => None,
                Source::BuiltIn => Prices::built_in().find_call(&call).cloned(),
                Source::Own(prices) => prices.find_call(&call).cloned(),
            };
            let (_, _, usage) = span.span_type.model()?;
            compute::cost(&*found?, usage).map(|computed| computed.cost)
        })
    }

    /// The processor that does it, if any.
    pub(crate) fn processor(&self) -> Option<CostProcessor> {
        match &self.0 {
            Source::Off => None,
            Source::BuiltIn => Some(CostProcessor::new(None)),
            Source::Own(prices) => Some(CostProcessor::new(Some(prices.clone()))),
        }
    }
}

impl Default for CostConfig {
    /// By the built-in prices, since an estimate is what people look for first.
    fn default() -> Self {
        Self(Source::BuiltIn)
    }
}
