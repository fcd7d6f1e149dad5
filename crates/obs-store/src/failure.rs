//! What went wrong, in words that name the file, the cause and the next step.

use std::fmt;
use std::io;
use std::path::Path;
use std::time::Duration;

use obs_core::{Error, ErrorKind, Failure, Retry};
use rusqlite::ErrorCode;

/// How long to wait where only a person can help, before looking again.
const LONG: Duration = Duration::from_mins(1);

/// How long to wait for room on the disk, before looking again.
const SHORT: Duration = Duration::from_secs(10);

/// The file system does not let the store be there.
pub(crate) fn unusable(path: &Path, what: &str, cause: &io::Error) -> Error {
    let message = format!("{}: {what} ({cause}); mend it, or choose another path", path.display());
    Error::without_records(ErrorKind::Io, message)
}

/// There is something else at the path; it is left alone.
pub(crate) fn foreign(path: &Path, what: &str) -> Error {
    Error::config(
        "path",
        format!("{} {what}; choose another path, obs leaves this one as it is", path.display()),
    )
}

/// What SQLite reports, for records that wait for it.
pub(crate) fn of(path: &Path, cause: &rusqlite::Error) -> Failure {
    let (retry, next) = match cause.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            (Retry::Backoff, "another process holds the write lock; let it finish its transaction")
        }
        Some(ErrorCode::DiskFull) => (Retry::Hold(SHORT), "free some space, or set max_size"),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            (Retry::Hold(LONG), "make the file and its folder writable")
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            (Retry::Hold(LONG), "the file is damaged; move it aside, and a new one is made at once")
        }
        _ => (Retry::Backoff, "look at the disk; it is tried again"),
    };
    failure(retry, path, cause, next)
}

/// A record or query that cannot be read.
pub(crate) fn reading(path: &Path, cause: &rusqlite::Error) -> Error {
    let next = match cause {
        rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::InvalidColumnType(..) => {
            "the row was not written by this version of obs; remove it, or read it with the version that wrote it"
        }
        _ => {
            let Failure { message, .. } = of(path, cause);
            return Error::without_records(ErrorKind::Io, message);
        }
    };
    Error::without_records(ErrorKind::Io, failure(Retry::Never, path, cause, next).message)
}

fn failure(retry: Retry, path: &Path, cause: &dyn fmt::Display, next: &str) -> Failure {
    let message = format!("{}: {cause}; {next}", path.display()).into();
    Failure { kind: ErrorKind::Io, retry, status: None, message }
}

/// The store cannot be opened at all.
pub(crate) fn opening(cause: &Error) -> Failure {
    Failure { kind: ErrorKind::Io, retry: Retry::Hold(LONG), status: None, message: cause.message().into() }
}

/// The writer thread is gone, without having been asked to end.
pub(crate) fn writer_gone(path: &Path) -> Failure {
    failure(Retry::Hold(LONG), path, &"the writer thread has ended", "restart the process, and report it")
}

/// How long to wait before doing again by itself what failed so.
pub(crate) fn pause(failure: &Failure) -> Duration {
    match failure.retry {
        Retry::Hold(pause) | Retry::After(pause) => pause,
        Retry::Backoff | Retry::Never => SHORT,
    }
}

/// The same failure, for another call that waits for the same transaction.
pub(crate) fn again(failure: &Failure) -> Failure {
    Failure { message: failure.message.clone(), ..*failure }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    fn sqlite(code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn every_trouble_of_sqlite_is_io_and_keeps_the_records() {
        for (code, held, part) in [
            (ffi::SQLITE_BUSY, false, "write lock"),
            (ffi::SQLITE_LOCKED, false, "write lock"),
            (ffi::SQLITE_IOERR, false, "disk"),
            (ffi::SQLITE_FULL, true, "space"),
            (ffi::SQLITE_READONLY, true, "writable"),
            (ffi::SQLITE_CANTOPEN, true, "writable"),
            (ffi::SQLITE_CORRUPT, true, "damaged"),
            (ffi::SQLITE_NOTADB, true, "damaged"),
        ] {
            let failure = of(Path::new("x/obs.db"), &sqlite(code));
            assert_eq!(failure.kind, ErrorKind::Io);
            assert_eq!(matches!(failure.retry, Retry::Hold(_)), held, "{code}");
            assert_eq!(matches!(failure.retry, Retry::Backoff), !held, "{code}");
            assert!(failure.message.starts_with("x/obs.db: ") && failure.message.contains(part), "{code}");
        }
    }
}
