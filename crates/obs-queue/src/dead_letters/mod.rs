//! Rejected records, kept until somebody looks at them.

mod config;
mod letter;
mod replay;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use obs_core::{Batch, DeadLetters, Error, ErrorKind, Rejection, Signal, Timestamp};
use obs_pipeline::Clock;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params, params_from_iter};

pub use config::DeadLetterConfig;
pub use letter::{DeadLetter, DeadLetterFilter, ReplayReport};

use crate::database::{self, Kind};
use crate::failure::{self, Trouble};
use crate::file::{self, Identity};
use crate::schema;
use crate::transaction::{number, used};

/// The name of the database in its folder.
const DATABASE: &str = "dead-letters.db";

/// Bytes of a reason that are kept.
const REASON: usize = 2_000;

/// How often the ages are looked at.
const PRUNE: Duration = Duration::from_mins(1);

/// Dead letters: `obsd`.
const LETTERS: Kind = Kind {
    application_id: 0x6f62_7364,
    version: 1,
    leaves_others: true,
    tables: "
CREATE TABLE letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    destination TEXT NOT NULL,
    signal INTEGER NOT NULL,
    kind TEXT NOT NULL,
    status INTEGER,
    reason TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_try INTEGER NOT NULL,
    count INTEGER NOT NULL,
    record TEXT
);
CREATE INDEX letters_first_seen ON letters (first_seen);
",
};

/// Everything of a letter but the record.
const COLUMNS: &str = "id, destination, signal, kind, status, reason, attempts, first_seen, last_try, count,
    coalesce(length(record), 0)";

/// Dead letters in one SQLite file, one for each rejected record.
///
/// Several processes can use a file at once: `obsctl dlq` works while the application runs.
/// What was put survives `kill -9`; a loss of power may cost the last seconds.
/// A damaged file is set aside as `dead-letters.db.damaged-<time>`, and a new one is begun.
#[derive(Debug)]
pub struct DeadLetterStore {
    config: DeadLetterConfig,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    open: Option<(Connection, Option<Identity>)>,
    prune_at: Duration,
    removed: u64,
    damaged: u64,
}

impl DeadLetterStore {
    /// Dead letters in a folder; a disk that is of no use now is tried again with every letter.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where an option makes no sense.
    pub fn open(config: DeadLetterConfig) -> Result<Self, Error> {
        Self::open_at(config, Clock::system())
    }

    /// As [`DeadLetterStore::open`], with the clock that stamps letters.
    ///
    /// # Errors
    /// As [`DeadLetterStore::open`].
    pub fn open_at(config: DeadLetterConfig, clock: Clock) -> Result<Self, Error> {
        config.validate()?;
        let store = Self { config, clock, state: Mutex::default() };
        if let Err(error) = store.using(|_| Ok(())) {
            tracing::warn!(target: "obs::queue", "dead letters: {error}");
        }
        Ok(store)
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.config.directory.join(DATABASE)
    }

    /// How many records the limits of size and age have removed since it was opened.
    pub fn removed(&self) -> u64 {
        self.state().removed
    }

    /// How many damaged files were set aside since it was opened.
    pub fn damaged(&self) -> u64 {
        self.state().damaged
    }

    /// The letters that are meant, oldest first, without their records; at most `limit`.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] where the file cannot be read.
    pub fn list(&self, filter: &DeadLetterFilter, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        let (condition, mut values) = filter.condition();
        values.push(number(limit as u64).into());
        let sql = format!(
            "SELECT {COLUMNS}, NULL FROM letters WHERE {condition} ORDER BY id LIMIT ?{}",
            values.len()
        );
        self.using(|connection| {
            let mut statement = connection.prepare(&sql)?;
            statement.query_map(params_from_iter(values), letter)?.collect()
        })
    }

    /// One letter, with its record.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] where the file cannot be read.
    pub fn show(&self, id: u64) -> Result<Option<DeadLetter>, Error> {
        let sql = format!("SELECT {COLUMNS}, record FROM letters WHERE id = ?1");
        self.using(|connection| connection.query_row(&sql, [number(id)], letter).optional())
    }

    /// How many records the letters that are meant stand for.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] where the file cannot be read.
    pub fn count(&self, filter: &DeadLetterFilter) -> Result<u64, Error> {
        let (condition, values) = filter.condition();
        let sql = format!("SELECT coalesce(sum(count), 0) FROM letters WHERE {condition}");
        self.using(|connection| {
            let count: i64 = connection.query_row(&sql, params_from_iter(values), |row| row.get(0))?;
            Ok(count as u64)
        })
    }

