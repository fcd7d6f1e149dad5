//! The tables of the queue, and opening a file that has them.

use std::collections::BTreeMap;
use std::path::Path;

use obs_core::{Signal, Timestamp};
use rusqlite::Connection;

use crate::cursor::Cursor;
use crate::database::{self, Kind};
use crate::failure::{self, Trouble};

/// The queue: `obsq`.
pub(crate) const QUEUE: Kind =
    Kind { application_id: 0x6f62_7371, version: 1, leaves_others: false, tables: TABLES, upgrades: &[] };

const TABLES: &str = "
CREATE TABLE log (
    position INTEGER PRIMARY KEY,
    signal INTEGER NOT NULL,
    sealed_at INTEGER NOT NULL,
    items INTEGER NOT NULL,
    version INTEGER NOT NULL,
    encoding INTEGER NOT NULL,
    data BLOB NOT NULL
);
CREATE INDEX log_signal ON log (signal);
CREATE TABLE cursors (
    destination TEXT NOT NULL,
    signal INTEGER NOT NULL,
    position INTEGER NOT NULL,
    skip INTEGER NOT NULL,
    moved_at INTEGER NOT NULL,
    PRIMARY KEY (destination, signal)
) WITHOUT ROWID;
CREATE TABLE damaged (
    position INTEGER PRIMARY KEY,
    signal INTEGER NOT NULL,
    sealed_at INTEGER NOT NULL,
    items INTEGER NOT NULL,
    version INTEGER NOT NULL,
    encoding INTEGER NOT NULL,
    data BLOB NOT NULL
);
";

/// What a file holds when it is opened: all but the records.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) rows: Vec<Listed>,
    pub(crate) cursors: BTreeMap<(Box<str>, Signal), Cursor>,
}

/// A row without its records.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listed {
    pub(crate) position: u64,
    pub(crate) signal: Signal,
    pub(crate) sealed_at: Timestamp,
    pub(crate) items: usize,
}

impl Contents {
    /// The first position that nothing here has.
    pub(crate) fn end(&self) -> u64 {
        let row = self.rows.last().map_or(0, |row| row.position.saturating_add(1));
        self.cursors.values().map(|cursor| cursor.position).fold(row, u64::max)
    }
}

/// Opens the file for writing and makes it where it is missing.
pub(crate) fn open(path: &Path) -> Result<Connection, Trouble> {
    database::open(path, &QUEUE)
}

/// Opens the file for reading, beside the process that writes it or where nothing can be written.
pub(crate) fn open_for_reading(path: &Path) -> Result<Connection, Trouble> {
    database::open_for_reading(path, &QUEUE)
}

/// What the file holds, but for the records, on a disk that is too full to open it for writing.
pub(crate) fn contents_of_full_disk(path: &Path) -> Result<Contents, Trouble> {
    contents(&database::open_alone(path, &QUEUE)?, path)
}

/// What the file holds, but for the records.
pub(crate) fn contents(connection: &Connection, path: &Path) -> Result<Contents, Trouble> {
    read_contents(connection).map_err(|cause| match cause {
        rusqlite::Error::SqliteFailure(..) => failure::of(path, &cause),
        // A value that no queue of ours writes.
        _ => failure::damaged(path, &cause),
    })
}

fn read_contents(connection: &Connection) -> rusqlite::Result<Contents> {
    let mut contents = Contents::default();
    let sql = "SELECT position, signal, sealed_at, items FROM log ORDER BY position";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        contents.rows.push(Listed {
            position: natural(row, 0)?,
            signal: signal(row.get(1)?)?,
            sealed_at: Timestamp::from_nanos(natural(row, 2)?),
            items: row.get::<_, i64>(3)?.max(0) as usize,
        });
    }
    let mut statement = connection.prepare("SELECT destination, signal, position, skip FROM cursors")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let destination: String = row.get(0)?;
        let cursor = Cursor { position: natural(row, 2)?, skip: natural(row, 3)? };
        contents.cursors.insert((destination.into(), signal(row.get(1)?)?), cursor);
    }
    Ok(contents)
}

/// A number that is never negative, and far from the largest there is: positions count on from it.
fn natural(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    match u64::try_from(number) {
        Ok(number) if number < 1 << 62 => Ok(number),
        _ => Err(rusqlite::Error::IntegralValueOutOfRange(column, number)),
    }
}

/// The signal of this number.
pub(crate) fn signal(number: i64) -> rusqlite::Result<Signal> {
    let known = usize::try_from(number).ok().and_then(|at| Signal::ALL.get(at));
    known.copied().ok_or(rusqlite::Error::IntegralValueOutOfRange(1, number))
}
