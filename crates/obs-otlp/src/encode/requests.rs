//! Requests of many spans.

use std::sync::Arc;

use obs_core::{Attributes, Resource};

use super::group::{Group, Put, REQUEST_END, SPANS};
use super::{Encoding, Fields, SpanParts, wire};

/// How many spans memory is taken for at once, and how many bytes, whatever is said to come.
const MOST_EXPECTED: usize = 4_096;
const MOST_ROOM: usize = 16 << 20;

/// The body of one request, and the records that are in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// An `ExportTraceServiceRequest`.
    pub body: Vec<u8>,
    /// The positions that the records were pushed with, in that order.
    pub records: Vec<usize>,
}

/// Builds export requests of spans: grouped by resource and scope, cut by items and by bytes.
///
/// Bytes are those of the whole body, before compression.
/// A span that alone has more than the most bytes still gets a request, of its own; the caller truncates before, if anything.
#[derive(Debug)]
pub struct TraceRequests {
    encoding: Encoding,
    put: Put,
    max_items: usize,
    max_bytes: usize,
    groups: Vec<Group>,
    records: Vec<usize>,
    /// The bytes of all groups, finished.
    bytes: usize,
    done: Vec<Chunk>,
    scratch: Vec<u8>,
    /// How wide the length of the last span was: the next is likely to be as long.
    width: usize,
    /// How many spans are still thought to come.
    expected: usize,
}

impl TraceRequests {
    /// Requests of at most so many spans and so many bytes each; at least one span.
    pub fn new(encoding: Encoding, max_items: usize, max_bytes: usize) -> Self {
        Self {
            encoding,
            put: |attributes, to| to.attributes(attributes),
            max_items: max_items.max(1),
            max_bytes,
            groups: Vec::new(),
            records: Vec::new(),
            bytes: 0,
            done: Vec::new(),
            scratch: Vec::new(),
            width: 2,
            expected: 0,
        }
    }

    /// Says how many spans will come, so that memory for them is taken at once; nothing depends on it.
    #[must_use]
    pub fn expecting(mut self, spans: usize) -> Self {
        self.expected = spans;
        self
    }

    /// Lets `put` put the attributes of resources and scopes, for a backend that does not read all that OTLP has; as they are by default.
    #[must_use]
    pub fn with_shared_attributes(mut self, put: fn(&Attributes, &mut Fields<'_>)) -> Self {
        self.put = put;
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
        if self.records.len() == self.max_items {
            self.cut();
        }
        let nth = self.group(resource);
        let group = &mut self.groups[nth];
        let (before, from) = (group.bytes, group.out.len());
        match self.encoding {
            Encoding::Protobuf => {
                let slot = wire::Slot::open(&mut group.out, SPANS, self.width);
                parts.write(&mut group.out, &mut self.scratch, self.encoding, attributes);
                self.width = slot.close(&mut group.out);
            }
            Encoding::Json => {
                if group.spans > 0 {
                    group.out.push(b',');
                }
                parts.write(&mut group.out, &mut self.scratch, self.encoding, attributes);
            }
        }
        group.spans += 1;
        self.expected = self.expected.saturating_sub(1);
        if self.records.is_empty() {
            // Those to come are likely to be as long, and an eighth more costs less than to grow.
            let most = self.expected.min(self.max_items - 1).min(MOST_EXPECTED);
            let room = (group.out.len() - from).saturating_mul(most + most / 8);
            group.out.reserve_exact(room.min(self.max_bytes).min(MOST_ROOM));
            self.records.reserve_exact(most);
        }
        group.bytes = group.finished();
        let bytes = self.bytes - before + group.bytes;
        if !self.records.is_empty() && bytes + self.encoding.envelope() > self.max_bytes {
            self.move_on(nth, from, resource);
        } else {
            self.bytes = bytes;
        }
        self.records.push(at);
    }

    /// The requests, in the order of the spans.
    pub fn finish(mut self) -> Vec<Chunk> {
        self.cut();
        self.done
    }

    /// Moves the last span, for which there is no room, into a request of its own.
    #[cold]
    fn move_on(&mut self, nth: usize, from: usize, resource: &Arc<Resource>) {
        let group = &mut self.groups[nth];
        let span = group.out.split_off(from);
        group.spans -= 1;
        self.cut();
        let nth = self.group(resource);
        let group = &mut self.groups[nth];
        group.out.extend_from_slice(span.strip_prefix(b",").unwrap_or(&span));
        group.spans = 1;
        group.bytes = group.finished();
        self.bytes = group.bytes;
    }

    /// The group of a resource: mostly that of the span before.
    #[inline]
    fn group(&mut self, resource: &Arc<Resource>) -> usize {
        match self.groups.last() {
            Some(last) if Arc::ptr_eq(&last.resource, resource) => self.groups.len() - 1,
            _ => self.find(resource),
        }
    }

    fn find(&mut self, resource: &Arc<Resource>) -> usize {
        let same = |group: &Group| Arc::ptr_eq(&group.resource, resource);
        let equal = |group: &Group| group.resource == *resource;
        let found = self.groups.iter().position(same).or_else(|| self.groups.iter().position(equal));
        found.unwrap_or_else(|| {
            let first = self.groups.is_empty();
            self.groups.push(Group::new(self.encoding, self.put, resource, &mut self.scratch, first));
            self.groups.len() - 1
        })
    }

    /// Ends the request.
    fn cut(&mut self) {
        if self.records.is_empty() {
            return;
        }
        let bytes = self.bytes + self.encoding.envelope();
        let mut groups = std::mem::take(&mut self.groups).into_iter().filter(|group| group.spans > 0);
        let mut body = groups.next().map(Group::finish).unwrap_or_default();
        body.reserve_exact(bytes.saturating_sub(body.len()));
        for group in groups {
            body.extend_from_slice(&group.finish());
        }
        if self.encoding == Encoding::Json {
            body.extend_from_slice(REQUEST_END);
        }
        debug_assert_eq!(body.len(), bytes, "the size by arithmetic is that of the body");
        self.bytes = 0;
        self.done.push(Chunk { body, records: std::mem::take(&mut self.records) });
    }
}

impl Encoding {
    /// The bytes of a request around its groups that no group has.
    const fn envelope(self) -> usize {
        match self {
            Self::Protobuf => 0,
            Self::Json => REQUEST_END.len(),
        }
    }
}
