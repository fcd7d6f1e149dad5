//! Reading lines back, from one file or all of a folder.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use obs_core::{Error, ErrorKind, Record};
use obs_json::{BadLine, BadLineCause, Lines, MAX_LINE_BYTES};

use crate::compress::{Bound, unpacked_within};
use crate::site::OPEN;

/// How names of files that can be read back end, before `.open`.
const ENDS: [&str; 3] = [".jsonl", ".jsonl.gz", ".jsonl.zst"];

/// The records of files of JSON Lines, and what is wrong with the lines that are none.
///
/// A bad line is an item like any other, and reading goes on behind it: with the next line, or, where the file cannot be
/// read any further, with the next file.
pub struct FileLines {
    paths: VecDeque<PathBuf>,
    current: Option<Current>,
    max_bytes: usize,
    bound: Bound,
}

/// The file that is being read.
struct Current {
    lines: Lines<Box<dyn BufRead + Send>>,
    source: Arc<str>,
    /// Set where a compressed stream breaks off.
    torn: Arc<AtomicBool>,
    /// Whether that it breaks off was told.
    told: bool,
}

/// The records of one file: plain, gzip or zstd, as its first bytes say; closed or still open.
///
/// What breaks off at the end, as after a crash, is a [`BadLine`] and the records before it are there.
///
/// # Errors
/// An I/O error that names the file when it cannot be opened or holds no JSON Lines.
pub fn read(path: impl AsRef<Path>) -> Result<FileLines, Error> {
    let path = path.as_ref();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if is_table(&name) {
        let message = format!("{}: only JSON Lines can be read back as records", path.display());
        return Err(Error::without_records(ErrorKind::Io, message));
    }
    let mut lines = FileLines::of(VecDeque::new());
    lines.current = Some(lines.open(path, Named::ByUser).map_err(|cause| failed(path, cause))?);
    Ok(lines)
}

/// The records of all files in a folder whose names end in `.jsonl`, `.jsonl.gz` or `.jsonl.zst`, and of those still
/// open; the file that was last written comes last.
///
/// # Errors
/// An I/O error that names the folder when it cannot be listed. A file that cannot be read is a [`BadLine`].
pub fn read_directory(path: impl AsRef<Path>) -> Result<FileLines, Error> {
    let path = path.as_ref();
    Ok(FileLines::of(list(path).map_err(|cause| failed(path, cause))?))
}

/// Who says that a file is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    /// A user, who may name a link.
    ByUser,
    /// The list of a folder, where a link may have come into the place of a file meanwhile.
    ByList,
}

impl FileLines {
    fn of(paths: VecDeque<PathBuf>) -> Self {
        Self { paths, current: None, max_bytes: MAX_LINE_BYTES, bound: Bound::default() }
    }

    /// Sets the longest line that is read; a longer one is skipped without being held. 64 MiB by default.
    #[must_use]
    pub fn with_max_line_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        if let Some(current) = self.current.take() {
            self.current = Some(Current { lines: current.lines.with_max_line_bytes(bytes), ..current });
        }
        self
    }

    /// Sets how many bytes a compressed file may inflate to; what is behind them is given up as a [`BadLine`].
    ///
    /// By default 16 GiB, and a thousand times of what was read where that is less and more than 64 MiB, so that a small
    /// file that somebody made to inflate without end keeps nobody busy.
    #[must_use]
    pub fn with_max_inflated_bytes(self, bytes: u64) -> Self {
        self.bound.set(bytes);
        self
    }

    fn open(&self, path: &Path, named: Named) -> io::Result<Current> {
        let file = open_file(path, named)?;
        let found = file.metadata()?;
        if found.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder; use `read_directory`"));
        }
        if !found.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no plain file"));
        }
        let torn = Arc::default();
        let reader = unpacked_within(BufReader::with_capacity(1 << 16, file), &self.bound, &torn)?;
        let source: Arc<str> = path.display().to_string().into();
        let lines = Lines::new(reader, Arc::clone(&source)).with_max_line_bytes(self.max_bytes);
        Ok(Current { lines, source, torn, told: false })
    }

    /// A file that was open when the folder was listed may be closed by now, and have its name.
    fn open_or_closed(&self, path: &Path) -> io::Result<Current> {
        match self.open(path, Named::ByList) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => match closed_name(path) {
                Some(closed) => self.open(&closed, Named::ByList),
                None => Err(cause),
            },
            opened => opened,
        }
    }
}

