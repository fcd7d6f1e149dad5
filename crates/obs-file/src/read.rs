//! Reading lines back, from one file or all of a folder.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use obs_core::{Error, ErrorKind, Record};
use obs_json::{BadLine, BadLineCause, Lines, MAX_LINE_BYTES};

use crate::compress::unpacked;
use crate::site::OPEN;

/// How names of files that can be read back end, before `.open`.
const ENDS: [&str; 3] = [".jsonl", ".jsonl.gz", ".jsonl.zst"];

/// The records of files of JSON Lines, and what is wrong with the lines that are none.
///
/// A bad line is an item like any other, and reading goes on behind it: with the next line, or, where the file cannot be
/// read any further, with the next file.
pub struct FileLines {
    paths: VecDeque<PathBuf>,
    current: Option<Lines<Box<dyn BufRead + Send>>>,
    max_bytes: usize,
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
    let lines = open(path, MAX_LINE_BYTES).map_err(|cause| failed(path, cause))?;
    Ok(FileLines { paths: VecDeque::new(), current: Some(lines), max_bytes: MAX_LINE_BYTES })
}

/// The records of all files in a folder whose names end in `.jsonl`, `.jsonl.gz` or `.jsonl.zst`, and of those still
/// open; the file that was last written comes last.
///
/// # Errors
/// An I/O error that names the folder when it cannot be listed. A file that cannot be read is a [`BadLine`].
pub fn read_directory(path: impl AsRef<Path>) -> Result<FileLines, Error> {
    let path = path.as_ref();
    let paths = list(path).map_err(|cause| failed(path, cause))?;
    Ok(FileLines { paths, current: None, max_bytes: MAX_LINE_BYTES })
}

impl FileLines {
    /// Sets the longest line that is read; a longer one is skipped without being held.
    #[must_use]
    pub fn with_max_line_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self.current = self.current.map(|lines| lines.with_max_line_bytes(bytes));
        self
    }
}

impl Iterator for FileLines {
    type Item = Result<Record, BadLine>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.current.as_mut().and_then(Lines::next) {
                return Some(item);
            }
            let path = self.paths.pop_front()?;
            self.current = match open_or_closed(&path, self.max_bytes) {
                Ok(lines) => Some(lines),
                Err(cause) => {
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

fn open(path: &Path, max_bytes: usize) -> io::Result<Lines<Box<dyn BufRead + Send>>> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder; use `read_directory`"));
    }
    let reader = unpacked(BufReader::with_capacity(1 << 16, file))?;
    Ok(Lines::new(reader, path.display().to_string()).with_max_line_bytes(max_bytes))
}

/// A file that was open when the folder was listed may be closed by now, and have its name.
fn open_or_closed(path: &Path, max_bytes: usize) -> io::Result<Lines<Box<dyn BufRead + Send>>> {
    match open(path, max_bytes) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => match closed_name(path) {
            Some(closed) => open(&closed, max_bytes),
            None => Err(cause),
        },
        opened => opened,
    }
}

fn closed_name(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?.strip_suffix(OPEN)?;
    Some(path.with_file_name(name))
}

/// The files of a folder in the order of their last writes; one that got its name meanwhile counts once.
fn list(folder: &Path) -> io::Result<VecDeque<PathBuf>> {
    let mut found: BTreeMap<String, (SystemTime, PathBuf)> = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        let stem = name.strip_suffix(OPEN).unwrap_or(&name);
        // A link may lead anywhere, and back to a file that is read already.
        if !ENDS.iter().any(|end| stem.ends_with(end)) || !entry.file_type()?.is_file() {
            continue;
        }
        let written = entry.metadata().and_then(|found| found.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
        found.insert(stem.to_owned(), (written, entry.path()));
    }
    let mut found: Vec<_> = found.into_iter().map(|(stem, (written, path))| (written, stem, path)).collect();
    found.sort();
    Ok(found.into_iter().map(|(_, _, path)| path).collect())
}
