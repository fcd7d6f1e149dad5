//! Requests of log records.

use std::sync::Arc;

use obs_core::{Attributes, Resource};

use super::requests::{Chunk, Requests};
use super::{Encoding, Fields, LogParts};
use crate::levels::LOGS;

/// Builds export requests of log records: grouped by resource and scope, cut by items and by bytes.
///
/// Bytes are those of the whole body, before compression.
/// A record that alone has more than the most bytes still gets a request, of its own; the caller truncates before, if anything.
#[derive(Debug)]
pub struct LogRequests {
    requests: Requests,
}

impl LogRequests {
    /// Requests of at most so many records and so many bytes each; at least one record.
    pub fn new(encoding: Encoding, max_items: usize, max_bytes: usize) -> Self {
        Self { requests: Requests::new(encoding, &LOGS, max_items, max_bytes) }
    }

    /// Says how many records will come, so that memory for them is taken at once; nothing depends on it.
    #[must_use]
    pub fn expecting(mut self, records: usize) -> Self {
        self.requests.expect(records);
        self
    }

    /// Lets `put` put the attributes of resources and scopes, for a backend that does not read all that OTLP has; as they are by default.
    #[must_use]
    pub fn with_shared_attributes(mut self, put: fn(&Attributes, &mut Fields<'_>)) -> Self {
        self.requests.share(put);
        self
    }

    /// Adds a log record, which is the one at this position of its batch.
    ///
    /// `attributes` puts the record's attributes, once.
    #[inline]
    pub fn push(
        &mut self,
        at: usize,
        resource: &Arc<Resource>,
        parts: &LogParts<'_>,
        attributes: impl FnOnce(&mut Fields<'_>),
    ) {
        self.requests
            .push(at, resource, |out, scratch, encoding| parts.write(out, scratch, encoding, attributes));
    }

    /// The requests, in the order of the records.
    pub fn finish(self) -> Vec<Chunk> {
        self.requests.finish()
    }
}
