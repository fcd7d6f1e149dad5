//! The tables of the queue, and opening a file that has them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use obs_core::{Signal, Timestamp};
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::cursor::Cursor;
use crate::failure::{self, Trouble};
use crate::file;

/// What `PRAGMA application_id` says of a queue: `obsq`.
const APPLICATION_ID: i64 = 0x6f62_7371;

/// The version of the tables.
const VERSION: i64 = 1;

/// How long a connection waits for a tool that reads or repairs.
const BUSY: Duration = Duration::from_millis(500);

/// A file up to this size is looked through when it is opened (some 100 ms); a larger one is found damaged when the
/// damage is met.
const LOOKED_THROUGH: u64 = 64 << 20;

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
        let row = self.rows.last().map_or(0, |row| row.position + 1);
        self.cursors.values().map(|cursor| cursor.position).fold(row, u64::max)
    }
}

/// Opens the file for writing and makes it where it is missing.
pub(crate) fn open(path: &Path) -> Result<Connection, Trouble> {
    file::make(path)?;
    let trouble = |cause: rusqlite::Error| failure::of(path, &cause);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(trouble)?;
    connection.busy_timeout(BUSY).map_err(trouble)?;
    let fresh = check(&connection, path)?;
    if fresh {
        let pages = "PRAGMA page_size = 16384; PRAGMA auto_vacuum = INCREMENTAL;";
        connection.execute_batch(pages).map_err(trouble)?;
    }
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).map_err(trouble)?;
    let settings = "PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 16777216;";
    connection.execute_batch(settings).map_err(trouble)?;
    if fresh {
        make_tables(&mut connection).map_err(trouble)?;
    }
    Ok(connection)
}

fn make_tables(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(TABLES)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

/// Opens the file for reading beside the process that writes it.
pub(crate) fn open_for_reading(path: &Path) -> Result<Connection, Trouble> {
    let trouble = |cause: rusqlite::Error| failure::of(path, &cause);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(trouble)?;
    connection.busy_timeout(BUSY).map_err(trouble)?;
    connection.pragma_update(None, "query_only", true).map_err(trouble)?;
    if check(&connection, path)? {
        return Err(Trouble::Disk(format!("{}: there is nothing in it yet", path.display()).into()));
    }
    Ok(connection)
}

/// Refuses what is not a queue of this version; whether the file is empty.
fn check(connection: &Connection, path: &Path) -> Result<bool, Trouble> {
    let number = |sql: &str| {
        connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(|cause| failure::of(path, &cause))
    };
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    match (number("PRAGMA application_id")?, number("PRAGMA user_version")?) {
        (APPLICATION_ID, VERSION) => Ok(false),
        (0, 0) if tables == 0 => Ok(true),
        (APPLICATION_ID, newer) => {
            let cause =
                format!("written by a newer obs (tables of version {newer}, this build knows {VERSION})");
            Err(failure::damaged(path, &cause))
        }
        _ => Err(failure::damaged(path, &"it is the database of another program")),
    }
}

/// Looks a file through, if it is not large.
pub(crate) fn look_through(connection: &Connection, path: &Path) -> Result<(), Trouble> {
    if fs::metadata(path).is_ok_and(|kind| kind.len() > LOOKED_THROUGH) {
        return Ok(());
    }
    let said: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|cause| failure::of(path, &cause))?;
    if said == "ok" { Ok(()) } else { Err(failure::damaged(path, &said)) }
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
            position: row.get::<_, i64>(0)? as u64,
            signal: signal(row.get(1)?)?,
            sealed_at: Timestamp::from_nanos(row.get::<_, i64>(2)? as u64),
            items: row.get::<_, i64>(3)?.max(0) as usize,
        });
    }
    let mut statement = connection.prepare("SELECT destination, signal, position, skip FROM cursors")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let destination: String = row.get(0)?;
        let cursor = Cursor { position: row.get::<_, i64>(2)? as u64, skip: row.get::<_, i64>(3)? as u64 };
        contents.cursors.insert((destination.into(), signal(row.get(1)?)?), cursor);
    }
    Ok(contents)
}

/// The signal of this number.
pub(crate) fn signal(number: i64) -> rusqlite::Result<Signal> {
    let known = usize::try_from(number).ok().and_then(|at| Signal::ALL.get(at));
    known.copied().ok_or(rusqlite::Error::IntegralValueOutOfRange(1, number))
}
