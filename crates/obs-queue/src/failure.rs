//! What went wrong on the disk, in words that name the place, the cause and the next step.

use std::fmt;
use std::io;
use std::path::Path;

use rusqlite::ErrorCode;

/// Why the disk is of no use at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It may pass: the same file is tried again.
    Disk(Box<str>),
    /// The file is damaged or not ours: it is set aside.
    Damaged(Box<str>),
}

impl Trouble {
    /// What it says.
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Disk(message) | Self::Damaged(message) => message,
        }
    }
}

/// What SQLite reports about this file.
pub(crate) fn of(path: &Path, cause: &rusqlite::Error) -> Trouble {
    let next = match cause.sqlite_error_code() {
        // What we ask is always the same: a table that does not know it is damaged, too.
        Some(
            ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::Unknown
            | ErrorCode::ConstraintViolation
            | ErrorCode::TypeMismatch,
        ) => return damaged(path, cause),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program holds the write lock; let it finish"
        }
        Some(ErrorCode::DiskFull) => "free some space, or set max_size",
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            "make the folder and its files writable"
        }
        _ => "look at the disk",
    };
    Trouble::Disk(format!("{}: {cause}; {next}", path.display()).into())
}

/// What the file system reports.
pub(crate) fn io(path: &Path, what: &str, cause: &io::Error) -> Trouble {
    Trouble::Disk(format!("{}: {what} ({cause}); mend it, and it is used again", path.display()).into())
}

/// The file cannot be read as ours.
pub(crate) fn damaged(path: &Path, cause: &dyn fmt::Display) -> Trouble {
    Trouble::Damaged(format!("{}: {cause}", path.display()).into())
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn every_trouble_of_sqlite_is_named_with_the_next_step() {
        for (code, part) in [
            (ffi::SQLITE_BUSY, "write lock"),
            (ffi::SQLITE_IOERR, "look at the disk"),
            (ffi::SQLITE_FULL, "free some space"),
            (ffi::SQLITE_READONLY, "writable"),
            (ffi::SQLITE_CANTOPEN, "writable"),
        ] {
            let cause = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            let trouble = of(Path::new("q/queue.db"), &cause);
            assert!(matches!(trouble, Trouble::Disk(_)), "{code}");
            let said = trouble.message();
            assert!(said.starts_with("q/queue.db: ") && said.contains(part), "{said}");
        }
        for code in [ffi::SQLITE_CORRUPT, ffi::SQLITE_NOTADB, ffi::SQLITE_ERROR, ffi::SQLITE_CONSTRAINT] {
            let cause = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            assert!(matches!(of(Path::new("q"), &cause), Trouble::Damaged(_)), "{code}");
        }
    }
}
