//! Requests of spans.

use std::sync::Arc;

use obs_core::{Attributes, Resource};

use super::requests::{Chunk, Requests};
use super::{Encoding, Fields, SpanParts};
use crate::levels::SPANS;

/// Builds export requests of spans: grouped by resource and scope, cut by items and by bytes.
///
/// Bytes are those of the whole body, before compression.
/// A span that alone has more than the most bytes still gets a request, of its own; the caller truncates before, if anything.
#[derive(Debug)]
pub struct TraceRequests {
    requests: Requests,
}

impl TraceRequests {
    /// Requests of at most so many spans and so many bytes each; at least one span.
    pub fn new(encoding: Encoding, max_items: usize, max_bytes: usize) -> Self {
        Self { requests: Requests::new(encoding, &SPANS, max_items, max_bytes) }
    }

    /// Says how many spans will come, so that memory for them is taken at once; nothing depends on it.
    #[must_use]
    pub fn expecting(mut self, spans: usize) -> Self {
        self.requests.expect(spans);
        self
    }

    /// Lets `put` put the attributes of resources and scopes, for a backend that does not read all that OTLP has; as they are by default.
    #[must_use]
    pub fn with_shared_attributes(mut self, put: fn(&Attributes, &mut Fields<'_>)) -> Self {
        self.requests.share(put);
        self
    }

    /// Adds a span, which is the record at this position of its batch.
    ///
    /// `attributes` puts the span's attributes, once.
    #[inline]
    pub fn push(
        &mut self,
        at: usize,
        resource: &Arc<Resource>,
        parts: &SpanParts<'_>,
        attributes: impl FnOnce(&mut Fields<'_>),
    ) {
        self.requests
            .push(at, resource, |out, scratch, encoding| parts.write(out, scratch, encoding, attributes));
    }

    /// The requests, in the order of the spans.
    pub fn finish(self) -> Vec<Chunk> {
        self.requests.finish()
    }
}
