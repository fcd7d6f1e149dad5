//! Items into the bodies of requests: so many items and bytes each.

use obs_core::{Call, Mapped, Refused};

use crate::slots::Point;
use crate::wire::{Place, Request};

/// Writes items one behind the other into the requests that they fit.
#[derive(Debug)]
pub(crate) struct Bodies {
    place: Place,
    /// What stands before and behind the items.
    envelope: (&'static [u8], &'static [u8]),
    body: Vec<u8>,
    items: usize,
    records: Vec<usize>,
    points: Vec<Point>,
    mapped: Mapped<Request>,
}

impl Bodies {
    pub(crate) fn new(place: Place, envelope: (&'static [u8], &'static [u8])) -> Self {
        let (body, records, points) = (Vec::new(), Vec::new(), Vec::new());
        Self { place, envelope, body, items: 0, records, points, mapped: Mapped::default() }
    }

    /// The most bytes that one item may have.
    pub(crate) fn most(&self) -> usize {
        self.place.facts().max_bytes - self.envelope.0.len() - self.envelope.1.len()
    }

    /// A record that cannot be sent.
    pub(crate) fn refuse(&mut self, refused: Refused) {
        self.mapped.refused.push(refused);
    }

    /// Adds items that belong together, of at most [`Self::most`] bytes with the commas between, and the records that are
    /// in them.
    pub(crate) fn add(&mut self, items: &[Vec<u8>], records: &[usize]) {
        let facts = self.place.facts();
        let bytes: usize = items.iter().map(|item| item.len() + 1).sum();
        let full = self.items + items.len() > facts.max_items
            || self.body.len() + bytes + self.envelope.1.len() > facts.max_bytes;
        if full {
            self.close();
        }
        for item in items {
            self.body.extend_from_slice(if self.items == 0 { self.envelope.0 } else { b"," });
            self.body.extend_from_slice(item);
            self.items += 1;
        }
        self.records.extend_from_slice(records);
    }

    /// Says which points of series were in what was added last.
    pub(crate) fn note(&mut self, points: Vec<Point>) {
        self.points.extend(points);
    }

    /// Adds items of at most [`Self::most`] bytes each, and the records that all of them are of: where one request does not
    /// hold them, several that are sent as one.
    pub(crate) fn add_parts(&mut self, items: &[Vec<u8>], records: &[usize]) {
        if items.iter().map(|item| item.len() + 1).sum::<usize>() <= self.most() {
            return self.add(items, records);
        }
        self.close();
        let (start, end) = self.envelope;
        let bodies = items.iter().map(|item| [start, item, end].concat()).collect();
        let request = Request { place: self.place, bodies, points: Vec::new() };
        self.mapped.calls.push(Call { request, records: records.to_vec() });
    }

    /// Ends the request under way, if there is one.
    pub(crate) fn close(&mut self) {
        if self.items == 0 {
            return;
        }
        self.items = 0;
        self.body.extend_from_slice(self.envelope.1);
        let body = std::mem::take(&mut self.body);
        let points = std::mem::take(&mut self.points);
        let request = Request { points, ..Request::new(self.place, body) };
        let mut records = std::mem::take(&mut self.records);
        records.sort_unstable();
        self.mapped.calls.push(Call { request, records });
    }

    /// All requests.
    pub(crate) fn finish(mut self) -> Mapped<Request> {
        self.close();
        self.mapped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_cut_by_items_and_by_bytes_and_hold_what_belongs_together() {
        let mut bodies = Bodies::new(Place::Logs, (b"[", b"]"));
        for at in 0..2_500 {
            bodies.add(&[b"1".to_vec()], &[at]);
        }
        let calls = bodies.finish().calls;
        assert_eq!(calls.iter().map(|call| call.records.len()).collect::<Vec<_>>(), [1_000, 1_000, 500]);
        let body = &calls[2].request.bodies[0];
        assert!(body.starts_with(b"[1,1,") && body.ends_with(b",1]"));
        let mut bodies = Bodies::new(Place::Series, (b"{\"series\":[", b"]}"));
        let item = || vec![b'1'; 200_000];
        for at in 0..3 {
            bodies.add(&[item(), b"2".to_vec()], &[at]);
        }
        bodies.add(&[vec![b'1'; bodies.most()]], &[3]);
        let calls = bodies.finish().calls;
        assert_eq!(
            calls.iter().map(|call| call.records.clone()).collect::<Vec<_>>(),
            [vec![0, 1], vec![2], vec![3]]
        );
        assert_eq!(calls[2].request.bodies[0].len(), Place::Series.facts().max_bytes);
    }

    #[test]
    fn parts_that_one_request_does_not_hold_are_one_call_all_the_same() {
        let mut bodies = Bodies::new(Place::Distributions, (b"[", b"]"));
        bodies.add(&[b"1".to_vec()], &[0]);
        bodies.add_parts(&[b"2".to_vec(), b"3".to_vec()], &[1]);
        bodies.add_parts(&[vec![b'4'; 300_000], vec![b'5'; 300_000]], &[2, 3]);
        bodies.add(&[b"6".to_vec()], &[4]);
        let calls = bodies.finish().calls;
        assert_eq!(
            calls.iter().map(|call| (call.request.bodies.len(), call.records.clone())).collect::<Vec<_>>(),
            [(1, vec![0, 1]), (2, vec![2, 3]), (1, vec![4])]
        );
        assert_eq!(calls[0].request.bodies[0], b"[1,2,3]");
        assert!(calls[1].request.bodies.iter().all(|body| body.len() == 300_002));
    }
}
