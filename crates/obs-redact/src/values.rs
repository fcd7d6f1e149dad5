//! Finds secrets by the format of their value.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind, Input, Match, MatchKind};
use regex::Regex;

use crate::config::ConfigError;
use crate::edit::Edit;
use crate::marks::Written;
use crate::pii::{Kind, Pii};
use crate::rules::values::{Proof, VALUE_RULES, ValueRule};

/// A rule whose expression is compiled.
#[derive(Debug)]
struct Format {
    rule: &'static ValueRule,
    regex: Regex,
}

/// The built-in formats, compiled once for the process, whatever a configuration adds.
static BUILT_IN: LazyLock<Result<Arc<Formats>, ConfigError>> = LazyLock::new(|| Formats::new().map(Arc::new));

/// All built-in formats behind one automaton over their anchors.
///
/// The automaton passes over the text once, at one table look-up a byte whatever the number of rules; an expression runs
/// only where one of its anchors stands, and only from there.
#[derive(Debug)]
struct Formats {
    anchors: AhoCorasick,
    /// Which formats can begin where an anchor was found.
    of_anchor: Vec<Vec<usize>>,
    all: Vec<Format>,
}

/// The built-in formats and a user's.
#[derive(Debug)]
pub(crate) struct Values {
    built_in: Arc<Formats>,
    extra: Vec<Regex>,
    personal: Vec<Kind>,
}

impl Formats {
    fn new() -> Result<Self, ConfigError> {
        let all = VALUE_RULES.iter().map(Format::compile).collect::<Result<Vec<_>, _>>()?;
        let mut words: Vec<&str> = VALUE_RULES.iter().flat_map(|rule| rule.anchors).copied().collect();
        words.sort_unstable();
        words.dedup();
        let begins =
            |rule: &ValueRule, word: &str| rule.anchors.iter().any(|anchor| word.starts_with(anchor));
        let of_anchor = words
            .iter()
            .map(|word| (0..VALUE_RULES.len()).filter(|at| begins(&VALUE_RULES[*at], word)).collect())
            .collect();
        let anchors = AhoCorasickBuilder::new()
            .kind(Some(AhoCorasickKind::DFA))
            .match_kind(MatchKind::LeftmostLongest)
            .ascii_case_insensitive(true)
            .build(&words)
            .map_err(|error| ConfigError::built_in("anchors", &error))?;
        Ok(Self { anchors, of_anchor, all })
    }

    /// What really begins at the anchor, if anything does.
    fn verify(&self, text: &str, anchor: &Match, barren: &mut Barren) -> Option<Found> {
        let formats = self.of_anchor.get(anchor.pattern().as_usize())?;
        formats.iter().find_map(|format| {
            if anchor.start() < barren.until(*format) {
                return None;
            }
            let found = self.all[*format].find(text, anchor.start())?;
            if !found.proven {
                barren.note(*format, found.end);
            }
            found.proven.then_some(found)
        })
    }
}

impl Values {
    pub(crate) fn new(extra: &BTreeMap<String, String>, personal: &[Pii]) -> Result<Self, ConfigError> {
        let built_in = BUILT_IN.clone()?;
        let extra =
            extra.iter().map(|(name, pattern)| user_pattern(name, pattern)).collect::<Result<_, _>>()?;
        let personal = personal
            .iter()
            .map(|pii| Kind::new(*pii).map_err(|error| ConfigError::built_in(&format!("{pii:?}"), &error)));
        let personal = personal.collect::<Result<_, _>>()?;
        Ok(Self { built_in, extra, personal })
    }

    /// Whether any text inside of this one could hold a secret by value. A text for which this is false needs no `scan`,
    /// nor do its parts.
    pub(crate) fn possible_in(&self, text: &str) -> bool {
        !self.all_built_in() || self.built_in.anchors.is_match(text)
    }

    /// Whether the user added no format, which could be shorter than any of ours.
    pub(crate) fn all_built_in(&self) -> bool {
        self.extra.is_empty() && self.personal.is_empty()
    }

    /// Whether any personal data is looked for.
    pub(crate) fn asks_for_personal(&self) -> bool {
        !self.personal.is_empty()
    }

    /// Whether a number is personal data.
    pub(crate) fn is_personal(&self, number: &str) -> bool {
        number.len() > 9 && self.personal.iter().any(|kind| kind.is_number(number))
    }

