//! What became of a batch.

use crate::{Batch, ErrorKind};

/// What became of the records of an `export`.
///
/// Conservation: what a receipt settles and what the error leaves undelivered is the batch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Receipt {
    /// Records that the backend took.
    pub delivered: usize,
    /// Records that a queue below took over.
    pub queued: usize,
    /// What other destinations took instead, and what became of it there.
    pub diverted: Vec<Diverted>,
    /// Records that went to the dead letters.
    pub dead_lettered: usize,
    /// Records that will never be delivered.
    pub rejected: Vec<Rejection>,
}

/// Records that another destination took instead of the one they were meant for.
#[derive(Debug, Clone, PartialEq)]
pub struct Diverted {
    /// The name of that destination.
    pub to: Box<str>,
    /// What became of them there.
    pub receipt: Receipt,
}

impl Receipt {
    /// A receipt for this many delivered records.
    pub fn delivered(count: usize) -> Self {
        Self { delivered: count, ..Self::default() }
    }

    /// How many records are settled, in whatever way.
    pub fn settled(&self) -> usize {
        self.delivered + self.queued + self.diverted_count() + self.dead_lettered + self.rejected_count()
    }

    /// How many records another destination took.
    pub fn diverted_count(&self) -> usize {
        self.diverted.iter().map(|diverted| diverted.receipt.settled()).sum()
    }

    /// How many records were rejected.
    pub fn rejected_count(&self) -> usize {
        self.rejected.iter().map(|rejection| rejection.count).sum()
    }

    /// Adds what another part of the batch came to.
    pub fn absorb(&mut self, other: Self) {
        self.delivered += other.delivered;
        self.queued += other.queued;
        self.diverted.extend(other.diverted);
        self.dead_lettered += other.dead_lettered;
        self.rejected.extend(other.rejected);
    }
}

/// Records that will never be delivered, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejection {
    /// The records, since layers re-cut batches; `None` where the backend says how many, not which.
    pub records: Option<Batch>,
    /// How many.
    pub count: usize,
    /// What kind of trouble.
    pub kind: ErrorKind,
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
    /// Why, in words; quoted from the backend only after redaction.
    pub reason: Box<str>,
    /// How often it was tried.
    pub attempts: u32,
}

impl Rejection {
    /// A rejection of these records, without a status, tried once.
    pub fn of(records: Batch, kind: ErrorKind, reason: impl Into<Box<str>>) -> Self {
        Self {
            count: records.len(),
            records: Some(records),
            kind,
            status: None,
            reason: reason.into(),
            attempts: 1,
        }
    }
}
