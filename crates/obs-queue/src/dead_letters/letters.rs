//! The file of dead letters: opened when it is needed, kept within its limits.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use obs_core::{Error, ErrorKind, Rejection, Signal, Timestamp};
use obs_pipeline::Clock;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::DeadLetterConfig;
use crate::database::{self, Kind};
use crate::failure::{self, Trouble};
use crate::file::{self, Identity};
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
    version: 2,
    leaves_others: true,
    tables: "
CREATE TABLE letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    destination TEXT NOT NULL,
    signal INTEGER,
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
    upgrades: &[UNKNOWN_SIGNALS],
};

/// Version 1 stored a rejection that names no records as one of traces.
const UNKNOWN_SIGNALS: &str = "
ALTER TABLE letters RENAME COLUMN signal TO told;
ALTER TABLE letters ADD COLUMN signal INTEGER;
UPDATE letters SET signal = told WHERE told <> 0 OR record IS NOT NULL;
ALTER TABLE letters DROP COLUMN told;
";

/// The file, for one thread at a time.
#[derive(Debug)]
pub(super) struct Letters {
    config: DeadLetterConfig,
    pub(super) clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    open: Option<(Connection, Option<Identity>)>,
    prune_at: Duration,
    removed: u64,
    damaged: u64,
}

impl Letters {
    pub(super) fn new(config: DeadLetterConfig, clock: Clock) -> Self {
        Self { config, clock, state: Mutex::default() }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.config.directory.join(DATABASE)
    }

    /// How many records the limits of size and age have removed.
    pub(super) fn removed(&self) -> u64 {
        self.state().removed
    }

    /// How many damaged files were set aside.
    pub(super) fn damaged(&self) -> u64 {
        self.state().damaged
    }

    /// Keeps what was rejected, a letter for each record.
    pub(super) fn put(&self, destination: &str, rejection: &Rejection) -> Result<(), Error> {
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Uses the file, opened again where it was moved away or in trouble.
    pub(super) fn using<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
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

/// At most [`REASON`] bytes.
pub(super) fn cut(reason: &str) -> &str {
    &reason[..reason.floor_char_boundary(REASON)]
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
    let mut put = |signal: Option<Signal>, count: usize, line: Option<&str>| {
        let Rejection { kind, status, reason, attempts, .. } = rejection;
        statement.execute(params![
            destination,
            signal.map(|signal| signal as i64),
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
        // Which signal it was is not told.
        return put(None, rejection.count, None).map(drop);
    };
    let mut line = Vec::new();
    for at in 0..batch.len() {
        line.clear();
        batch.slice(at..at + 1).write_lines(&mut line, |_, _| ());
        let text = std::str::from_utf8(&line).ok().filter(|text| !text.is_empty());
        put(Some(batch.signal()), 1, text.map(str::trim_end))?;
    }
    Ok(())
}