impl Current {
    /// The next item; that the stream breaks off is one behind the last, unless the last line says so itself.
    fn next(&mut self) -> Option<Result<Record, BadLine>> {
        let item = self.lines.next();
        self.told |= matches!(item, Some(Err(BadLine { cause: BadLineCause::Torn, .. })));
        if item.is_some() || self.told || !self.torn.load(Ordering::Relaxed) {
            return item;
        }
        self.told = true;
        let (source, line) = (Arc::clone(&self.source), self.lines.line() + 1);
        Some(Err(BadLine { source, line, cause: BadLineCause::Torn }))
    }
}

impl Iterator for FileLines {
    type Item = Result<Record, BadLine>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.current.as_mut().and_then(Current::next) {
                return Some(item);
            }
            let path = self.paths.pop_front()?;
            self.current = match self.open_or_closed(&path) {
                Ok(current) => Some(current),
                Err(cause) => {
                    self.current = None;
                    let source = path.display().to_string().into();
                    return Some(Err(BadLine { source, line: 0, cause: BadLineCause::Io(cause) }));
                }
            };
        }
    }
}

impl fmt::Debug for FileLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileLines").field("paths", &self.paths).finish_non_exhaustive()
    }
}

fn failed(path: &Path, cause: io::Error) -> Error {
    Error::without_records(ErrorKind::Io, format!("{}: {cause}", path.display())).with_source(cause)
}

fn is_table(name: &str) -> bool {
    let name = name.strip_suffix(OPEN).unwrap_or(name);
    [".csv", ".csv.gz", ".csv.zst", ".parquet"].iter().any(|end| name.ends_with(end))
}

/// Without waiting for the other end of a pipe.
fn open_file(path: &Path, named: Named) -> io::Result<File> {
    #[cfg(unix)]
    {
        use rustix::fs::{Mode, OFlags};
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let flags = if named == Named::ByList { flags | OFlags::NOFOLLOW } else { flags };
        Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
    }
    #[cfg(not(unix))]
    {
        let _ = named;
        File::open(path)
    }
}

fn closed_name(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?.strip_suffix(OPEN)?;
    Some(path.with_file_name(name))
}

/// The files of a folder in the order of their last writes; one that got its name meanwhile counts once.
fn list(folder: &Path) -> io::Result<VecDeque<PathBuf>> {
    let mut found: BTreeMap<(u64, u64, OsString), (SystemTime, OsString, PathBuf)> = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        let stem = name.strip_suffix(OPEN).unwrap_or(&name);
        if !ENDS.iter().any(|end| stem.ends_with(end)) {
            continue;
        }
        let mut path = entry.path();
        let mut looked = fs::symlink_metadata(&path);
        if looked.as_ref().is_err_and(|cause| cause.kind() == io::ErrorKind::NotFound) {
            // Closed since the folder gave its name, or removed.
            let Some(closed) = closed_name(&path) else { continue };
            (looked, path) = (fs::symlink_metadata(&closed), closed);
        }
        // A link may lead anywhere, and back to a file that is read already.
        let Some(looked) = looked.ok().filter(fs::Metadata::is_file) else { continue };
        let written = looked.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        found.insert(identity(&looked, &path), (written, name.into(), path));
    }
    let mut found: Vec<_> = found.into_values().collect();
    found.sort();
    Ok(found.into_iter().map(|(_, _, path)| path).collect())
}

/// What tells files apart, whatever their names are.
fn identity(found: &fs::Metadata, path: &Path) -> (u64, u64, OsString) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let _ = path;
        (found.dev(), found.ino(), OsString::new())
    }
    #[cfg(not(unix))]
    {
        let _ = found;
        (0, 0, path.into())
    }
}
