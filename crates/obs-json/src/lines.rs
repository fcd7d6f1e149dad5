//! Reading lines back.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use obs_core::{Error, ErrorKind, LineError, Record};

/// The longest line that is read unless [`Lines::with_max_line_bytes`] says otherwise: 64 MiB, more than the pipeline
/// ever puts into one record.
pub const MAX_LINE_BYTES: usize = 64 << 20;

/// The records of a file of JSON Lines, and what is wrong with the lines that are none.
///
/// # Errors
/// An I/O error that names the file when it cannot be opened.
pub fn read_lines(path: impl AsRef<Path>) -> Result<Lines<BufReader<File>>, Error> {
    let path = path.as_ref();
    let open = || -> io::Result<File> {
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder; give a file in it"));
        }
        Ok(file)
    };
    let file = open().map_err(|cause| {
        Error::without_records(ErrorKind::Io, format!("{}: {cause}", path.display())).with_source(cause)
    })?;
    Ok(Lines::new(BufReader::with_capacity(1 << 16, file), path.display().to_string()))
}

/// The records of JSON Lines, one by one.
///
/// A bad line is an item like any other, and reading goes on behind it; only an I/O error ends it.
/// Empty lines are skipped, and a last line without a newline is a record if it is whole.
#[derive(Debug)]
pub struct Lines<R> {
    reader: R,
    source: Arc<str>,
    line: u64,
    max_bytes: usize,
    buffer: Vec<u8>,
    ended: bool,
}

/// A line that is no record: where and why.
#[derive(Debug)]
pub struct BadLine {
    /// What was read: the path of the file.
    pub source: Arc<str>,
    /// The number of the line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub cause: BadLineCause,
}

/// What is wrong with a line.
#[derive(Debug)]
pub enum BadLineCause {
    /// It is no record, or one of a newer obs.
    Record(LineError),
    /// It is no UTF-8 text.
    Encoding(std::str::Utf8Error),
    /// It is longer than this many bytes.
    TooLong(usize),
    /// It is the last one and breaks off, as when a process was killed or a disk was full.
    Torn,
    /// It cannot be read; nothing behind it is.
    Io(io::Error),
}

impl<R: BufRead> Lines<R> {
    /// Reads from `reader`, which errors call `source`.
    pub fn new(reader: R, source: impl Into<Arc<str>>) -> Self {
        let source = source.into();
        Self { reader, source, line: 0, max_bytes: MAX_LINE_BYTES, buffer: Vec::new(), ended: false }
    }

    /// Sets the longest line that is read; a longer one is skipped without being held.
    #[must_use]
    pub fn with_max_line_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// The number of the last line that was read, from 1; zero before the first.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Reads the next line into the buffer, without its newline.
    fn fill(&mut self) -> io::Result<Found> {
        self.buffer.clear();
        let (mut any, mut too_long) = (false, false);
        loop {
            let available = match self.reader.fill_buf() {
                Ok(available) => available,
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
                Err(cause) => return Err(cause),
            };
            if available.is_empty() {
                return Ok(if any { Found::Line { whole: false, too_long } } else { Found::End });
            }
            any = true;
            let newline = memchr::memchr(b'\n', available);
            let piece = &available[..newline.unwrap_or(available.len())];
            if self.buffer.len() + piece.len() > self.max_bytes {
                too_long = true;
                self.buffer.clear();
            } else if !too_long {
                self.buffer.extend_from_slice(piece);
            }
            let used = piece.len() + usize::from(newline.is_some());
            self.reader.consume(used);
            if newline.is_some() {
                return Ok(Found::Line { whole: true, too_long });
            }
        }
    }

    /// What the buffer holds; `None` where it is blank.
    fn read(&self, whole: bool) -> Option<Result<Record, BadLineCause>> {
        let blank = self.buffer.trim_ascii().is_empty();
        if blank {
            return None;
        }
        let text = match std::str::from_utf8(&self.buffer) {
            Ok(text) => text,
            Err(_) if !whole => return Some(Err(BadLineCause::Torn)),
            Err(cause) => return Some(Err(BadLineCause::Encoding(cause))),
        };
        Some(Record::from_line(text).map_err(|cause| match cause {
            // A number that breaks off behind its sign is no end of file to the parser, but it fails at the end.
            LineError::Malformed(cause) if !whole && (cause.is_eof() || cause.column() >= text.len()) => {
                BadLineCause::Torn
            }
            cause => BadLineCause::Record(cause),
        }))
    }

    fn bad(&self, cause: BadLineCause) -> BadLine {
        BadLine { source: Arc::clone(&self.source), line: self.line, cause }
    }
}

enum Found {
    Line { whole: bool, too_long: bool },
    End,
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<Record, BadLine>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            self.line += 1;
            match self.fill() {
                Ok(Found::Line { too_long: true, .. }) => {
                    return Some(Err(self.bad(BadLineCause::TooLong(self.max_bytes))));
                }
                Ok(Found::Line { whole, .. }) => {
                    if let Some(read) = self.read(whole) {
                        return Some(read.map_err(|cause| self.bad(cause)));
                    }
                }
                Ok(Found::End) => {
                    self.line -= 1;
                    self.ended = true;
                }
                Err(cause) => {
                    self.ended = true;
                    return Some(Err(self.bad(BadLineCause::Io(cause))));
                }
            }
        }
        None
    }
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.source, self.line, self.cause)
    }
}

impl fmt::Display for BadLineCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(cause) => cause.fmt(f),
            Self::Encoding(cause) => write!(f, "not UTF-8 text: {cause}"),
            Self::TooLong(limit) => write!(f, "longer than {limit} bytes; raise the limit to read it"),
            Self::Torn => f.write_str("the last line breaks off; what wrote it was stopped in the middle"),
            Self::Io(cause) => write!(f, "cannot be read: {cause}"),
        }
    }
}

impl std::error::Error for BadLine {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            BadLineCause::Record(cause) => Some(cause),
            BadLineCause::Encoding(cause) => Some(cause),
            BadLineCause::Io(cause) => Some(cause),
            BadLineCause::TooLong(_) | BadLineCause::Torn => None,
        }
    }
}
