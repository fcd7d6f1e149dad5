//! Files as the place for dead letters.

use async_trait::async_trait;
use obs_core::{Batch, DeadLetters, Error, Rejection, Signal};
use obs_json::dead_letter_lines;

use crate::jsonl::Jsonl;
use crate::{FileExporter, FileFormat};

/// Each record is its canonical line with a `dead_letter` in it, who rejected it and why, so that [`crate::read`] reads
/// the records back; a rejection without records is a line without a record, in the file of logs where each signal has
/// its own.
///
/// A rejection is written whole or not at all; only files of JSON Lines take it, and a serializer is not asked.
#[async_trait]
impl DeadLetters for FileExporter {
    async fn put(&self, destination: &str, rejection: &Rejection) -> Result<(), Error> {
        if self.format() != FileFormat::Jsonl {
            let message = format!("{} has no form for dead letters; set it to jsonl", self.format());
            return Err(Error::config("file_format", message));
        }
        let lines = dead_letter_lines(destination, rejection)?;
        let signal = rejection.records.as_ref().map_or(Signal::Logs, Batch::signal);
        self.write_rows(signal, &Jsonl { serializer: None }, &lines)
    }
}
