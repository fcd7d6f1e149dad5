//! One model's prices, as the table has them.

use obs_core::Str;
use serde::{Deserialize, Serialize};

use super::model_name;

/// What one model costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelPrices {
    /// Who sells it: `openai`, `anthropic`, `aws.bedrock`.
    pub provider: Str,
    /// Its name, without a date where all dates cost the same.
    pub model: Str,
    /// Other names that cost the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<Str>,
    /// ISO 4217 code; `USD` unless stated.
    #[serde(default = "usd")]
    pub currency: Str,
    /// What tokens cost.
    pub prices: Rates,
    /// What all tokens of a call cost instead, whose input is larger; the largest that is reached counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<Tier>,
    /// The largest input, in tokens, that these prices are known to hold for; any unless stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_up_to_input_tokens: Option<u64>,
    /// Where the prices stand: the vendor's public page, or the contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Str>,
    /// The day on which they stood there: `2026-10-24`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Str>,
    /// Anything a reader should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Str>,
}

fn usd() -> Str {
    Str::from_static("USD")
}

/// Other prices for large inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// They hold for every token of a call with more input tokens than this, cached ones counted.
    pub above_input_tokens: u64,
    /// What tokens cost then.
    pub prices: Rates,
}

macro_rules! rates {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Prices of a million tokens each.
        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Rates {
            /// Input that no other price is for.
            pub input: f64,
            $(
                $(#[$doc])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $name: Option<f64>,
            )*
        }

        impl Rates {
            /// Every price by its name.
            fn named(&self) -> impl Iterator<Item = (&'static str, Option<f64>)> {
                [("input", Some(self.input)), $((stringify!($name), self.$name)),*].into_iter()
            }
        }
    };
}

rates! {
    /// Output that no other price is for; an embedding has none.
    output,
    /// Input read from the prompt cache.
    cache_read,
    /// Input written to the prompt cache with the vendor's default lifetime.
    cache_write,
    /// Input written to the prompt cache for five minutes.
    cache_write_5m,
    /// Input written to the prompt cache for an hour.
    cache_write_1h,
    /// Audio in the input.
    audio_input,
    /// Audio in the output.
    audio_output,
    /// Images in the input.
    image_input,
    /// Images in the output.
    image_output,
    /// Reasoning, where it does not cost what output costs.
    reasoning,
}

impl Rates {
    /// A price per million tokens of input and of output.
    pub fn new(input: f64, output: f64) -> Self {
        Self { input, output: Some(output), ..Self::default() }
    }

    /// The prices that the other has and this has not.
    fn lacks<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'static str> + 'a {
        let both = self.named().zip(other.named());
        both.filter(|((_, own), (_, other))| own.is_none() && other.is_some()).map(|((name, _), _)| name)
    }
}

impl ModelPrices {
    /// A model's prices in US dollars, without anything else.
    pub fn new(provider: impl Into<Str>, model: impl Into<Str>, prices: Rates) -> Self {
        Self {
            provider: provider.into(),
            model: model.into(),
            aliases: Vec::new(),
            currency: usd(),
            prices,
            tiers: Vec::new(),
            known_up_to_input_tokens: None,
            source: None,
            as_of: None,
            note: None,
        }
    }

    /// All names it goes by.
    pub(super) fn names(&self) -> impl Iterator<Item = &Str> {
        std::iter::once(&self.model).chain(&self.aliases)
    }

    /// The prices for a call with this many input tokens.
    pub(super) fn rates(&self, input_tokens: u64) -> &Rates {
        let reached = self.tiers.iter().rev().find(|tier| input_tokens > tier.above_input_tokens);
        reached.map_or(&self.prices, |tier| &tier.prices)
    }

    /// What is wrong with it on its own: the field, and what to do.
    pub(super) fn fault(&self) -> Option<(String, String)> {
        let told = |field: &str, advice: &str| Some((field.to_owned(), advice.to_owned()));
        if self.provider.trim().is_empty() || self.names().any(|name| name.trim().is_empty()) {
            return told("model", "a name is empty; name the provider and the model as calls do");
        }
        if self.currency.len() != 3 || !self.currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return told("currency", "it is no ISO 4217 code; write three capitals, such as `USD`");
        }
        if self.as_of.as_deref().is_some_and(|day| !is_day(day)) {
            return told("as_of", "it is no day; write it as `2026-10-24`");
        }
        let ladder = self.tiers.iter().map(|tier| tier.above_input_tokens);
        if !ladder.is_sorted_by(|a, b| a < b) {
            return told("tiers", "write them from the smallest input to the largest, each once");
        }
        let all = std::iter::once(("prices".to_owned(), &self.prices)).chain(
            self.tiers.iter().map(|tier| (format!("tiers, above {}", tier.above_input_tokens), &tier.prices)),
        );
        for (place, rates) in all {
            if let Some((name, price)) =
                rates.named().find(|(_, p)| p.is_some_and(|p| !(p.is_finite() && p >= 0.0)))
            {
                let price = price.unwrap_or_default();
                return told(
                    &format!("{place}, {name}"),
                    &format!("{price} is no price; write what a million tokens cost"),
                );
            }
            if let Some(name) = rates.lacks(&self.prices).next() {
                return told(
                    &place,
                    &format!("it lacks `{name}`, which the model has below; write that price, too"),
                );
            }
        }
        None
    }

    /// The price that this row lacks although it is the dated name of the other, whose it would hide.
    pub(super) fn hides(&self, base: &Self) -> Option<(&Str, &'static str)> {
        let dated = self.names().find(|name| base.names().any(|base| model_name::is_base_of(name, base)))?;
        Some((dated, self.prices.lacks(&base.prices).next()?))
    }
}

/// Whether a text is a day: `2026-10-24`.
fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let &[year, month, day] = &*parts else { return false };
    let in_range = |part: &str, digits: usize, least: u32, most: u32| {
        part.len() == digits && part.parse().is_ok_and(|number: u32| (least..=most).contains(&number))
    };
    in_range(year, 4, 2000, 9999) && in_range(month, 2, 1, 12) && in_range(day, 2, 1, 31)
}
