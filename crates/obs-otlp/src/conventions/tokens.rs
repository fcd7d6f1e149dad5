//! Token counts, none of them twice.
//!
//! `obs_core::Usage` has inclusive totals, as OpenTelemetry's conventions and OpenAI have them.
//! Anthropic's API counts cached input apart, and some instrumentations pass that on.
//! Which of the two a span means is decided in this order:
//!
//! 1. An instrumentation known to count cached input apart is taken at that ([`APART_SCOPES`]).
//! 2. More cached input than input means apart: a part is never more than the whole.
//! 3. A stated total tells: input and output alone mean inclusive, cached input on top of them means apart.
//! 4. A provider that counts apart, under its own API's field names ([`API_NAMES`]), means apart.
//! 5. Everything else is inclusive, as the conventions demand.

use obs_core::{InputTokens, Usage};

/// Instrumentations that report `gen_ai.usage.input_tokens` without cached input.
///
/// OpenLLMetry's Bedrock package passes Converse's `inputTokens` on as it is, total included.
pub const APART_SCOPES: [&str; 1] = ["opentelemetry.instrumentation.bedrock"];

/// Providers whose API counts cached input apart.
const APART_PROVIDERS: [&str; 4] = ["anthropic", "aws.bedrock", "aws_bedrock", "bedrock"];

/// The ends of attribute names that are field names of Anthropic's or Bedrock's API.
pub const API_NAMES: [&str; 3] =
    ["cache_read_input_tokens", "cache_creation_input_tokens", "cache_write_input_tokens"];

/// Whether a count stands under a field name of Anthropic's or Bedrock's API.
pub fn is_api_name(name: &str) -> bool {
    API_NAMES.iter().any(|end| name.ends_with(end))
}

/// What is known of counts beside the counts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Told<'a> {
    /// A total that was stated, input and output together.
    pub total: Option<u64>,
    /// Whether a count came under a name that [`is_api_name`] knows.
    pub api_names: bool,
    /// The instrumentation; empty if unknown.
    pub scope: &'a str,
    /// The provider.
    pub provider: Option<&'a str>,
}

/// The usage that counts mean, each in its field as it was reported: cache writes of a lifetime are still part of
/// `cache_write`, and `input` may lack what was cached.
///
/// ```
/// use obs_core::Usage;
/// use obs_otlp::conventions::tokens::{Told, settled};
///
/// let mut reported = Usage::new(900, 9);
/// reported.input_details.cache_read = 300;
/// assert_eq!(settled(reported, Told::default()).input, Some(900));
/// let apart = Told { total: Some(1_209), ..Told::default() };
/// assert_eq!(settled(reported, apart).input, Some(1_200));
/// ```
pub fn settled(reported: Usage, told: Told<'_>) -> Usage {
    let details = InputTokens {
        cache_write: reported
            .input_details
            .cache_write
            .saturating_sub(reported.input_details.cache_write_5m)
            .saturating_sub(reported.input_details.cache_write_1h),
        ..reported.input_details
    };
    let cached = details.cache_read.saturating_add(details.cache_writes());
    let apart = is_apart(&reported, cached, told);
    let input = reported.input.map(|input| if apart { input.saturating_add(cached) } else { input });
    Usage { input, input_details: details, ..reported }
}

/// Whether cached input comes on top of the reported input.
fn is_apart(reported: &Usage, cached: u64, told: Told<'_>) -> bool {
    let (input, output) = (reported.input.unwrap_or(0), reported.output.unwrap_or(0));
    if cached == 0 {
        return false;
    }
    if APART_SCOPES.contains(&told.scope) || cached > input {
        return true;
    }
    let sum = input.saturating_add(output);
    match told.total {
        Some(total) if total == sum => false,
        Some(total) if total == sum.saturating_add(cached) => true,
        _ => told.api_names && told.provider.is_some_and(|name| APART_PROVIDERS.contains(&name)),
    }
}
