//! Rejected records, kept until somebody looks at them.

mod config;
mod letter;
mod letters;
mod putter;
mod replay;
mod tried;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use obs_core::{Batch, DeadLetters, Error, Rejection, Signal, Timestamp};
use obs_pipeline::Clock;
use rusqlite::{OptionalExtension, params_from_iter};

pub use config::DeadLetterConfig;
pub use letter::{DeadLetter, DeadLetterFilter, ReplayReport};

use self::letters::Letters;
use self::putter::Putter;
use crate::schema;
use crate::transaction::number;

/// Everything of a letter but the record.
const COLUMNS: &str = "id, destination, signal, kind, status, reason, attempts, first_seen, last_try, count,
    coalesce(length(record), 0)";

/// Dead letters in one SQLite file, one for each rejected record.
///
/// Several processes can use a file at once: `obsctl dlq` works while the application runs.
/// What was put survives `kill -9`; a loss of power may cost the last seconds.
/// A `put` writes on a thread of the store's own, on any executor; one that is dropped meanwhile may still be kept.
/// The other calls block while they use the file, and so do not belong on a thread that delivers.
/// A damaged file is set aside as `dead-letters.db.damaged-<time>`, and a new one is begun.
#[derive(Debug)]
pub struct DeadLetterStore {
    letters: Arc<Letters>,
    putter: Putter,
}

impl DeadLetterStore {
    /// Dead letters in a folder; a disk that is of no use now is tried again with every letter.
    ///
    /// # Errors
    /// [`obs_core::ErrorKind::Config`] where an option makes no sense.
    pub fn open(config: DeadLetterConfig) -> Result<Self, Error> {
        Self::open_at(config, Clock::system())
    }

    /// As [`DeadLetterStore::open`], with the clock that stamps letters.
    ///
    /// # Errors
    /// As [`DeadLetterStore::open`].
    pub fn open_at(config: DeadLetterConfig, clock: Clock) -> Result<Self, Error> {
        config.validate()?;
        let letters = Arc::new(Letters::new(config, clock));
        let store = Self { letters, putter: Putter::default() };
        if let Err(error) = store.letters.using(|_| Ok(())) {
            tracing::warn!(target: "obs::queue", "dead letters: {error}");
        }
        Ok(store)
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.letters.path()
    }

    /// How many records the limits of size and age have removed since it was opened.
    pub fn removed(&self) -> u64 {
        self.letters.removed()
    }

    /// How many damaged files were set aside since it was opened.
    pub fn damaged(&self) -> u64 {
        self.letters.damaged()
    }

    /// The letters that are meant, oldest first, without their records; at most `limit`.
    ///
    /// # Errors
    /// [`obs_core::ErrorKind::Io`] where the file cannot be read.
    pub fn list(&self, filter: &DeadLetterFilter, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        let (condition, mut values) = filter.condition();
        values.push(number(limit as u64).into());
        let sql = format!(
            "SELECT {COLUMNS}, NULL FROM letters WHERE {condition} ORDER BY id LIMIT ?{}",
            values.len()
        );
        self.letters.using(|connection| {
            let mut statement = connection.prepare(&sql)?;
            statement.query_map(params_from_iter(values), letter)?.collect()
        })
    }

    /// One letter, with its record.
    ///
    /// # Errors
    /// [`obs_core::ErrorKind::Io`] where the file cannot be read.
    pub fn show(&self, id: u64) -> Result<Option<DeadLetter>, Error> {
        let sql = format!("SELECT {COLUMNS}, record FROM letters WHERE id = ?1");
        self.letters.using(|connection| connection.query_row(&sql, [number(id)], letter).optional())
    }

    /// How many records the letters that are meant stand for.
    ///
    /// # Errors
    /// [`obs_core::ErrorKind::Io`] where the file cannot be read.
    pub fn count(&self, filter: &DeadLetterFilter) -> Result<u64, Error> {
        let (condition, values) = filter.condition();
        let sql = format!("SELECT coalesce(sum(count), 0) FROM letters WHERE {condition}");
        self.letters.using(|connection| {
            let count: i64 = connection.query_row(&sql, params_from_iter(values), |row| row.get(0))?;
            Ok(count as u64)
        })
    }

    /// Removes the letters that are meant; returns how many.
    ///
    /// # Errors
    /// [`obs_core::ErrorKind::Io`] where the file cannot be written.
    pub fn purge(&self, filter: &DeadLetterFilter) -> Result<u64, Error> {
        let (condition, values) = filter.condition();
        let sql = format!("DELETE FROM letters WHERE {condition}");
        self.letters.using(|connection| {
            let removed = connection.execute(&sql, params_from_iter(values))?;
            connection.execute_batch("PRAGMA incremental_vacuum")?;
            Ok(removed as u64)
        })
    }
}

fn letter(row: &rusqlite::Row<'_>) -> rusqlite::Result<DeadLetter> {
    Ok(DeadLetter {
        id: row.get::<_, i64>(0)? as u64,
        destination: row.get(1)?,
        signal: row.get::<_, Option<i64>>(2)?.map(schema::signal).transpose()?,
        kind: row.get(3)?,
        status: row.get(4)?,
        reason: row.get(5)?,
        attempts: row.get(6)?,
        first_seen: Timestamp::from_nanos(row.get::<_, i64>(7)? as u64),
        last_try: Timestamp::from_nanos(row.get::<_, i64>(8)? as u64),
        count: row.get::<_, i64>(9)? as u64,
        bytes: row.get::<_, i64>(10)? as u64,
        line: row.get(11)?,
    })
}

#[async_trait]
impl DeadLetters for DeadLetterStore {
    async fn put(&self, destination: &str, rejection: &Rejection) -> Result<(), Error> {
        self.putter.put(&self.letters, destination, rejection).await
    }
}

/// The records of one signal that these letters hold, in order, with the letters they came from.
fn gather(letters: Vec<DeadLetter>, signal: Signal) -> (Batch, Vec<u64>, u64) {
    let (mut records, mut ids, mut unreadable) = (Vec::new(), Vec::new(), 0);
    for letter in letters {
        match letter.record() {
            Ok(Some(record)) if record.signal() == signal => {
                records.push(record);
                ids.push(letter.id);
            }
            _ => unreadable += letter.count,
        }
    }
    (Batch::group(records).pop().unwrap_or_else(|| Batch::empty(signal)), ids, unreadable)
}
