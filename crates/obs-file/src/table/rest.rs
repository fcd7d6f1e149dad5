//! What no other column says in full, under the names of canonical JSON.

use obs_core::{Str, Timestamp};
use serde::Serialize;

use super::{Json, json};

/// What a row needs beside its columns; a default one is an empty cell.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Rest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<u64>,
    #[serde(skip_serializing_if = "Context::is_empty")]
    context: Context<'a>,
}

/// What the context of a score or feedback says otherwise than the record.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Context<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'a Str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a Str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    experiment_id: Option<&'a Str>,
}

impl Context<'_> {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The time, where its column, which has at most the greatest integer, does not say it in full.
fn beyond(time: Timestamp) -> Option<u64> {
    Some(time.as_nanos()).filter(|nanos| i64::try_from(*nanos).is_err())
}

/// What the context says, where the column has another.
fn otherwise<'a>(says: Option<&'a Str>, column: Option<&Str>) -> Option<&'a Str> {
    says.filter(|says| column != Some(says))
}

impl<'a> Rest<'a> {
    pub(super) fn time(mut self, time: Timestamp) -> Self {
        self.time = beyond(time);
        self
    }

    pub(super) fn start(mut self, start: Option<Timestamp>) -> Self {
        self.start = start.and_then(beyond);
        self
    }

    pub(super) fn end(mut self, end: Option<Timestamp>) -> Self {
        self.end = end.and_then(beyond);
        self
    }

    pub(super) fn session(mut self, says: Option<&'a Str>, column: Option<&Str>) -> Self {
        self.context.session_id = otherwise(says, column);
        self
    }

    pub(super) fn user(mut self, says: Option<&'a Str>, column: Option<&Str>) -> Self {
        self.context.user_id = otherwise(says, column);
        self
    }

    pub(super) fn experiment(mut self, says: Option<&'a Str>, column: Option<&Str>) -> Self {
        self.context.experiment_id = otherwise(says, column);
        self
    }

    /// The cell.
    pub(super) fn cell(&self) -> Json {
        if *self == Self::default() { Ok(None) } else { json(self) }
    }
}

/// What the column says of itself.
pub(super) const DOC: &str =
    "What no other column says in full, under the names of canonical JSON; mostly empty.";
