//! Parquet: a table of typed columns for each signal.
//!
//! Rows wait in memory until there are enough for a row group, which is then encoded in memory and written at once; so a
//! disk that takes nothing costs no row, and memory holds little more than a row group.

mod columns;
mod schema;

use std::io;
use std::mem;

use obs_core::{Batch, Feedback, Log, Metric, Records, Refused, Score, Signal, SpanRecord};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;

use crate::format::{Handle, Table};
use crate::options::Compression;
use crate::table::Tabular;
use columns::Columns;

/// A row group is written when its rows have this many bytes, uncompressed.
const GROUP_BYTES: usize = 8 << 20;

/// Or when there are this many.
const GROUP_ROWS: usize = 64 << 10;

/// A file of Parquet that is being written.
#[derive(Debug)]
pub(crate) struct Parquet {
    out: Box<dyn Handle>,
    /// Writes to memory, from where [`Self::drain`] takes it to the disk.
    writer: SerializedFileWriter<Vec<u8>>,
    /// The rows of the next row group.
    rows: Columns,
    /// How many bytes the rows had that were encoded, and how many bytes they became.
    ratio: (u64, u64),
    /// How long the file is as far as it is good.
    written: u64,
    /// Whether something of a write that failed may stand behind that.
    torn: bool,
    /// Whether the footer was encoded.
    ended: bool,
}

impl Parquet {
    /// Begins an empty file.
    pub(crate) fn begin(signal: Signal, compression: Compression, out: Box<dyn Handle>) -> io::Result<Self> {
        let schema = schema::of(signal).map_err(|cause| wrong(&cause))?;
        let properties = schema::properties(signal, compression)?;
        let writer =
            SerializedFileWriter::new(Vec::new(), schema, properties).map_err(|cause| wrong(&cause))?;
        let (rows, ratio) = (Columns::of(signal), (0, 0));
        Ok(Self { out, writer, rows, ratio, written: 0, torn: false, ended: false })
    }

    fn take<T: Tabular>(&mut self, records: &Records<T>) -> io::Result<Vec<Refused>> {
        let (mut cells, mut refused) = (Vec::new(), Vec::new());
        for (at, record) in records.iter().enumerate() {
            match record.row(&mut cells) {
                Ok(()) => self.rows.push(&cells),
                Err(cause) => refused.push(Refused::encode(at, cause.to_string())),
            }
            if self.rows.len() >= GROUP_ROWS || self.rows.bytes() >= GROUP_BYTES {
                self.encode()?;
                // The rows are taken, whether the disk has them or not: the next call tells if it has not.
                let _: io::Result<()> = self.drain();
            }
        }
        Ok(refused)
    }

    /// Makes a row group of the rows, in memory.
    fn encode(&mut self) -> io::Result<()> {
        if self.rows.len() == 0 {
            return Ok(());
        }
        let before = self.writer.bytes_written();
        self.rows.write(&mut self.writer).map_err(|cause| wrong(&cause))?;
        self.ratio.0 += self.rows.bytes() as u64;
        self.ratio.1 += (self.writer.bytes_written() - before) as u64;
        self.rows.clear();
        Ok(())
    }

    /// Takes what is encoded to the disk; what fails is kept, and what the disk has of it is cut off.
    fn drain(&mut self) -> io::Result<()> {
        // To memory, which takes everything.
        self.writer.flush()?;
        if self.torn {
            self.out.cut(self.written)?;
            self.torn = false;
        }
        let encoded = mem::take(self.writer.inner_mut());
        if encoded.is_empty() {
            return Ok(());
        }
        match self.out.write_all(&encoded).and_then(|()| self.out.flush()) {
            Ok(()) => {
                self.written += encoded.len() as u64;
                Ok(())
            }
            Err(cause) => {
                *self.writer.inner_mut() = encoded;
                self.torn = self.out.cut(self.written).is_err();
                Err(cause)
            }
        }
    }
}

/// Whether this is the front and the back of a file that [`Parquet`] finished.
///
/// Retention asks before it removes a file: both are at most 64 KiB.
pub(crate) fn is_ours(front: &[u8], back: &[u8]) -> bool {
    let marked =
        || back.windows(schema::VERSION_KEY.len()).any(|window| window == schema::VERSION_KEY.as_bytes());
    front.starts_with(b"PAR1") && back.ends_with(b"PAR1") && marked()
}

/// Nothing that the encoder refuses is ever given to it; should it all the same, the file goes no further.
fn wrong(cause: &ParquetError) -> io::Error {
    io::Error::other(format!("the rows cannot be written as Parquet: {cause}"))
}

impl Table for Parquet {
    fn write(&mut self, batch: &Batch) -> io::Result<Vec<Refused>> {
        // First what the disk refused the last time, so that nothing gathers while it takes nothing.
        self.drain()?;
        match batch {
            Batch::Traces(records) => self.take::<SpanRecord>(records),
            Batch::Metrics(records) => self.take::<Metric>(records),
            Batch::Logs(records) => self.take::<Log>(records),
            Batch::Scores(records) => self.take::<Score>(records),
            Batch::Feedback(records) => self.take::<Feedback>(records),
        }
    }

    fn bytes(&self) -> u64 {
        let (raw, encoded) = self.ratio;
        let waiting = self.rows.bytes() as u64;
        let waiting = if raw == 0 { waiting } else { (waiting as f64 * encoded as f64 / raw as f64) as u64 };
        self.writer.bytes_written() as u64 + waiting
    }

    fn waiting(&self) -> usize {
        self.rows.len()
    }

    /// The rows of the next row group stay: nobody reads a file without its end, and groups of a few rows would make it
    /// long and slow.
    fn flush(&mut self) -> io::Result<()> {
        self.drain()
    }

    fn sync(&mut self) -> io::Result<()> {
        self.out.sync()
    }

    fn finish(&mut self) -> io::Result<()> {
        if !self.ended {
            self.encode()?;
            self.writer.finish().map_err(|cause| wrong(&cause))?;
            self.ended = true;
        }
        self.drain()
    }
}

#[cfg(test)]
mod tests;
