//! Files as the place for dead letters.

use async_trait::async_trait;
use obs_core::{Batch, DeadLetters, Error, Rejection, Signal};
use obs_json::dead_letter_lines;

use crate::jsonl::Jsonl;
use crate::{FileConfig, FileExporter, FileFormat};

/// Each record is its canonical line with a `dead_letter` in it, who rejected it and why, so that [`crate::read`] reads
/// the records back; a rejection without records is a line without a record, in the file of logs where each signal has
/// its own.
///
/// A rejection is written whole or not at all; only files of JSON Lines take it, and a serializer is not asked.
#[async_trait]
impl DeadLetters for FileExporter {
    async fn put(&self, destination: &str, rejection: &Rejection) -> Result<(), Error> {
        takes_dead_letters(self.format())?;
        let lines = dead_letter_lines(destination, rejection)?;
        let signal = rejection.records.as_ref().map_or(Signal::Logs, Batch::signal);
        self.write_rows(signal, &Jsonl { serializer: None }, &lines)
    }
}

fn takes_dead_letters(format: FileFormat) -> Result<(), Error> {
    if format == FileFormat::Jsonl {
        return Ok(());
    }
    let message = format!("{format} has no form for dead letters; set it to jsonl");
    Err(Error::config("file_format", message))
}

impl FileExporter {
    /// As [`FileExporter::new`], for the place of dead letters: a format that has no form for them is an error here, and
    /// not only when the first record is rejected.
    ///
    /// # Errors
    /// As [`FileExporter::new`], and for CSV and Parquet.
    pub fn for_dead_letters(config: FileConfig) -> Result<Self, Error> {
        takes_dead_letters(config.file_format)?;
        Self::new(config)
    }
}
