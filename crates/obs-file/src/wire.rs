//! What is handed to a file.

use obs_core::Batch;

/// One write: the records as they are, since each format has its own way with them.
#[derive(Debug)]
pub(crate) struct Request(pub(crate) Batch);
