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

use obs_core::{InputTokens, OutputTokens, Str, Usage, Value};

use super::buckets::{self, Buckets};
use super::draft::Pair;
use super::pairs::once;
use super::value::whole;
use crate::conventions::Field;

/// Instrumentations that report `gen_ai.usage.input_tokens` without cached input.
///
/// OpenLLMetry's Bedrock package passes Converse's `inputTokens` on as it is, total included.
const APART_SCOPES: [&str; 1] = ["opentelemetry.instrumentation.bedrock"];

/// Providers whose API counts cached input apart.
const APART_PROVIDERS: [&str; 4] = ["anthropic", "aws.bedrock", "aws_bedrock", "bedrock"];

/// The ends of attribute names that are field names of Anthropic's or Bedrock's API.
const API_NAMES: [&str; 3] =
    ["cache_read_input_tokens", "cache_creation_input_tokens", "cache_write_input_tokens"];

const FIELDS: [Field; 11] = [
    Field::InputTokens,
    Field::OutputTokens,
    Field::CacheReadTokens,
    Field::CacheWriteTokens,
    Field::CacheWrite5mTokens,
    Field::CacheWrite1hTokens,
    Field::InputAudioTokens,
    Field::InputImageTokens,
    Field::ReasoningTokens,
    Field::OutputAudioTokens,
    Field::OutputImageTokens,
];

/// The counts of one span, as they were reported.
#[derive(Debug, Default)]
pub(super) struct Counts {
    reported: [Option<u64>; FIELDS.len()],
    api_names: bool,
    totals: Vec<Pair>,
    buckets: Option<Pair>,
}

impl Counts {
    /// Takes a count; gives the value back if it is none or another was reported already.
    pub(super) fn set(&mut self, order: usize, key: &Str, field: Field, value: Value) -> Option<Value> {
        if field == Field::TotalTokens {
            self.totals.push((order, key.clone(), value));
            return None;
        }
        if field == Field::UsageDetails {
            if self.buckets.is_some() {
                return Some(value);
            }
            self.buckets = Some((order, key.clone(), value));
            return None;
        }
        let Some(at) = FIELDS.iter().position(|known| *known == field) else { return Some(value) };
        let count = whole(&value);
        self.api_names |= count.is_some() && API_NAMES.iter().any(|name| key.ends_with(name));
        once(&mut self.reported[at], count, value)
    }

    /// The usage, and what was stated of it that it does not say: totals that are not its sum, and other buckets.
    pub(super) fn finish(mut self, scope: &str, provider: Option<&Str>) -> (Usage, Vec<Pair>) {
        let buckets = self.buckets.take();
        let of_buckets = buckets.as_ref().and_then(|(_, _, value)| buckets::read(value));
        let (usage, mut left) = match of_buckets {
            Some(Buckets { usage, .. }) if self.reported.iter().all(Option::is_none) => {
                (usage, self.totals_beside(&usage))
            }
            _ => self.sum(scope, provider),
        };
        left.extend(buckets.filter(|_| of_buckets.is_none_or(|read| !read.is_whole || read.usage != usage)));
        (usage, left)
    }

    fn totals_beside(self, usage: &Usage) -> Vec<Pair> {
        let differs = |(_, _, value): &Pair| usage.total().is_none() || whole(value) != usage.total();
        self.totals.into_iter().filter(differs).collect()
    }

    fn sum(self, scope: &str, provider: Option<&Str>) -> (Usage, Vec<Pair>) {
        let details = self.input_details();
        let cached = details.cache_read.saturating_add(details.cache_writes());
        let apart = self.apart(cached, scope, provider);
        let input = self.get(Field::InputTokens);
        let usage = Usage {
            input: input.map(|input| if apart { input.saturating_add(cached) } else { input }),
            output: self.get(Field::OutputTokens),
            input_details: details,
            output_details: OutputTokens {
                reasoning: self.count(Field::ReasoningTokens),
                audio: self.count(Field::OutputAudioTokens),
                image: self.count(Field::OutputImageTokens),
            },
        };
        let left = self.totals_beside(&usage);
        (usage, left)
    }

    fn input_details(&self) -> InputTokens {
        let (write_5m, write_1h) =
            (self.count(Field::CacheWrite5mTokens), self.count(Field::CacheWrite1hTokens));
        InputTokens {
            cache_read: self.count(Field::CacheReadTokens),
            cache_write: self
                .count(Field::CacheWriteTokens)
                .saturating_sub(write_5m)
                .saturating_sub(write_1h),
            cache_write_5m: write_5m,
            cache_write_1h: write_1h,
            audio: self.count(Field::InputAudioTokens),
            image: self.count(Field::InputImageTokens),
        }
    }

