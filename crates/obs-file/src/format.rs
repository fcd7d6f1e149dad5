//! The seam between a file and what is in it.
//!
//! There are two kinds of formats. [`Rows`] are appended as text, and whatever stands in the file stays readable: JSON
//! Lines and CSV; compression, writing and rolling back is the same for both (`text.rs`).
//! A [`Table`] holds its file itself and makes it readable at the end: Parquet.

use std::fmt::Debug;
use std::fs::File;
use std::io::{self, Write};

use obs_core::{Batch, Refused, Signal};

/// A file open for writing: each write goes to its end, wherever that was moved to by [`Handle::cut`].
pub(crate) trait Handle: Write + Debug + Send {
    /// Cuts the file off at this length.
    fn cut(&mut self, len: u64) -> io::Result<()>;

    /// Waits until the disk has all that was written.
    fn sync(&mut self) -> io::Result<()>;
}

impl Handle for File {
    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// A format of rows of text.
pub(crate) trait Rows: Debug + Send + Sync {
    /// What each file of this signal begins with, such as the names of the columns; nothing where it is empty.
    fn header(&self, signal: Signal) -> Vec<u8>;

    /// Whether a file that begins so is one of ours, also of a version with other columns at the end.
    fn begins(&self, front: &[u8], signal: Signal) -> bool {
        front.starts_with(&self.header(signal))
    }

    /// Appends the records, each as a row that ends with a newline, in their order.
    ///
    /// A record that has no row is added to `refused` by its position in the batch, in order, and nothing of it is
    /// appended.
    fn encode(&self, batch: &Batch, out: &mut Vec<u8>, refused: &mut Vec<Refused>);

    /// How many whole rows these bytes begin with, and how many bytes those are.
    ///
    /// The bytes are the front of what [`Rows::encode`] appended; asked only after a write that broke off.
    fn whole(&self, written: &[u8]) -> Whole;
}

/// The whole rows in front of a piece of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Whole {
    /// How many.
    pub(crate) rows: usize,
    /// Their bytes.
    pub(crate) bytes: usize,
}

/// A format that holds its file until it is finished.
pub(crate) trait Table: Debug + Send {
    /// Takes the records over, and returns those that have no row, by position, in order.
    ///
    /// # Errors
    /// Nothing of this batch is taken then; what was taken before is kept, whether it reached the disk or not, and a
    /// later call writes it. The table does not grow in memory while the disk takes nothing.
    fn write(&mut self, batch: &Batch) -> io::Result<Vec<Refused>>;

    /// About how long the file would be if it were finished now.
    fn bytes(&self) -> u64;

    /// How many rows are in memory only.
    fn waiting(&self) -> usize;

    /// Writes what is ready for the disk; the file need not be readable afterwards, and rows may still be in memory.
    fn flush(&mut self) -> io::Result<()>;

    /// Waits until the disk has what was written.
    fn sync(&mut self) -> io::Result<()>;

    /// Makes the file readable; the last call that succeeds. One that failed may be made again.
    fn finish(&mut self) -> io::Result<()>;
}
