//! Requests of many records.

use std::sync::Arc;

use obs_core::Resource;

use super::group::{Form, Group, Put, RECORDS};
use super::{Encoding, wire};
use crate::levels::Levels;

/// How many records memory is taken for at once, and how many bytes, whatever is said to come.
const MOST_EXPECTED: usize = 4_096;
const MOST_ROOM: usize = 16 << 20;

/// The body of one request, and the records that are in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// An export request of the signal.
    pub body: Vec<u8>,
    /// The positions that the records were pushed with, in that order.
    pub records: Vec<usize>,
}

/// Builds export requests of records that stand one by one in them: grouped by resource and scope, cut by items and by bytes.
#[derive(Debug)]
pub(super) struct Requests {
    form: Form,
    max_items: usize,
    max_bytes: usize,
    groups: Vec<Group>,
    records: Vec<usize>,
    /// The bytes of all groups, finished.
    bytes: usize,
    done: Vec<Chunk>,
    scratch: Vec<u8>,
    /// How wide the length of the last record was: the next is likely to be as long.
    width: usize,
    /// How many records are still thought to come.
    expected: usize,
}

impl Requests {
    pub(super) fn new(
        encoding: Encoding,
        levels: &'static Levels,
        max_items: usize,
        max_bytes: usize,
    ) -> Self {
        Self {
            form: Form::new(encoding, levels),
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

    pub(super) fn expect(&mut self, records: usize) {
        self.expected = records;
    }

    pub(super) fn share(&mut self, put: Put) {
        self.form.put = put;
    }

    /// Adds a record, whose message `write` appends.
    #[inline]
    pub(super) fn push(
        &mut self,
        at: usize,
        resource: &Arc<Resource>,
        write: impl FnOnce(&mut Vec<u8>, &mut Vec<u8>, Encoding),
    ) {
        if self.records.len() == self.max_items {
            self.cut();
        }
        let nth = self.group(resource);
        let group = &mut self.groups[nth];
        let (before, from) = (group.bytes, group.out.len());
        match self.form.encoding {
            Encoding::Protobuf => {
                let slot = wire::Slot::open(&mut group.out, RECORDS, self.width);
                write(&mut group.out, &mut self.scratch, self.form.encoding);
                self.width = slot.close(&mut group.out);
            }
            Encoding::Json => {
                if group.records > 0 {
                    group.out.push(b',');
                }
                write(&mut group.out, &mut self.scratch, self.form.encoding);
            }
        }
        group.records += 1;
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
        if !self.records.is_empty() && bytes + self.form.envelope() > self.max_bytes {
            self.move_on(nth, from, resource);
        } else {
            self.bytes = bytes;
        }
        self.records.push(at);
    }

    pub(super) fn finish(mut self) -> Vec<Chunk> {
        self.cut();
        self.done
    }

    /// Moves the last record, for which there is no room, into a request of its own.
    #[cold]
    fn move_on(&mut self, nth: usize, from: usize, resource: &Arc<Resource>) {
        let group = &mut self.groups[nth];
        let record = group.out.split_off(from);
        group.records -= 1;
        self.cut();
        let nth = self.group(resource);
        let group = &mut self.groups[nth];
        group.out.extend_from_slice(record.strip_prefix(b",").unwrap_or(&record));
        group.records = 1;
        group.bytes = group.finished();
        self.bytes = group.bytes;
    }

    /// The group of a resource: mostly that of the record before.
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
            self.groups.push(Group::new(self.form, resource, &mut self.scratch, first));
            self.groups.len() - 1
        })
    }

    /// Ends the request.
    fn cut(&mut self) {
        if self.records.is_empty() {
            return;
        }
        let bytes = self.bytes + self.form.envelope();
        let body = self.form.body(std::mem::take(&mut self.groups), bytes);
        self.bytes = 0;
        self.done.push(Chunk { body, records: std::mem::take(&mut self.records) });
    }
}
