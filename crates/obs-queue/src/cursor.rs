//! How far a lane is.

/// The first place of the log that a lane is not done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Cursor {
    /// The row.
    pub(crate) position: u64,
    /// How many of the row's records that are meant for the lane it is done with.
    pub(crate) skip: u64,
}

impl Cursor {
    /// Before all of this row.
    pub(crate) fn at(position: u64) -> Self {
        Self { position, skip: 0 }
    }
}
