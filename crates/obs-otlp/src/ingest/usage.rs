//! Token counts, none of them twice.
//!
//! What the counts mean is settled by [`tokens`]; here they are gathered.

use obs_core::{InputTokens, OutputTokens, Str, Usage, Value};

use super::buckets::{self, Buckets};
use super::draft::Pair;
use super::pairs::once;
use super::value::whole;
use crate::conventions::Field;
use crate::conventions::tokens::{self, Told};

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
        self.api_names |= count.is_some() && tokens::is_api_name(key);
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
        let reported = Usage {
            input: self.get(Field::InputTokens),
            output: self.get(Field::OutputTokens),
            input_details: self.input_details(),
            output_details: OutputTokens {
                reasoning: self.count(Field::ReasoningTokens),
                audio: self.count(Field::OutputAudioTokens),
                image: self.count(Field::OutputImageTokens),
            },
        };
        let total = self.totals.iter().find_map(|(_, _, value)| whole(value));
        let provider = provider.map(Str::as_str);
        let usage = tokens::settled(reported, Told { total, api_names: self.api_names, scope, provider });
        let left = self.totals_beside(&usage);
        (usage, left)
    }

    fn input_details(&self) -> InputTokens {
        InputTokens {
            cache_read: self.count(Field::CacheReadTokens),
            cache_write: self.count(Field::CacheWriteTokens),
            cache_write_5m: self.count(Field::CacheWrite5mTokens),
            cache_write_1h: self.count(Field::CacheWrite1hTokens),
            audio: self.count(Field::InputAudioTokens),
            image: self.count(Field::InputImageTokens),
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
