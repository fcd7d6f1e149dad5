//! The folder and its files: made for their owner only, locked against other processes, set aside when damaged.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use obs_core::{Error, Timestamp};

use crate::failure::{self, Trouble};

/// Why a folder is not ours to use.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Another process has it.
    Taken(Error),
    /// The disk does not let us.
    Trouble(Trouble),
}

/// Makes the folder where it is missing, and takes the lock that keeps other processes out; it is given back when the
/// file is dropped, and by the system when the process dies.
pub(crate) fn take(directory: &Path, lock: &str) -> Result<File, Refused> {
    make_folder(directory).map_err(|cause| refuse(directory, "the folder cannot be made", &cause))?;
    let path = directory.join(lock);
    let file = private().write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(|cause| refuse(&path, "the file cannot be opened", &cause))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Refused::Taken(taken(directory))),
        Err(TryLockError::Error(cause)) => Err(refuse(&path, "the file cannot be locked", &cause)),
    }
}

fn refuse(path: &Path, what: &str, cause: &io::Error) -> Refused {
    Refused::Trouble(failure::io(path, what, cause))
}

fn taken(directory: &Path) -> Error {
    let message = format!(
        "{} is in use by another process, and one queue serves one process: stop that one, or give each process a directory of its own",
        directory.display()
    );
    Error::config("directory", message)
}

/// Makes the database file, empty, where it is missing; whether it was.
pub(crate) fn make(path: &Path) -> Result<bool, Trouble> {
    match private().write(true).create_new(true).open(path) {
        Ok(_) => Ok(true),
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(cause) => Err(failure::io(path, "the file cannot be made", &cause)),
    }
}

/// Renames a database and what belongs to it, so that a new one can be begun; returns where it went.
pub(crate) fn set_aside(path: &Path, why: &str, now: Timestamp) -> Result<PathBuf, Trouble> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = format!("{name}.{why}-{}", stamp(now));
    let free = |at: &u32| {
        let name = if *at == 0 { stem.clone() } else { format!("{stem}-{at}") };
        !path.with_file_name(name).exists()
    };
    let at = (0..1_000).find(free).unwrap_or_default();
    let stem = if at == 0 { stem } else { format!("{stem}-{at}") };
    let target = path.with_file_name(&stem);
    fs::rename(path, &target)
        .map_err(|cause| failure::io(path, "the damaged file cannot be set aside", &cause))?;
    for end in ["-wal", "-shm"] {
        let beside = path.with_file_name(format!("{name}{end}"));
        let moved = fs::rename(&beside, path.with_file_name(format!("{stem}{end}")));
        if let Err(cause) = moved
            && cause.kind() != ErrorKind::NotFound
        {
            return Err(failure::io(&beside, "it cannot be set aside", &cause));
        }
    }
    Ok(target)
}

/// `20261121T130500Z`, in UTC.
fn stamp(now: Timestamp) -> String {
    let seconds = now.as_millis() / 1_000;
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// The date this many days after 1970-01-01.
fn date(mut days: u64) -> (u64, u64, u64) {
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    (year, month as u64 + 1, days + 1)
}

#[cfg(unix)]
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(folder)
}

#[cfg(unix)]
fn private() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(not(unix))]
fn private() -> OpenOptions {
    OpenOptions::new()
}

/// Which file a path leads to, so that one that was moved away or replaced is noticed: SQLite goes on writing to a file
/// that nobody can find any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity(u64, u64);

impl Identity {
    /// The file that is there now, if any.
    #[cfg(unix)]
    pub(crate) fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(path).ok().map(|kind| Self(kind.dev(), kind.ino()))
    }

    /// Where files have no number, only a missing file is noticed.
    #[cfg(not(unix))]
    pub(crate) fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().map(|_| Self(0, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_dates_in_utc() {
        for (seconds, text) in [
            (0, "19700101T000000Z"),
            (951_782_399, "20000228T235959Z"),
            (951_782_400, "20000229T000000Z"),
            (1_795_266_300, "20261121T130500Z"),
        ] {
            assert_eq!(stamp(Timestamp::from_nanos(seconds * 1_000_000_000)), text);
        }
    }

    #[test]
    fn a_folder_serves_one_at_a_time_and_the_error_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("deep/queue");
        let held = take(&directory, "queue.lock").unwrap();
        let Err(Refused::Taken(error)) = take(&directory, "queue.lock") else { panic!("it is taken") };
        let said = error.to_string();
        assert!(said.contains("deep/queue is in use by another process") && said.contains("own"), "{said}");
        drop(held);
        assert!(take(&directory, "queue.lock").is_ok());
    }

    #[test]
    fn what_is_set_aside_overwrites_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue.db");
        let mut names = std::collections::BTreeSet::new();
        for at in 0..3 {
            fs::write(&path, format!("{at}")).unwrap();
            fs::write(folder.path().join("queue.db-wal"), "log").unwrap();
            let target = set_aside(&path, "damaged", Timestamp::default()).unwrap();
            assert_eq!(fs::read_to_string(&target).unwrap(), format!("{at}"));
            names.insert(target);
        }
        assert_eq!(names.len(), 3);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 6);
    }
}