    /// Removes the letters that are meant; returns how many.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] where the file cannot be written.
    pub fn purge(&self, filter: &DeadLetterFilter) -> Result<u64, Error> {
        let (condition, values) = filter.condition();
        let sql = format!("DELETE FROM letters WHERE {condition}");
        self.using(|connection| {
            let removed = connection.execute(&sql, params_from_iter(values))?;
            connection.execute_batch("PRAGMA incremental_vacuum")?;
            Ok(removed as u64)
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Uses the file, opened again where it was moved away or in trouble.
    fn using<T>(&self, work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        let path = self.path();
        let mut state = self.state();
        let told = |trouble: Trouble| Error::without_records(ErrorKind::Io, trouble.message());
        let known = state.open.take().filter(|(_, known)| known.is_some() && *known == Identity::of(&path));
        let (mut connection, identity) = match known {
            Some(known) => known,
            None => self.reopen(&path, &mut state).map_err(told)?,
        };
        let outcome = work(&mut connection).map_err(|cause| failure::of(&path, &cause));
        match outcome {
            Ok(value) => {
                state.open = Some((connection, identity));
                Ok(value)
            }
            Err(trouble) => {
                drop(connection);
                if let Trouble::Damaged(message) = &trouble {
                    self.set_aside(&path, message, &mut state).map_err(told)?;
                }
                Err(told(trouble))
            }
        }
    }

    fn reopen(&self, path: &Path, state: &mut State) -> Result<(Connection, Option<Identity>), Trouble> {
        file::make_folder(&self.config.directory)
            .map_err(|cause| failure::io(&self.config.directory, "the folder cannot be made", &cause))?;
        let open = || -> Result<Connection, Trouble> {
            let connection = database::open(path, &LETTERS)?;
            database::look_through(&connection, path)?;
            connection
                .pragma_update(None, "synchronous", "NORMAL")
                .map_err(|cause| failure::of(path, &cause))?;
            Ok(connection)
        };
        let connection = match open() {
            Err(Trouble::Damaged(message)) => {
                self.set_aside(path, &message, state)?;
                open()?
            }
            outcome => outcome?,
        };
        Ok((connection, Identity::of(path)))
    }

    fn set_aside(&self, path: &Path, message: &str, state: &mut State) -> Result<(), Trouble> {
        let target = file::set_aside(path, "damaged", self.clock.now())?;
        state.damaged += 1;
        tracing::warn!(target: "obs::queue", "{message}; set aside as {}", target.display());
        Ok(())
    }

    /// Keeps the limits of size and age; the oldest letters go first.
    fn trim(&self) -> Result<(), Error> {
        let now = self.clock.monotonic();
        let is_due = {
            let mut state = self.state();
            let is_due = now >= state.prune_at;
            state.prune_at = if is_due { now.saturating_add(PRUNE) } else { state.prune_at };
            is_due
        };
        let before = number(self.clock.now().saturating_sub(self.config.max_age).as_nanos());
        let most = self.config.max_size.get();
        let removed = self.using(|connection| {
            let mut removed = 0;
            if is_due {
                let sql = "DELETE FROM letters WHERE first_seen < ?1 RETURNING count";
                removed += sum(connection, sql, before)?;
            }
            while used(connection)? > most {
                let sql = "DELETE FROM letters WHERE id IN (SELECT id FROM letters ORDER BY id LIMIT ?1)
                    RETURNING count";
                let some = sum(connection, sql, 256)?;
                if some == 0 {
                    break;
                }
                removed += some;
            }
            Ok(removed)
        })?;
        self.state().removed += removed;
        Ok(())
    }
}

fn sum(connection: &Connection, sql: &str, value: i64) -> rusqlite::Result<u64> {
    let mut statement = connection.prepare_cached(sql)?;
    let counts = statement.query_map([value], |row| row.get::<_, i64>(0))?;
    counts.map(|count| count.map(|count| count as u64)).sum()
}

fn letter(row: &rusqlite::Row<'_>) -> rusqlite::Result<DeadLetter> {
    Ok(DeadLetter {
        id: row.get::<_, i64>(0)? as u64,
        destination: row.get(1)?,
        signal: schema::signal(row.get(2)?)?,
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

/// At most [`REASON`] bytes.
fn cut(reason: &str) -> &str {
    &reason[..reason.floor_char_boundary(REASON)]
}

#[async_trait]
impl DeadLetters for DeadLetterStore {
    async fn put(&self, destination: &str, rejection: &Rejection) -> Result<(), Error> {
        let now = self.clock.now();
        self.using(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            insert(&transaction, destination, rejection, now)?;
            transaction.commit()
        })?;
        // The letter is kept, whatever becomes of older ones.
        if let Err(error) = self.trim() {
            tracing::warn!(target: "obs::queue", "dead letters: {error}");
        }
        Ok(())
    }
}

fn insert(
    transaction: &Transaction<'_>,
    destination: &str,
    rejection: &Rejection,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO letters
        (destination, signal, kind, status, reason, attempts, first_seen, last_try, count, record)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9)";
    let mut statement = transaction.prepare_cached(sql)?;
    let now = number(now.as_nanos());
    let mut put = |signal: Signal, count: usize, line: Option<&str>| {
        let Rejection { kind, status, reason, attempts, .. } = rejection;
        statement.execute(params![
            destination,
            signal as i64,
            kind.as_str(),
            status,
            cut(reason),
            attempts,
            now,
            count as i64,
            line
        ])
    };
    let Some(batch) = &rejection.records else {
        // Which signal it was is not told; a count without records belongs to none.
        return put(Signal::Traces, rejection.count, None).map(drop);
    };
    let mut line = Vec::new();
    for at in 0..batch.len() {
        line.clear();
        batch.slice(at..at + 1).write_lines(&mut line, |_, _| ());
        let text = std::str::from_utf8(&line).ok().filter(|text| !text.is_empty());
        put(batch.signal(), 1, text.map(str::trim_end))?;
    }
    Ok(())
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
