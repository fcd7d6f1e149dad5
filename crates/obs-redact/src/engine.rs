//! The rules of one configuration, compiled, and the order in which they are tried.

use crate::assign;
use crate::config::{ConfigError, RedactConfig};
use crate::edit::{Edit, apply};
use crate::fit::{Limits, SMALLEST};
use crate::marks::{Marks, Written};
use crate::names::Names;
use crate::rules::names::{IO, NOT_IO};
use crate::style::Style;
use crate::values::Values;
use crate::walk::walk;

/// What replaces text whose redaction failed.
pub(crate) const TEXT_MARKER: &str = "[REDACTION_FAILED]";

/// What stands in place of what is not passed on.
pub(crate) const OMITTED: &str = "[OMITTED]";

/// Shorter texts hold no secret that could be told from a word.
const SHORTEST_SECRET: usize = 6;

#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) names: Names,
    pub(crate) values: Values,
    /// Names of what is not passed on, if there are any.
    pub(crate) omitted: Option<Names>,
    /// Whether what was read and written is not passed on either.
    pub(crate) without_io: bool,
    pub(crate) marks: Marks,
    /// How much is passed on, if not all.
    pub(crate) limits: Option<Limits>,
    pub(crate) max_depth: usize,
    pub(crate) max_bytes: usize,
    max_nesting: usize,
}

impl Engine {
    pub(crate) fn new(config: &RedactConfig) -> Result<Self, ConfigError> {
        let lists = [
            ("names", &config.names),
            ("allowed_names", &config.allowed_names),
            ("exclude_fields", &config.exclude_fields),
        ];
        for (list, names) in lists {
            if let Some(name) = names.iter().find(|name| !name.contains(char::is_alphanumeric)) {
                return Err(ConfigError::name(list, name));
            }
        }
        let engine = Self {
            names: Names::new(&config.names, &config.allowed_names),
            values: Values::new(&config.patterns, &config.pii)?,
            omitted: (!config.exclude_fields.is_empty()).then(|| Names::only(&config.exclude_fields)),
            without_io: !config.include_io,
            marks: Marks::new(&config.token, config.style, config.key.as_ref())
                .ok_or_else(ConfigError::key)?,
            limits: limits(config)?,
            max_depth: config.max_depth,
            max_bytes: config.max_bytes.unwrap_or(usize::MAX),
            max_nesting: config.max_nesting,
        };
        engine.check_token()?;
        if config.style != Style::Full && !engine.marks.plain.closes() {
            return Err(ConfigError::token("does not end in a sign, as styles other than `full` need it"));
        }
        Ok(engine)
    }

    /// A token that a rule matches would be replaced again and again by what reads the output.
    fn check_token(&self) -> Result<(), ConfigError> {
        let token = &self.marks.plain.token;
        if token.trim().is_empty() {
            return Err(ConfigError::token("is empty"));
        }
        let mut edits = Vec::new();
        self.scan(token, &Written::none(), true, &mut edits);
        if edits.is_empty() {
            Ok(())
        } else {
            Err(ConfigError::token("looks like a secret to the rules themselves"))
        }
    }

    /// The text redacted, or `None` if nothing in it is a secret.
    ///
    /// `nesting` says in how many JSON strings the text stands, `possible` whether it can hold a secret by value.
    pub(crate) fn text(&self, text: &str, nesting: usize, possible: bool) -> Option<String> {
        if nesting <= self.max_nesting
            && looks_like_json(text)
            && let Ok(edits) = walk(self, text, nesting, possible, true)
        {
            return self.finish(text, edits, true);
        }
        let mut edits = Vec::new();
        self.scan(text, &self.marks.plain, possible, &mut edits);
        self.finish(text, edits, false)
    }

    fn finish(&self, text: &str, edits: Vec<Edit>, json: bool) -> Option<String> {
        if edits.is_empty() {
            return None;
        }
        Some(apply(text, edits, &self.marks, json).unwrap_or_else(|| TEXT_MARKER.into()))
    }

    /// Whether what stands under this name is not passed on.
    pub(crate) fn omits(&self, name: &str) -> bool {
        self.excludes(name) || (self.without_io && is_io(name))
    }

    /// Whether this name is one of the fields that are excluded.
    pub(crate) fn excludes(&self, name: &str) -> bool {
        self.omitted.as_ref().is_some_and(|names| names.is_sensitive(name))
    }

    /// Adds the edits for a text that is not parsed.
    pub(crate) fn scan(&self, text: &str, marks: &Written, possible: bool, edits: &mut Vec<Edit>) {
        if text.len() < SHORTEST_SECRET && self.values.all_built_in() {
            return;
        }
        if possible {
            self.values.scan(text, marks, edits);
        }
        let rules = assign::Rules { names: &self.names, omitted: self.omitted.as_ref(), marks };
        assign::scan(rules, text, edits);
    }
}

fn limits(config: &RedactConfig) -> Result<Option<Limits>, ConfigError> {
    for (limit, bytes) in [("max_string", config.max_string), ("max_payload", config.max_payload)] {
        if let Some(bytes) = bytes.filter(|bytes| *bytes < SMALLEST) {
            return Err(ConfigError::limit(limit, bytes));
        }
    }
    let limits = [config.max_string, config.max_items, config.max_keys, config.max_payload];
    let [string, items, keys, payload] = limits.map(|limit| limit.unwrap_or(usize::MAX));
    Ok(limits.iter().any(Option::is_some).then_some(Limits { string, items, keys, payload }))
}

/// Names of attributes come with those of what they belong to in front.
fn is_io(name: &str) -> bool {
    let begins = || std::iter::once(0).chain(memchr::memchr_iter(b'.', name.as_bytes()).map(|at| at + 1));
    let stands =
        |list: &[&str]| {
            list.iter().any(|io| {
                if io.contains('.') { begins().any(|at| fits(io, &name[at..])) } else { name == *io }
            })
        };
    stands(IO) && !stands(NOT_IO)
}

/// Whether a name is the pattern's, part by part.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = name.split('.');
    let mut wanted = pattern.split('.').peekable();
    while let Some(want) = wanted.next() {
        match (want, parts.next()) {
            (_, None) => return false,
            ("*", Some(part)) if wanted.peek().is_none() => return !part.is_empty(),
            ("*", Some(_)) => {}
            (want, Some(part)) if want != part => return false,
            _ => {}
        }
    }
    parts.next().is_none()
}

pub(crate) fn looks_like_json(text: &str) -> bool {
    let first = text.bytes().find(|b| !b.is_ascii_whitespace());
    matches!(first, Some(b'{' | b'[' | b'"'))
}
