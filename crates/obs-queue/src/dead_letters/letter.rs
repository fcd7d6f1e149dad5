//! One dead letter, and which ones are meant.

use obs_core::{LineError, Record, Signal, Timestamp};
use rusqlite::types::Value;
use serde::{Serialize, Serializer};

use crate::transaction::number;

/// A record that a destination rejected, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DeadLetter {
    /// Its number; never given twice in one file.
    pub id: u64,
    /// The name of the destination that rejected it.
    pub destination: String,
    /// The signal; none where the backend did not say which records it was.
    pub signal: Option<Signal>,
    /// What kind of trouble, by the name of the [`obs_core::ErrorKind`].
    pub kind: String,
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
    /// Why, in words; at most 2,000 bytes.
    pub reason: String,
    /// How often it was tried, replays included.
    pub attempts: u32,
    /// When it was put here.
    pub first_seen: Timestamp,
    /// When it was last tried.
    pub last_try: Timestamp,
    /// How many records it stands for: 1, or more where the backend said how many and not which.
    pub count: u64,
    /// How many bytes the record takes.
    pub bytes: u64,
    /// The record as a line of canonical JSON; none in lists, and none where the backend did not say which it was.
    #[serde(skip)]
    pub line: Option<String>,
}

impl DeadLetter {
    /// The record, where the letter has one.
    ///
    /// # Errors
    /// Where the line cannot be read by this version.
    pub fn record(&self) -> Result<Option<Record>, LineError> {
        self.line.as_deref().map(Record::from_line).transpose()
    }
}

/// Which dead letters are meant: those to which all that is set applies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeadLetterFilter {
    /// The number.
    pub id: Option<u64>,
    /// The name of the destination.
    pub destination: Option<String>,
    /// The signal.
    pub signal: Option<Signal>,
    /// The kind of trouble (`rejected`), the status (`http_400`), or a part of the reason in words.
    pub reason: Option<String>,
    /// Put here, or tried last, at this time or later.
    pub since: Option<Timestamp>,
}

impl DeadLetterFilter {
    /// Whether every letter is meant.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// The condition in SQL, and its values.
    pub(crate) fn condition(&self) -> (String, Vec<Value>) {
        let mut parts = vec!["1 = 1".to_owned()];
        let mut values = Vec::new();
        let mut add = |sql: &str, value: Value| {
            values.push(value);
            parts.push(sql.replace('?', &format!("?{}", values.len())));
        };
        if let Some(id) = self.id {
            add("id = ?", number(id).into());
        }
        if let Some(destination) = &self.destination {
            add("destination = ?", destination.clone().into());
        }
        if let Some(signal) = self.signal {
            add("signal = ?", (signal as i64).into());
        }
        if let Some(reason) = &self.reason {
            let sql = "(kind = ? OR 'http_' || status = ? OR instr(lower(reason), lower(?)) > 0)";
            add(sql, reason.clone().into());
        }
        if let Some(since) = self.since {
            add("last_try >= ?", number(since.as_nanos()).into());
        }
        (parts.join(" AND "), values)
    }
}

/// What a replay did; a letter is removed exactly when it is known that its record was delivered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct ReplayReport {
    /// Records that were delivered, be it to another destination that takes them instead; their letters are removed.
    pub delivered: u64,
    /// Records that were rejected again; their letters stay.
    pub rejected: u64,
    /// Records that went to dead letters of the exporter's own, where they are once more; their letters stay.
    pub dead_lettered: u64,
    /// Records that a queue took over and may not have delivered; their letters stay.
    pub queued: u64,
    /// Records of batches that were delivered in part, without a word on which they are; their letters stay.
    pub unknown: u64,
    /// Letters whose record cannot be read, or that have none; they stay.
    pub unreadable: u64,
    /// Letters that were meant and not tried, since the destination was out.
    pub left: u64,
    /// Why the replay stopped before its end, if it did.
    #[serde(serialize_with = "text")]
    pub stopped: Option<Box<str>>,
}

impl ReplayReport {
    /// How many records were tried or cannot be.
    pub(crate) fn met(&self) -> u64 {
        let Self { delivered, rejected, dead_lettered, queued, unknown, unreadable, left: _, stopped: _ } =
            self;
        delivered + rejected + dead_lettered + queued + unknown + unreadable
    }
}

#[expect(clippy::ref_option, reason = "the signature serde's `serialize_with` asks for")]
fn text<S: Serializer>(value: &Option<Box<str>>, serializer: S) -> Result<S::Ok, S::Error> {
    value.as_deref().serialize(serializer)
}
