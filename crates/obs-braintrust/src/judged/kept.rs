//! What is kept of a value where the score does not say it.

use std::borrow::Cow;

use obs_core::{Range, ScoreValue};
use serde::{Serialize, Serializer};

use super::Verdict;
use crate::wire::Named;

/// A number as the canonical JSON has it: the others than the finite ones by their names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number(pub(crate) f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        obs_core::Value::F64(self.0).serialize(serializer)
    }
}

/// What is kept of a value in the metadata, where the score does not say it.
#[derive(Serialize)]
pub(crate) struct Kept<'a> {
    /// The number in its own measure, where the score is another number or none.
    #[serde(skip_serializing_if = "Named::is_empty")]
    raw_scores: Named<'a, Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<Range>,
    /// A word that Braintrust has only in a comment.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
}

impl<'a> Kept<'a> {
    pub(crate) fn of(name: Cow<'a, str>, value: &'a ScoreValue) -> Self {
        let (raw, range, word) = match value {
            ScoreValue::Numeric { value, range } => (Some(*value), *range, None),
            ScoreValue::Categorical(word) => (None, None, Some(word.as_str())),
            ScoreValue::Boolean(_) | ScoreValue::Text(_) => (None, None, None),
        };
        let raw = raw.filter(|raw| Verdict::of(value) != Verdict::Score(*raw));
        Self {
            raw_scores: raw.map(|raw| Named::one(name, Number(raw))).unwrap_or_default(),
            range,
            value: word,
        }
    }
}
