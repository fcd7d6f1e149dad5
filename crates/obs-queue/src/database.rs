//! SQLite files of ours: made, told from others, opened.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::failure::{self, Trouble};
use crate::file;
use crate::look;

/// How long a connection waits for a tool that reads or repairs.
pub(crate) const BUSY: Duration = Duration::from_millis(500);

/// A file up to this size is looked through when it is opened (some 100 ms); a larger one is found damaged when the
/// damage is met.
const LOOKED_THROUGH: u64 = 64 << 20;

/// What a file is for.
#[derive(Debug)]
pub(crate) struct Kind {
    /// What `PRAGMA application_id` says.
    pub(crate) application_id: i64,
    /// The version of the tables.
    pub(crate) version: i64,
    /// Whether a file of a newer obs or of another program stays where it is: the caller does without.
    pub(crate) leaves_others: bool,
    /// What makes them.
    pub(crate) tables: &'static str,
    /// What makes the tables of each version, from the first, those of the next.
    pub(crate) upgrades: &'static [&'static str],
}

/// What a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Nothing,
    Tables,
    /// Those of a version that can be upgraded.
    Older,
}

/// Opens the file for writing and makes it where it is missing.
pub(crate) fn open(path: &Path, kind: &Kind) -> Result<Connection, Trouble> {
    file::make(path)?;
    let trouble = |cause: rusqlite::Error| failure::of(path, &cause);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(trouble)?;
    connection.busy_timeout(BUSY).map_err(trouble)?;
    let found = check(&connection, path, kind)?;
    if found == Found::Nothing {
        let pages = "PRAGMA page_size = 16384; PRAGMA auto_vacuum = INCREMENTAL;";
        connection.execute_batch(pages).map_err(trouble)?;
    }
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).map_err(trouble)?;
    let settings = "PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 16777216;";
    connection.execute_batch(settings).map_err(trouble)?;
    match found {
        Found::Nothing => make_tables(&mut connection, kind).map_err(trouble)?,
        Found::Older => upgrade(&mut connection, kind).map_err(trouble)?,
        Found::Tables => {}
    }
    Ok(connection)
}

fn upgrade(connection: &mut Connection, kind: &Kind) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been first.
    let version: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    for (sql, from) in kind.upgrades.iter().zip(1..).filter(|(_, from)| *from >= version) {
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", from + 1)?;
    }
    transaction.commit()
}

fn make_tables(connection: &mut Connection, kind: &Kind) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been first.
    if transaction.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))? == 0 {
        transaction.execute_batch(kind.tables)?;
        transaction.pragma_update(None, "application_id", kind.application_id)?;
        transaction.pragma_update(None, "user_version", kind.version)?;
    }
    transaction.commit()
}

/// Opens the file for reading, beside the process that writes it or where nothing can be written.
pub(crate) fn open_for_reading(path: &Path, kind: &Kind) -> Result<Connection, Trouble> {
    let trouble = |cause: rusqlite::Error| failure::of(path, &cause);
    let (connection, _) = look::open(path)?;
    connection.pragma_update(None, "query_only", true).map_err(trouble)?;
    if check(&connection, path, kind)? == Found::Nothing {
        return Err(Trouble::Disk(format!("{}: there is nothing in it yet", path.display()).into()));
    }
    Ok(connection)
}

/// Opens the file where nothing can be written beside it, as on a full disk: nobody else can use it meanwhile.
pub(crate) fn open_alone(path: &Path, kind: &Kind) -> Result<Connection, Trouble> {
    let trouble = |cause: rusqlite::Error| failure::of(path, &cause);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(trouble)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE").map_err(trouble)?;
    connection.pragma_update(None, "query_only", true).map_err(trouble)?;
    check(&connection, path, kind)?;
    Ok(connection)
}

/// Refuses what is not of this kind, and versions that are not known.
fn check(connection: &Connection, path: &Path, kind: &Kind) -> Result<Found, Trouble> {
    let number = |sql: &str| {
        connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(|cause| failure::of(path, &cause))
    };
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    match (number("PRAGMA application_id")?, number("PRAGMA user_version")?) {
        (id, version) if id == kind.application_id && version == kind.version => Ok(Found::Tables),
        (id, version) if id == kind.application_id && (1..kind.version).contains(&version) => {
            Ok(Found::Older)
        }
        (0, 0) if tables == 0 => Ok(Found::Nothing),
        (id, newer) if id == kind.application_id => {
            let known = kind.version;
            Err(other(
                path,
                kind,
                &format!("has tables of version {newer}, this build knows {known}: update obs"),
            ))
        }
        _ => Err(other(path, kind, "is the database of another program: choose another folder")),
    }
}

fn other(path: &Path, kind: &Kind, what: &str) -> Trouble {
    let message = format!("{} {what}", path.display()).into();
    if kind.leaves_others { Trouble::Disk(message) } else { Trouble::Damaged(message) }
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
