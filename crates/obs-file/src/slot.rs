//! The file that one signal, or all of them, are written to at the moment, and what is used again from batch to batch.

use std::io;
use std::path::PathBuf;

use obs_core::{Batch, Refused, Signal};

use crate::appended::{Broken, Keep};
use crate::compress::Packer;
use crate::format::Rows;
use crate::place::Place;
use crate::site::Site;

/// The most that the buffer keeps between batches.
const SPARE_BYTES: usize = 8 << 20;

/// Where batches become bytes, and the place that those go to.
#[derive(Debug)]
pub(crate) struct Slot {
    packer: Packer,
    buffer: Vec<u8>,
    place: Place,
}

/// What became of a batch: who was refused, how many of the others were written from the front, and why not all.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) refused: Vec<Refused>,
    pub(crate) written: usize,
    pub(crate) cause: Option<io::Error>,
}

impl Slot {
    /// For the files of this signal, or of all where there is none.
    pub(crate) fn new(signal: Option<Signal>, site: &Site) -> io::Result<Self> {
        Ok(Self { packer: Packer::new(site.compression)?, buffer: Vec::new(), place: Place::new(signal) })
    }

    /// Writes a batch.
    pub(crate) fn write(&mut self, site: &Site, batch: &Batch) -> Written {
        let mut refused = Vec::new();
        let done = match &site.rows {
            Some(rows) => {
                let mut buffer = std::mem::take(&mut self.buffer);
                buffer.clear();
                rows.encode(batch, &mut buffer, &mut refused);
                let done = self.append(site, &**rows, &buffer, Keep::WholeRows);
                if buffer.capacity() <= SPARE_BYTES {
                    self.buffer = buffer;
                }
                done
            }
            None => self.place.tabulate(site, batch).map(|by_table| refused = by_table).map_err(Broken::from),
        };
        let len = batch.len() - refused.len();
        match done {
            Ok(()) => Written { refused, written: len, cause: None },
            Err(Broken { rows, cause }) => Written { refused, written: rows.min(len), cause: Some(cause) },
        }
    }

    /// Writes rows that belong together: all of them or none.
    pub(crate) fn write_rows(&mut self, site: &Site, rows: &dyn Rows, bytes: &[u8]) -> io::Result<()> {
        self.append(site, rows, bytes, Keep::Nothing).map_err(|broken| broken.cause)
    }

    fn append(&mut self, site: &Site, rows: &dyn Rows, bytes: &[u8], keep: Keep) -> Result<(), Broken> {
        if bytes.is_empty() {
            return Ok(());
        }
        let packed = self.packer.pack(bytes)?;
        let done = self.place.append(site, rows, packed, keep);
        self.packer.shrink(SPARE_BYTES);
        done
    }

    /// Closes the file, as [`Place::close`] does.
    pub(crate) fn close(&mut self, site: &Site) -> io::Result<Option<PathBuf>> {
        self.place.close(site)
    }

    /// Closes the file if its time is over, and waits for the disk if the policy is to do so on a flush.
    pub(crate) fn flush(&mut self, site: &Site) -> io::Result<()> {
        self.place.flush(site)
    }

    /// How many rows are in memory only.
    pub(crate) fn waiting(&self) -> usize {
        self.place.waiting()
    }

    /// The open file, if it is no longer where it should be.
    pub(crate) fn lost<'a>(&'a self, site: &Site) -> Option<&'a str> {
        self.place.lost(site)
    }
}
