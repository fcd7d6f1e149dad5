//! What a model call adds to a span.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::json::{float, nanos, optional_float};
use crate::{Attributes, Payload, Str, Usage, payload};

/// A call of a language model.
///
/// The messages are the span's input, the completion its output.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LlmGeneration {
    /// The model asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<Str>,
    /// Who serves it, in OpenTelemetry's spelling: `openai`, `anthropic`, `aws.bedrock`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<Str>,
    /// The model that answered, where it differs or is more exact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_model: Option<Str>,
    /// The provider's id of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_id: Option<Str>,
    /// Sampling parameters.
    #[serde(skip_serializing_if = "ModelParameters::is_empty")]
    pub parameters: ModelParameters,
    /// The tools offered, in the provider's form.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "payload::present")]
    pub tools: Option<Payload>,
    /// What kind of answer came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_type: Option<ResultType>,
    /// Tokens used.
    #[serde(skip_serializing_if = "Usage::is_empty")]
    pub usage: Usage,
    /// What it cost, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Box<Cost>>,
    /// Why the model stopped, in the provider's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<Str>,
    /// Whether the answer was streamed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub streaming: Option<bool>,
    /// From the start of the span to the first token; nanoseconds in JSON.
    #[serde(with = "nanos", skip_serializing_if = "Option::is_none")]
    pub time_to_first_token: Option<Duration>,
    /// The managed prompt it was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<Box<PromptLink>>,
}

/// Sampling parameters of a model call; only what was set.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelParameters {
    /// Sampling temperature.
    #[serde(with = "optional_float", skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Nucleus sampling.
    #[serde(with = "optional_float", skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// The most tokens to answer with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// All others by their OpenTelemetry name without the prefix: `top_k`, `seed`, `stop_sequences`.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub other: Attributes,
}

impl ModelParameters {
    /// Whether none was set.
    pub fn is_empty(&self) -> bool {
        self.temperature.is_none()
            && self.top_p.is_none()
            && self.max_tokens.is_none()
            && self.other.is_empty()
    }
}

/// What kind of answer a model gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultType {
    /// It chose tools to call.
    ToolSelection,
    /// It answered.
    ResponseGeneration,
    /// It reasoned.
    Reasoning,
    /// It planned.
    Planning,
}

impl ResultType {
    /// The name in files and labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ToolSelection => "tool_selection",
            Self::ResponseGeneration => "response_generation",
            Self::Reasoning => "reasoning",
            Self::Planning => "planning",
        }
    }
}

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// The whole amount.
    #[serde(with = "float")]
    pub total: f64,
    /// The part for input, if known.
    #[serde(with = "optional_float", default, skip_serializing_if = "Option::is_none")]
    pub input: Option<f64>,
    /// The part for output, if known.
    #[serde(with = "optional_float", default, skip_serializing_if = "Option::is_none")]
    pub output: Option<f64>,
    /// ISO 4217 code; `USD` unless stated.
    #[serde(default = "usd")]
    pub currency: Str,
    /// Whether a price or a count was missing, so that the amount is not exact: what had no price of its own counts at
    /// the nearest one, or not at all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// Whether it was worked out from a list of prices; else the provider or the application said it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
}

fn usd() -> Str {
    Str::from_static("USD")
}

impl Cost {
    /// A known amount in US dollars.
    pub fn usd(total: f64) -> Self {
        Self { total, input: None, output: None, currency: usd(), partial: false, estimated: false }
    }

    /// Adds an amount to the sum of its currency.
    ///
    /// A part that one of them does not know is not known of the sum; one that is partial or estimated makes the sum so.
    pub fn add_to(&self, sums: &mut Vec<Self>) {
        let Some(sum) = sums.iter_mut().find(|sum| sum.currency == self.currency) else {
            return sums.push(self.clone());
        };
        let both = |a: Option<f64>, b: Option<f64>| Some(a? + b?);
        sum.total += self.total;
        sum.input = both(sum.input, self.input);
        sum.output = both(sum.output, self.output);
        sum.partial |= self.partial;
        sum.estimated |= self.estimated;
    }
}

/// The managed prompt that a generation was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptLink {
    /// Its name in the prompt registry.
    pub name: Str,
    /// Its version, as the registry prints it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Str>,
}
