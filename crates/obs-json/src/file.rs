//! A file that several processes may append to.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::sink::{Partial, Torn, write_lines};

/// An open file and its path.
///
/// It is opened for appending, so that the system puts each write at the end, whoever else writes.
/// Where the file under the path is another one than the open one, since somebody moved or removed it, it is opened anew.
#[derive(Debug)]
pub(crate) struct FileSink {
    path: PathBuf,
    file: File,
    torn: Torn,
}

impl FileSink {
    /// Opens the file, and makes it and its folders if they are not there.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let (file, torn) = open(path)?;
        Ok(Self { path: path.to_owned(), file, torn })
    }

    pub(crate) fn write(&mut self, lines: &[u8]) -> Result<(), Partial> {
        if !is_at(&self.file, &self.path) {
            (self.file, self.torn) = open(&self.path).map_err(|cause| Partial { written: 0, cause })?;
        }
        write_lines(&mut self.file, &mut self.torn, lines)
    }

    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    pub(crate) fn trouble(&mut self) -> Option<String> {
        if !is_at(&self.file, &self.path) {
            match open(&self.path) {
                Ok((file, torn)) => (self.file, self.torn) = (file, torn),
                Err(cause) => return Some(format!("{}: {cause}", self.path.display())),
            }
        }
        None
    }
}

/// The file, opened for appending, and whether it ends within a line.
fn open(path: &Path) -> io::Result<(File, Torn)> {
    refuse_what_is_no_file(path)?;
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make_folders(parent)?;
    }
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    let torn = ends_within_a_line(path);
    Ok((file, torn))
}

/// Folders and dangling links get an error that says so, not the system's.
fn refuse_what_is_no_file(path: &Path) -> io::Result<()> {
    let refuse = |what: String| Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    if path.as_os_str().is_empty() {
        return refuse("the path is empty; give the path of a file".into());
    }
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => refuse("it is a folder; give the path of a file in it".into()),
        Ok(_) => Ok(()),
        Err(cause) => match fs::read_link(path) {
            Ok(target) => refuse(format!(
                "it is a link to {}, which cannot be used: {cause}; remove the link",
                target.display()
            )),
            Err(_) => Ok(()),
        },
    }
}

fn make_folders(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let made = builder.create(path);
    made.map_err(|cause| {
        io::Error::new(cause.kind(), format!("its folder {} cannot be made: {cause}", path.display()))
    })
}

/// Whether the last byte is no newline, as after a crash; devices and what cannot be read count as whole.
fn ends_within_a_line(path: &Path) -> Torn {
    let last = || -> io::Result<bool> {
        let mut file = File::open(path)?;
        if !file.metadata()?.is_file() || file.metadata()?.len() == 0 {
            return Ok(false);
        }
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        Ok(last != *b"\n")
    };
    // A fifo without a writer would block, so only regular files are opened.
    fs::metadata(path).is_ok_and(|found| found.is_file()) && last().unwrap_or(false)
}

/// Whether the open file is the one under the path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(found)) => (open.dev(), open.ino()) == (found.dev(), found.ino()),
        _ => false,
    }
}

/// Elsewhere an open file can be neither moved nor removed.
#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}
