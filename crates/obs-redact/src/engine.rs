//! The rules of one configuration, compiled, and the order in which they are tried.

use crate::assign;
use crate::config::{ConfigError, RedactConfig};
use crate::edit::{Edit, apply};
use crate::literal::escape;
use crate::names::Names;
use crate::values::Values;
use crate::walk::walk;

/// What replaces text whose redaction failed.
pub(crate) const TEXT_MARKER: &str = "[REDACTION_FAILED]";

/// Shorter texts hold no secret that could be told from a word.
const SHORTEST_SECRET: usize = 6;

#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) names: Names,
    pub(crate) values: Values,
    pub(crate) token: String,
    /// The token as it stands between the quotes of a JSON string.
    pub(crate) json_token: String,
    pub(crate) max_depth: usize,
    pub(crate) max_bytes: usize,
    max_nesting: usize,
}

impl Engine {
    pub(crate) fn new(config: &RedactConfig) -> Result<Self, ConfigError> {
        for (list, names) in [("names", &config.names), ("allowed_names", &config.allowed_names)] {
            if let Some(name) = names.iter().find(|name| !name.contains(char::is_alphanumeric)) {
                return Err(ConfigError::name(list, name));
            }
        }
        let engine = Self {
            names: Names::new(&config.names, &config.allowed_names),
            values: Values::new(&config.patterns)?,
            token: config.token.clone(),
            json_token: escape(&config.token),
            max_depth: config.max_depth,
            max_bytes: config.max_bytes.unwrap_or(usize::MAX),
            max_nesting: config.max_nesting,
        };
        engine.check_token()?;
        Ok(engine)
    }

    /// A token that a rule matches would be replaced again and again by what reads the output.
    fn check_token(&self) -> Result<(), ConfigError> {
        if self.token.trim().is_empty() {
            return Err(ConfigError::token("is empty"));
        }
        let mut edits = Vec::new();
        self.scan(&self.token, "\0", true, &mut edits);
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
            return finish(text, edits, &self.json_token);
        }
        let mut edits = Vec::new();
        self.scan(text, &self.token, possible, &mut edits);
        finish(text, edits, &self.token)
    }

    /// Adds the edits for a text that is not parsed.
    pub(crate) fn scan(&self, text: &str, token: &str, possible: bool, edits: &mut Vec<Edit>) {
        if text.len() < SHORTEST_SECRET && self.values.all_built_in() {
            return;
        }
        if possible {
            self.values.scan(text, token, edits);
        }
        assign::scan(&self.names, text, token, edits);
    }
}

fn finish(text: &str, edits: Vec<Edit>, token: &str) -> Option<String> {
    if edits.is_empty() {
        return None;
    }
    Some(apply(text, edits, token).unwrap_or_else(|| TEXT_MARKER.into()))
}

fn looks_like_json(text: &str) -> bool {
    let first = text.bytes().find(|b| !b.is_ascii_whitespace());
    matches!(first, Some(b'{' | b'[' | b'"'))
}
