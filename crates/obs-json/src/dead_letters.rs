//! A file of JSON Lines as the place for dead letters.

use std::io::Write;

use async_trait::async_trait;
use obs_core::{Batch, DeadLetters, Error, ErrorKind, Rejection};
use serde::Serialize;

use crate::JsonExporter;
use crate::wire::Request;

/// Who rejected a record, and why; beside the record in its line.
#[derive(Debug, Serialize)]
struct Letter<'a> {
    destination: &'a str,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    reason: &'a str,
    attempts: u32,
    /// How many records it stands for, where the backend did not say which.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
}

impl<'a> Letter<'a> {
    fn new(destination: &'a str, rejection: &'a Rejection) -> Self {
        let Rejection { records, count, kind, status, reason, attempts } = rejection;
        let count = records.is_none().then_some(*count);
        Self { destination, kind: kind.as_str(), status: *status, reason, attempts: *attempts, count }
    }
}

/// Each record is its canonical line with a `dead_letter` in it, so that [`crate::read_lines`] reads the records back; a
/// rejection without records is a line without a record.
///
/// In memory the records are kept without the reasons.
#[async_trait]
impl DeadLetters for JsonExporter {
    async fn put(&self, destination: &str, rejection: &Rejection) -> Result<(), Error> {
        if self.keeps_records() {
            let mut kept = rejection.records.iter().cloned();
            let kept = kept.try_for_each(|records| self.send(Request::Records(records)));
            return kept.map_err(|(_, error)| error);
        }
        let lines = dead_letter_lines(destination, rejection)?;
        self.send(Request::Lines(lines)).map_err(|(_, error)| error)
    }
}

/// The lines of a rejection: one for each of its records, with who rejected it and why beside it, or one for the rejection
/// itself where the backend did not say which records it refused.
///
/// [`crate::read_lines`] reads the records back. For exporters that keep dead letters in files of their own.
///
/// # Errors
/// An encoding error when a record, or the rejection, has no JSON form; nothing is left out in silence.
pub fn dead_letter_lines(destination: &str, rejection: &Rejection) -> Result<Vec<u8>, Error> {
    let letter = Letter::new(destination, rejection);
    lines(&letter, rejection.records.as_ref())
}

fn lines(letter: &Letter<'_>, records: Option<&Batch>) -> Result<Vec<u8>, Error> {
    let no_json = |cause: &dyn std::fmt::Display| {
        Error::without_records(ErrorKind::Encode, format!("the dead letter has no JSON form: {cause}"))
    };
    let letter = serde_json::to_string(letter).map_err(|cause| no_json(&cause))?;
    let mut lines = Vec::new();
    let Some(records) = records else {
        let written = writeln!(lines, "{{\"v\":{},\"dead_letter\":{letter}}}", obs_core::SCHEMA_VERSION);
        return written.map(|()| lines).map_err(|cause| no_json(&cause));
    };
    let (mut plain, mut failed) = (Vec::new(), None);
    records.write_lines(&mut plain, |_, cause| failed = Some(no_json(&cause)));
    if let Some(error) = failed {
        return Err(error);
    }
    for line in plain.split_inclusive(|byte| *byte == b'\n') {
        // A line begins with its version and signal, which hold no such text.
        let at = memchr::memmem::find(line, b",\"record\":").unwrap_or_default();
        lines.extend_from_slice(&line[..at]);
        lines.extend_from_slice(b",\"dead_letter\":");
        lines.extend_from_slice(letter.as_bytes());
        lines.extend_from_slice(&line[at..]);
    }
    Ok(lines)
}
