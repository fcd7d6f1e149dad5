//! Batches as rows: the canonical JSON, a line a record, compressed if asked.

use obs_core::{Batch, Record, SCHEMA_VERSION, Signal};

use crate::QueueConfig;

/// How the bytes of a row are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Lines of canonical JSON.
    Lines = 0,
    /// The same, compressed.
    Zstd = 1,
}

/// What a compressed row may grow to, so that a damaged one cannot take all memory.
const MOST: usize = 256 << 20;

/// Writes batches into memory that is used again.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    lines: Vec<u8>,
    packed: Vec<u8>,
}

impl Encoder {
    /// The batch's bytes; a record that has no form in JSON is left out, which none of ours does.
    pub(crate) fn encode(&mut self, batch: &Batch, config: &QueueConfig) -> (Encoding, &[u8]) {
        self.lines.clear();
        batch.write_lines(&mut self.lines, |_, _| ());
        if config.compress_buffer && batch.len() >= config.compression_threshold {
            self.packed.clear();
            self.packed.resize(zstd::zstd_safe::compress_bound(self.lines.len()), 0);
            if let Ok(length) = zstd::bulk::compress_to_buffer(&self.lines, &mut self.packed, 1) {
                return (Encoding::Zstd, &self.packed[..length]);
            }
        }
        (Encoding::Lines, &self.lines)
    }

    /// Gives back what one large batch took.
    pub(crate) fn trim(&mut self, most: usize) {
        for buffer in [&mut self.lines, &mut self.packed] {
            if buffer.capacity() > most {
                *buffer = Vec::new();
            }
        }
    }
}

/// A row as it lies in the file.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    pub(crate) signal: Signal,
    pub(crate) version: i64,
    pub(crate) encoding: i64,
    pub(crate) items: usize,
    pub(crate) data: &'a [u8],
}

impl Row<'_> {
    /// The records, or why there are none.
    pub(crate) fn decode(&self) -> Result<Batch, String> {
        if self.version > i64::from(SCHEMA_VERSION) {
            return Err(format!(
                "written in version {} of the canonical JSON, this build reads up to {SCHEMA_VERSION}: update obs",
                self.version
            ));
        }
        let unpacked;
        let lines = match self.encoding {
            0 => self.data,
            1 => {
                unpacked = unpack(self.data)?;
                &unpacked
            }
            other => return Err(format!("the encoding {other} is not known to this build: update obs")),
        };
        let lines = std::str::from_utf8(lines).map_err(|cause| format!("not text: {cause}"))?;
        let mut records = Vec::with_capacity(self.items.min(lines.len()));
        for (at, line) in lines.lines().enumerate() {
            let record = Record::from_line(line).map_err(|cause| format!("record {}: {cause}", at + 1))?;
            records.push(record);
        }
        if records.len() != self.items {
            return Err(format!("{} records where {} were written", records.len(), self.items));
        }
        let mut batches = Batch::group(records);
        match (batches.pop(), batches.is_empty()) {
            (Some(batch), true) if batch.signal() == self.signal => Ok(batch),
            (None, _) => Ok(Batch::empty(self.signal)),
            _ => Err(format!("records of another signal than {}", self.signal)),
        }
    }
}

fn unpack(data: &[u8]) -> Result<Vec<u8>, String> {
    let refuse = |cause: &dyn std::fmt::Display| format!("not what was compressed: {cause}");
    let most = zstd::bulk::Decompressor::upper_bound(data).unwrap_or(MOST).min(MOST);
    zstd::bulk::decompress(data, most).map_err(|cause| refuse(&cause))
}
