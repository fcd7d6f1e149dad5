//! The tables, their versions, and opening a database that has them.

use std::path::Path;
use std::time::Duration;

use obs_core::Error;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::{failure, file};

/// What `PRAGMA application_id` says of our files: `obs1`.
const APPLICATION_ID: i32 = 0x6f62_7331;

/// How long a connection waits for another process.
const BUSY: Duration = Duration::from_secs(5);

/// What takes a database from each version to the next, beginning with an empty one.
///
/// A step that was released is never changed; a change of the tables is a further step.
const MIGRATIONS: &[&str] = &[include_str!("schema.sql")];

/// For a database without tables; afterwards these stay as they are.
///
/// Rows of a kilobyte or two leave less of a large page empty and need fewer of them: against pages of 4 KiB this is a
/// fifth less space and two fifths less CPU a span.
const FRESH: &str = "
PRAGMA page_size = 16384;
PRAGMA auto_vacuum = INCREMENTAL;
";

/// For every connection that writes.
///
/// With the write-ahead log, `NORMAL` loses nothing when the process dies; the machine's own death may cost the last
/// transactions, never the database.
const WRITING: &str = "
PRAGMA synchronous = NORMAL;
PRAGMA cache_size = -8192;
PRAGMA temp_store = MEMORY;
PRAGMA journal_size_limit = 16777216;
";

/// Opens the store for writing, makes it where it is missing, and brings its tables up to date.
///
/// # Errors
/// `Config` where something else is at the path or a newer obs wrote it, `Io` where the file cannot be used.
pub(crate) fn open(path: &Path) -> Result<Connection, Error> {
    file::prepare(path)?;
    let trouble = |cause: rusqlite::Error| {
        Error::without_records(obs_core::ErrorKind::Io, failure::of(path, &cause).message)
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(trouble)?;
    connection.busy_timeout(BUSY).map_err(trouble)?;
    refuse_foreign(&connection, path)?;
    let fresh = version(&connection).map_err(trouble)? == 0;
    if fresh {
        connection.execute_batch(FRESH).map_err(trouble)?;
    }
    write_ahead(&connection).map_err(trouble)?;
    connection.execute_batch(WRITING).map_err(trouble)?;
    migrate(&mut connection, MIGRATIONS).map_err(trouble)?;
    Ok(connection)
}

/// Opens the store for reading alone.
///
/// # Errors
/// `Config` where there is no store of this version at the path, `Io` where the file cannot be read.
pub(crate) fn open_for_reading(path: &Path) -> Result<Connection, Error> {
    file::check(path)?;
    let trouble = |cause: rusqlite::Error| failure::reading(path, &cause);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(trouble)?;
    connection.busy_timeout(BUSY).map_err(trouble)?;
    refuse_foreign(&connection, path)?;
    let found = version(&connection).map_err(trouble)?;
    if found == 0 {
        return Err(failure::foreign(path, "holds no records yet: let the application export some, or"));
    }
    if found < MIGRATIONS.len() {
        let what = format!("has tables of version {found}: export to it once with this version of obs, or");
        return Err(failure::foreign(path, &what));
    }
    Ok(connection)
}

/// Refuses the databases of other programs, and those of a newer obs.
fn refuse_foreign(connection: &Connection, path: &Path) -> Result<(), Error> {
    match marks(connection) {
        Ok((0, 0, 0)) => Ok(()),
        Ok((id, version, _)) if id == i64::from(APPLICATION_ID) => {
            if version <= MIGRATIONS.len() as i64 {
                return Ok(());
            }
            let what = format!(
                "was written by a newer obs (tables of version {version}, this build knows up to {}): update obs, or",
                MIGRATIONS.len()
            );
            Err(failure::foreign(path, &what))
        }
        Ok(_) => Err(failure::foreign(path, "is the database of another program")),
        Err(cause) => match cause.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                Err(failure::foreign(path, &format!("is damaged ({cause}): move it aside, or")))
            }
            _ => Err(failure::reading(path, &cause)),
        },
    }
}

/// The application id, the version and how many tables there are: of one moment, since another process may be making
/// them.
fn marks(connection: &Connection) -> rusqlite::Result<(i64, i64, i64)> {
    let moment = connection.unchecked_transaction()?;
    let number = |sql: &str| moment.query_row(sql, [], |row| row.get(0));
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    Ok((number("PRAGMA application_id")?, number("PRAGMA user_version")?, tables))
}

fn version(connection: &Connection) -> rusqlite::Result<usize> {
    connection
        .query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))
        .map(|version| version as usize)
}

/// Switches to the write-ahead log; SQLite does not wait for others by itself here.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let pause = Duration::from_millis(20);
    let mut left = BUSY;
    loop {
        match connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())) {
            Err(cause) if cause.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && !left.is_zero() => {
                std::thread::park_timeout(pause);
                left = left.saturating_sub(pause);
            }
            outcome => return outcome,
        }
    }
}

/// Takes the database through the steps that it lacks, each in a transaction of its own.
fn migrate(connection: &mut Connection, steps: &[&str]) -> rusqlite::Result<()> {
    for (at, step) in steps.iter().enumerate() {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if version(&transaction)? == at {
            transaction.execute_batch(step)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", at as i64 + 1)?;
        }
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(connection: &Connection) -> Vec<String> {
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn every_version_migrates_to_this_one() {
        let fresh = tempfile::tempdir().unwrap();
        let wanted = tables(&open(&fresh.path().join("obs.db")).unwrap());
        assert_eq!(wanted, ["feedback", "logs", "metrics", "scores", "spans"]);
        for known in 0..=MIGRATIONS.len() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("obs.db");
            migrate(&mut Connection::open(&path).unwrap(), &MIGRATIONS[..known]).unwrap();
            let connection = open(&path).unwrap();
            assert_eq!(tables(&connection), wanted, "from version {known}");
            assert_eq!(version(&connection).unwrap(), MIGRATIONS.len());
        }
    }

    #[test]
    fn a_step_runs_once_and_one_that_fails_leaves_the_version_before() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &["CREATE TABLE a (x)"]).unwrap();
        migrate(&mut connection, &["CREATE TABLE a (x)", "CREATE TABLE b (x)"]).unwrap();
        migrate(&mut connection, &["", "", "CREATE TABLE c (x); CREATE TABLE a (x)"]).unwrap_err();
        assert_eq!(version(&connection).unwrap(), 2);
        assert_eq!(tables(&connection), ["a", "b"]);
    }

    #[test]
    fn a_newer_store_is_refused_for_writing_and_reading_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("obs.db");
        open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let before = std::fs::read(&path).unwrap();
        for error in [open(&path).unwrap_err(), open_for_reading(&path).unwrap_err()] {
            assert_eq!(error.kind(), obs_core::ErrorKind::Config);
            assert!(error.message().contains("newer obs (tables of version 99"), "{error}");
        }
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}