    /// Whether cached input comes on top of the reported input.
    fn apart(&self, cached: u64, scope: &str, provider: Option<&Str>) -> bool {
        let (input, output) = (self.count(Field::InputTokens), self.count(Field::OutputTokens));
        if cached == 0 {
            return false;
        }
        if APART_SCOPES.contains(&scope) || cached > input {
            return true;
        }
        let sum = input.saturating_add(output);
        match self.totals.iter().find_map(|(_, _, value)| whole(value)) {
            Some(total) if total == sum => false,
            Some(total) if total == sum.saturating_add(cached) => true,
            _ => self.api_names && provider.is_some_and(|name| APART_PROVIDERS.contains(&name.as_str())),
        }
    }

    fn get(&self, field: Field) -> Option<u64> {
        FIELDS.iter().position(|known| *known == field).and_then(|at| self.reported[at])
    }

    fn count(&self, field: Field) -> u64 {
        self.get(field).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Reported<'a> = &'a [(&'a str, u64)];

    fn usage(scope: &str, provider: &'static str, reported: Reported<'_>) -> (Usage, usize) {
        let mut counts = Counts::default();
        for (name, count) in reported {
            let name = format!("gen_ai.usage.{name}");
            let field = crate::conventions::lookup(&name).unwrap().field;
            assert_eq!(counts.set(0, &name.clone().into(), field, Value::from(*count)), None);
        }
        let (usage, totals) = counts.finish(scope, Some(&Str::from_static(provider)));
        (usage, totals.len())
    }

    #[test]
    fn cached_input_is_counted_once_whatever_the_accounting() {
        let (read, created) = ("cache_read.input_tokens", "cache_creation.input_tokens");
        let (api_read, api_created) = ("cache_read_input_tokens", "cache_creation_input_tokens");
        let cases: &[(&str, &str, &'static str, Reported<'_>, u64)] = &[
            ("the conventions", "", "openai", &[("input_tokens", 1200), (read, 1024)], 1200),
            (
                "the conventions, Anthropic",
                "",
                "anthropic",
                &[("input_tokens", 500), (read, 300), (created, 100)],
                500,
            ),
            ("more cached than input", "", "anthropic", &[("input_tokens", 4), (created, 1163)], 1167),
            (
                "API names",
                "",
                "anthropic",
                &[("input_tokens", 900), (api_read, 300), (api_created, 50)],
                1250,
            ),
            ("API names of another provider", "", "openai", &[("input_tokens", 900), (api_read, 300)], 900),
            (
                "API names, inclusive total",
                "",
                "anthropic",
                &[("input_tokens", 900), (api_read, 300), ("output_tokens", 9), ("total_tokens", 909)],
                900,
            ),
            (
                "API names, total on top",
                "",
                "openai",
                &[("input_tokens", 900), (api_read, 300), ("output_tokens", 9), ("total_tokens", 1209)],
                1200,
            ),
            (
                "Bedrock's package",
                "opentelemetry.instrumentation.bedrock",
                "aws.bedrock",
                &[("input_tokens", 900), (read, 300), ("output_tokens", 9), ("total_tokens", 909)],
                1200,
            ),
            (
                "OpenLLMetry's Anthropic package",
                "opentelemetry.instrumentation.anthropic",
                "anthropic",
                &[("input_tokens", 1167), (created, 1163), ("output_tokens", 187), ("total_tokens", 1354)],
                1167,
            ),
        ];
        for (name, scope, provider, reported, input) in cases {
            let (usage, _) = usage(scope, provider, reported);
            assert_eq!(usage.input, Some(*input), "{name}");
            assert!(usage.input_details.sum() <= *input, "{name}");
        }
    }

    #[test]
    fn lifetimes_are_parts_of_what_was_written() {
        let reported: Reported<'_> = &[
            ("input_tokens", 500),
            ("cache_creation.input_tokens", 120),
            ("cache_creation.5m_input_tokens", 100),
            ("cache_creation.1h_input_tokens", 15),
        ];
        let details = usage("", "anthropic", reported).0.input_details;
        assert_eq!((details.cache_write, details.cache_write_5m, details.cache_write_1h), (5, 100, 15));
    }

    #[test]
    fn a_total_is_kept_only_if_it_says_something_else() {
        assert_eq!(usage("", "", &[("input_tokens", 3), ("output_tokens", 4), ("total_tokens", 7)]).1, 0);
        assert_eq!(usage("", "", &[("input_tokens", 3), ("output_tokens", 4), ("total_tokens", 9)]).1, 1);
        assert_eq!(usage("", "", &[("total_tokens", 9)]).1, 1);
    }
}
