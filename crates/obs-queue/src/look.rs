//! Looking at a file: beside the process that writes it, or where nothing can be written.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use obs_core::{Error, ErrorKind};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::database::BUSY;
use crate::failure::{self, Trouble};

/// A file of dead letters, looked through before anything is done with it; nothing is changed.
///
/// A `DeadLetterStore` sets a damaged file aside and begins a new one; whoever only wants to see what there is looks
/// here first.
#[derive(Debug)]
pub struct DeadLetterFile {
    path: PathBuf,
    connection: Connection,
    is_fixed: bool,
}

impl DeadLetterFile {
    /// Reads the whole file once.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] where it cannot be read or is damaged: the message says which, and what to do.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        let looked = open(&path).and_then(|(connection, is_fixed)| {
            let checked = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
            match checked.map_err(|cause| failure::of(&path, &cause))? {
                said if said == "ok" => Ok((connection, is_fixed)),
                said => Err(failure::damaged(&path, &said)),
            }
        });
        let (connection, is_fixed) = looked.map_err(|trouble| told(&trouble, &path))?;
        Ok(Self { path, connection, is_fixed })
    }

    /// Whether whoever runs this cannot write the file, so that no store can be opened on it.
    pub fn is_fixed(&self) -> bool {
        self.is_fixed
    }

    /// Makes a file with the same letters, which must not exist yet.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] where it cannot be written.
    pub fn copy_to(&self, target: &Path) -> Result<(), Error> {
        let copied = self.connection.execute("VACUUM INTO ?1", [target.to_string_lossy()]);
        let message =
            |cause| format!("{}: no copy can be made at {}: {cause}", self.path.display(), target.display());
        copied.map(drop).map_err(|cause| Error::without_records(ErrorKind::Io, message(cause)))
    }
}

fn told(trouble: &Trouble, path: &Path) -> Error {
    let message = match trouble {
        Trouble::Disk(message) => message.to_string(),
        Trouble::Damaged(message) => format!(
            "{message}; the file is damaged and was left as it is: the application sets it aside when it uses it next, and `sqlite3 {} .recover` gets out what can be read",
            path.display()
        ),
    };
    Error::without_records(ErrorKind::Io, message)
}

/// Opens a file without changing it; whether it cannot be written.
///
/// Where a log beside it holds changes, they stay there: closing does not move them into the file.
pub(crate) fn open(path: &Path) -> Result<(Connection, bool), Trouble> {
    readable(path)?;
    let log = beside(path, "-wal");
    let access = if has_content(&log) {
        readable(&log)?;
        OpenFlags::SQLITE_OPEN_READ_ONLY
    } else {
        // Who may write removes what SQLite makes beside the file.
        OpenFlags::SQLITE_OPEN_READ_WRITE
    };
    match connect(path, access) {
        Ok(connection) => Ok((connection, OpenOptions::new().write(true).open(path).is_err())),
        Err(cause) if is_refused(&cause) => Ok((open_fixed(path, &log)?, true)),
        Err(cause) => Err(failure::of(path, &cause)),
    }
}

/// Opens a file beside which nothing can be made, so that no process that could write it can be noticed.
fn open_fixed(path: &Path, log: &Path) -> Result<Connection, Trouble> {
    readable(&beside(path, "-shm"))?;
    if has_content(log) {
        let message = format!(
            "{}: it holds what was written last, and SQLite reads it only where it can write; copy both this and {} to a folder of yours, and name that one",
            log.display(),
            path.display()
        );
        return Err(Trouble::Disk(message.into()));
    }
    let access = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    connect(&fixed(path), access).map_err(|cause| failure::of(path, &cause))
}

fn connect(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    // Opening alone reads nothing.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

fn is_refused(cause: &rusqlite::Error) -> bool {
    matches!(cause.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
}

/// The address of a file that SQLite takes as one that nobody changes.
fn fixed(path: &Path) -> PathBuf {
    let mut address = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => address.push(char::from(*byte)),
            // Writing to text cannot fail.
            _ => drop(write!(address, "%{byte:02X}")),
        }
    }
    address.push_str("?immutable=1");
    address.into()
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    name.into()
}

fn has_content(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|kind| kind.len() > 0)
}

/// Refuses a file that is there and cannot be read.
fn readable(path: &Path) -> Result<(), Trouble> {
    let next = match File::open(path) {
        Ok(_) => return Ok(()),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(cause) if cause.kind() == io::ErrorKind::PermissionDenied => {
            format!("{cause}; run this as the user that the application runs as")
        }
        Err(cause) => format!("it cannot be read: {cause}; look at the disk"),
    };
    Err(Trouble::Disk(format!("{}: {next}", path.display()).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_file_is_read_under_any_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["plain.db", "a b?mode=memory&c#d%41é.db"] {
            let path = folder.path().join(name);
            Connection::open(&path).unwrap().execute_batch("CREATE TABLE here (a)").unwrap();
            let opened = open_fixed(&path, &beside(&path, "-wal")).unwrap();
            let found = opened.query_row("SELECT name FROM sqlite_schema", [], |row| row.get::<_, String>(0));
            assert_eq!(found.unwrap(), "here");
            assert!(opened.execute_batch("CREATE TABLE there (a)").is_err());
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_copy_has_what_only_the_log_of_a_file_holds() {
        let folder = tempfile::tempdir().unwrap();
        let (path, target) = (folder.path().join("a.db"), folder.path().join("copy.db"));
        let writer = Connection::open(&path).unwrap();
        let tables = "PRAGMA journal_mode = WAL; PRAGMA user_version = 3; CREATE TABLE here (a);";
        writer.execute_batch(tables).unwrap();
        DeadLetterFile::open(&path).unwrap().copy_to(&target).unwrap();
        let copy = Connection::open(&target).unwrap();
        let version: i64 = copy.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        assert_eq!(version, 3);
        copy.execute_batch("INSERT INTO here VALUES (1)").unwrap();
        let again = DeadLetterFile::open(&path).unwrap().copy_to(&target).unwrap_err();
        assert!(again.message().contains("copy.db"), "{again}");
    }
}