    /// Adds an edit for every secret in the text. What is a mark already is left.
    pub(crate) fn scan(&self, text: &str, marks: &Written, edits: &mut Vec<Edit>) {
        let mut at = 0;
        let mut barren = Barren::default();
        while let Some(anchor) = self.built_in.anchors.find(Input::new(text).range(at..)) {
            at = match self.built_in.verify(text, &anchor, &mut barren) {
                Some(found) => {
                    // What only begins like a mark is none.
                    let marked = marks.at(&text[found.secret.start..]);
                    if marked.is_none_or(|length| length < found.secret.len()) {
                        edits.push(Edit::token(found.secret.start, found.secret.end));
                    }
                    found.end.max(anchor.end())
                }
                None => anchor.start() + 1,
            };
        }
        for found in self.extra.iter().flat_map(|regex| regex.find_iter(text)) {
            if !marks.is(found.as_str()) {
                edits.push(Edit::token(found.start(), found.end()));
            }
        }
        for kind in &self.personal {
            let mut at = 0;
            while let Some((start, end)) = kind.next(text, at) {
                edits.push(Edit::token(start, end));
                at = end;
            }
        }
    }
}

/// What an expression matched.
#[derive(Debug)]
struct Found {
    secret: Range<usize>,
    end: usize,
    proven: bool,
}

/// Up to where a format is known to find nothing: a run of characters that does not prove a secret does not from its
/// middle either. Without this, text like `sk-sk-sk-` would take quadratic time.
#[derive(Debug, Default)]
struct Barren(Vec<(usize, usize)>);

impl Barren {
    fn until(&self, format: usize) -> usize {
        self.0.iter().find(|(known, _)| *known == format).map_or(0, |(_, until)| *until)
    }

    fn note(&mut self, format: usize, until: usize) {
        match self.0.iter_mut().find(|(known, _)| *known == format) {
            Some(entry) => entry.1 = until,
            None => self.0.push((format, until)),
        }
    }
}

impl Format {
    fn compile(rule: &'static ValueRule) -> Result<Self, ConfigError> {
        let regex = Regex::new(&format!("^(?:{})", rule.regex));
        Ok(Self { rule, regex: regex.map_err(|error| ConfigError::built_in(rule.name, &error))? })
    }

    fn find(&self, text: &str, anchor: usize) -> Option<Found> {
        let start = anchor.checked_sub(self.rule.lead)?;
        if self.rule.boundary && continues_word(text.as_bytes(), start) {
            return None;
        }
        let groups = self.regex.captures(text.get(start..)?)?;
        let whole = groups.get(0)?;
        let secret = groups.get(1).unwrap_or(whole);
        let proven = match self.rule.proof {
            Proof::Shape => true,
            Proof::Mixed => is_mixed(secret.as_str()),
            Proof::Parts => secret.as_str().contains('.'),
            Proof::Credential => is_credential(whole.as_str().starts_with('B'), secret.as_str()),
        };
        let secret = start + secret.start()..start + secret.end();
        Some(Found { secret, end: start + whole.end(), proven })
    }
}

fn user_pattern(name: &str, pattern: &str) -> Result<Regex, ConfigError> {
    let regex = Regex::new(pattern).map_err(|error| ConfigError::pattern(name, &error.to_string()))?;
    if regex.is_match("") {
        return Err(ConfigError::pattern(name, "it matches the empty text, so it would match everywhere"));
    }
    Ok(regex)
}

/// Whether the byte before belongs to the same word. What follows `\n` and the like in text that is escaped once more is
/// a new word.
fn continues_word(bytes: &[u8], start: usize) -> bool {
    let Some(before) = start.checked_sub(1) else { return false };
    let escape = before.checked_sub(1).is_some_and(|slash| bytes[slash] == b'\\')
        && matches!(bytes[before], b'n' | b'r' | b't' | b'b' | b'f');
    (bytes[before].is_ascii_alphanumeric() || bytes[before] == b'_') && !escape
}

/// Letters and digits together: words are not, and random text of some length is.
pub(crate) fn is_mixed(value: &str) -> bool {
    value.bytes().any(|b| b.is_ascii_digit()) && value.bytes().any(|b| b.is_ascii_alphabetic())
}

/// What may follow `Bearer` in prose and in documentation of the scheme.
const BEARER_PROSE: &[&str] = &[
    "a",
    "access",
    "and",
    "as",
    "at",
    "auth",
    "authentication",
    "authorization",
    "bond",
    "bonds",
    "by",
    "credential",
    "credentials",
    "error",
    "for",
    "format",
    "from",
    "had",
    "has",
    "header",
    "headers",
    "if",
    "in",
    "instead",
    "is",
    "keyword",
    "method",
    "must",
    "of",
    "on",
    "only",
    "or",
    "prefix",
    "realm",
    "scheme",
    "schemes",
    "scope",
    "securities",
    "security",
    "share",
    "shares",
    "should",
    "string",
    "that",
    "the",
    "to",
    "token",
    "tokens",
    "type",
    "value",
    "when",
    "which",
    "who",
    "will",
    "with",
    "without",
];

fn is_credential(capital: bool, value: &str) -> bool {
    let word = value.trim_end_matches(['.', '=', '-', '/']).to_ascii_lowercase();
    if !capital {
        return is_mixed(&word) && word.len() >= 6;
    }
    !word.is_empty() && !word.split(['-', '/']).all(|part| BEARER_PROSE.contains(&part))
}
