//! The database file: making it, telling it from foreign ones, and noticing that it was replaced.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use obs_core::Error;

use crate::failure;

/// How every SQLite database begins.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Makes the file and its folders where they are missing, readable by their owner only, and refuses what is no
/// database.
pub(crate) fn prepare(path: &Path) -> Result<(), Error> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_folder(folder)
            .map_err(|cause| failure::unusable(folder, "the folder cannot be made", &cause))?;
    }
    match create(path) {
        Ok(_) => return Ok(()),
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists => {}
        Err(cause) => return Err(failure::unusable(path, "the file cannot be made", &cause)),
    }
    check(path)?;
    let writable = OpenOptions::new().append(true).open(path);
    writable.map(drop).map_err(|cause| failure::unusable(path, "the file cannot be written to", &cause))
}

/// Refuses what exists and is no SQLite database; an empty file may become one.
pub(crate) fn check(path: &Path) -> Result<(), Error> {
    let unreadable = |cause: &io::Error| failure::unusable(path, "the file cannot be read", cause);
    let kind = fs::metadata(path).map_err(|cause| unreadable(&cause))?;
    if !kind.is_file() {
        let what = if kind.is_dir() { "a folder" } else { "no regular file" };
        return Err(failure::foreign(path, &format!("is {what}")));
    }
    let mut begin = Vec::with_capacity(MAGIC.len());
    let file = File::open(path).map_err(|cause| unreadable(&cause))?;
    file.take(MAGIC.len() as u64).read_to_end(&mut begin).map_err(|cause| unreadable(&cause))?;
    if begin.is_empty() || begin == MAGIC {
        return Ok(());
    }
    Err(failure::foreign(path, "is not a SQLite database"))
}

#[cfg(unix)]
fn make_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(folder)
}

#[cfg(unix)]
fn create(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Which file a path leads to, so that one that was moved away or replaced is noticed.
///
/// SQLite goes on writing to a file that nobody can find any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    path: PathBuf,
    inode: (u64, u64),
}

impl Identity {
    /// The file that is there now.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|kind| Self { path: path.to_owned(), inode: inode(&kind) })
    }

    /// Whether the path still leads to it.
    pub(crate) fn holds(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|kind| inode(&kind) == self.inode)
    }
}

#[cfg(unix)]
fn inode(kind: &fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (kind.dev(), kind.ino())
}

/// Where files have no number, only a missing file is noticed.
#[cfg(not(unix))]
fn inode(_: &fs::Metadata) -> (u64, u64) {
    (0, 0)
}
