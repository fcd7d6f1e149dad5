//! A file as a sequence of export requests: one a line, or the whole file.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read as _};
use std::path::Path;

use obs_otlp::ingest::MAX_BODY_BYTES;
use serde::de::IgnoredAny;

/// A request's text and the line that it begins at, or the line that could not be read and why.
pub(super) type Request = Result<(usize, String), (usize, io::Error)>;

/// A file of export requests.
pub(super) struct Source {
    shape: Shape,
    line: usize,
}

enum Shape {
    /// One request, spread over lines.
    Whole(String),
    /// A request a line.
    Lines(Box<dyn BufRead>),
    /// Nothing is left.
    Ended,
}

impl Source {
    /// Opens a file and finds out what it is.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"));
        }
        Self::new(BufReader::new(file))
    }

    fn new(mut reader: impl BufRead + 'static) -> io::Result<Self> {
        let limit = MAX_BODY_BYTES as u64 + 1;
        let mut head = Vec::new();
        while head.trim_ascii().is_empty() && reader.by_ref().take(limit).read_until(b'\n', &mut head)? > 0 {}
        // A first line that breaks off may be the begin of a spread-out request, or a broken one among others.
        if breaks_off(&head) {
            reader.by_ref().take(limit).read_to_end(&mut head)?;
            if serde_json::from_slice::<IgnoredAny>(&head).is_ok() {
                let text = String::from_utf8(head).map_err(io::Error::other)?;
                return Ok(Self { shape: Shape::Whole(text), line: 0 });
            }
        }
        Ok(Self { shape: Shape::Lines(Box::new(Cursor::new(head).chain(reader))), line: 0 })
    }

    /// The next request; blank lines are skipped.
    pub(super) fn next_request(&mut self) -> Option<Request> {
        loop {
            self.line += 1;
            let line = match std::mem::replace(&mut self.shape, Shape::Ended) {
                Shape::Ended => return None,
                Shape::Whole(text) => return Some(Ok((1, text))),
                Shape::Lines(mut reader) => {
                    let line = read_line(&mut reader);
                    // Bytes that are no text spoil their line alone; another failure spoils the rest of the file.
                    let spoilt = line.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::InvalidData);
                    if !spoilt {
                        self.shape = Shape::Lines(reader);
                    }
                    line
                }
            };
            match line {
                Ok(None) => self.shape = Shape::Ended,
                Ok(Some(text)) if text.trim().is_empty() => {}
                Ok(Some(text)) => return Some(Ok((self.line, text))),
                Err(error) => return Some(Err((self.line, error))),
            }
        }
    }
}

fn breaks_off(line: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(line).is_err_and(|error| error.is_eof())
}

/// The next line, or `None` at the end; one that is too long is skipped and refused.
fn read_line(reader: &mut dyn BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    if reader.take(MAX_BODY_BYTES as u64 + 1).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.len() > MAX_BODY_BYTES && !line.ends_with(b"\n") {
        reader.skip_until(b'\n')?;
        let why = format!("the line is longer than {MAX_BODY_BYTES} bytes; split the request into several");
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    String::from_utf8(line)
        .map(Some)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(text: &[u8]) -> Vec<(usize, Option<String>)> {
        let mut source = Source::new(Cursor::new(text.to_vec())).unwrap();
        let mut out = Vec::new();
        while let Some(request) = source.next_request() {
            out.push(match request {
                Ok((line, text)) => (line, Some(text.trim_end().to_owned())),
                Err((line, _)) => (line, None),
            });
        }
        out
    }

    fn read(line: usize, text: &str) -> (usize, Option<String>) {
        (line, Some(text.to_owned()))
    }

    #[test]
    fn lines_are_numbered_with_the_blank_ones() {
        assert_eq!(
            requests(b"\n{}\n\n[1]\n{\"a\":2}"),
            [read(2, "{}"), read(4, "[1]"), read(5, "{\"a\":2}")]
        );
        assert_eq!(requests(b""), []);
        assert_eq!(requests(b"\n \n"), []);
    }

    #[test]
    fn a_request_spread_over_lines_is_one() {
        assert_eq!(requests(b"\n{\n \"a\": 1\n}\n"), [read(1, "\n{\n \"a\": 1\n}")]);
    }

    #[test]
    fn a_first_line_that_breaks_off_does_not_hide_the_others() {
        assert_eq!(requests(b"{\"a\":\n{}\n{}"), [read(1, "{\"a\":"), read(2, "{}"), read(3, "{}")]);
    }

    #[test]
    fn bytes_that_are_no_text_spoil_their_line_alone() {
        assert_eq!(requests(b"{}\n\xff\xfe\n{}\n"), [read(1, "{}"), (2, None), read(3, "{}")]);
        assert_eq!(requests(b"\xff\n{}\n"), [(1, None), read(2, "{}")]);
    }
}
