//! Items into requests: so many items and so many bytes each.

use obs_core::{Call, Mapped, Refused, VisitText, encode_within, write_json};
use serde::Serialize;

use crate::wire::{Place, Request};

/// Writes items one behind the other into the requests that they fit.
#[derive(Debug)]
pub(crate) struct Packer {
    place: Place,
    /// What stands before the items, and behind them.
    start: Vec<u8>,
    end: &'static [u8],
    /// The most bytes of an item.
    max_item: usize,
    body: Vec<u8>,
    records: Vec<usize>,
    done: Mapped<Request>,
}

impl Packer {
    /// Requests for this place, which begin and end so.
    pub(crate) fn new(place: Place, start: Vec<u8>, end: &'static [u8]) -> Self {
        let room = place.facts().max_bytes - start.len() - end.len();
        let max_item = place.facts().max_item.min(room);
        let (body, records) = (start.clone(), Vec::new());
        Self { place, start, end, max_item, body, records, done: Mapped::default() }
    }

    /// A record that cannot be sent.
    pub(crate) fn refuse(&mut self, refused: Refused) {
        self.done.refused.push(refused);
    }

    /// Adds the item that `write` makes of a record, with the record's longest texts cut if it is larger than any item
    /// may be.
    pub(crate) fn add<T: VisitText + Clone>(
        &mut self,
        at: usize,
        record: &T,
        write: impl Fn(&T, &mut Vec<u8>) -> Result<(), String>,
    ) {
        let before = self.body.len();
        if !self.records.is_empty() {
            self.body.push(b',');
        }
        let from = self.body.len();
        let written = write(record, &mut self.body).map_err(|cause| Refused::encode(at, cause));
        let written = written.and_then(|()| {
            if self.body.len() - from <= self.max_item {
                return Ok(());
            }
            self.body.truncate(from);
            let alone = |record: &T| {
                let mut bytes = Vec::new();
                write(record, &mut bytes).map(|()| bytes)
            };
            encode_within(at, record, self.max_item, alone).map(|bytes| self.body.extend(bytes))
        });
        if let Err(refused) = written {
            self.body.truncate(before);
            return self.refuse(refused);
        }
        let facts = self.place.facts();
        let is_full =
            self.records.len() >= facts.max_items || self.body.len() + self.end.len() > facts.max_bytes;
        if is_full && !self.records.is_empty() {
            let item = self.body.split_off(from);
            self.body.truncate(before);
            self.close();
            self.body.extend(item);
        }
        self.records.push(at);
    }

    /// Ends the request that is open, and begins another.
    fn close(&mut self) {
        let mut body = std::mem::replace(&mut self.body, self.start.clone());
        body.extend_from_slice(self.end);
        let records = std::mem::take(&mut self.records);
        self.done.calls.push(Call { request: Request::new(self.place, body), records });
    }

    /// All requests.
    pub(crate) fn finish(mut self) -> Mapped<Request> {
        if !self.records.is_empty() {
            self.close();
        }
        self.done
    }
}

/// Appends an item.
pub(crate) fn push(out: &mut Vec<u8>, item: &impl Serialize) -> Result<(), String> {
    write_json(out, item).map_err(|cause| cause.to_string())
}
