//! Events into bodies of so many bytes.

/// What stands around the events of a body, and between them.
const OPEN: u8 = b'[';
const CLOSE: u8 = b']';

/// A body of events.
#[derive(Debug)]
pub(crate) struct Packed {
    pub(crate) body: Vec<u8>,
    /// How many there are in it.
    pub(crate) events: usize,
    /// The positions of the records that they stand for.
    pub(crate) records: Vec<usize>,
}

/// Events in bodies, each with the positions of its records.
#[derive(Debug)]
pub(crate) struct Pack {
    max: usize,
    full: Vec<Packed>,
    body: Vec<u8>,
    events: usize,
    records: Vec<usize>,
}

impl Pack {
    /// Bodies of at most so many bytes.
    pub(crate) fn new(max: usize) -> Self {
        Self { max, full: Vec::new(), body: vec![OPEN], events: 0, records: Vec::new() }
    }

    /// The most bytes of an event.
    pub(crate) fn room(&self) -> usize {
        self.max - 2
    }

    /// Adds the event of these records.
    pub(crate) fn add(&mut self, records: &[usize], event: &[u8]) {
        // A comma or the end stands behind each.
        if self.body.len() > 1 && self.body.len() + event.len() + 2 > self.max {
            self.end();
        }
        if self.body.len() > 1 {
            self.body.push(b',');
        }
        self.body.extend_from_slice(event);
        self.events += 1;
        self.records.extend_from_slice(records);
    }

    fn end(&mut self) {
        let mut body = std::mem::replace(&mut self.body, vec![OPEN]);
        body.push(CLOSE);
        let (events, records) = (std::mem::take(&mut self.events), std::mem::take(&mut self.records));
        self.full.push(Packed { body, events, records });
    }

    /// All bodies, in order.
    pub(crate) fn finish(mut self) -> Vec<Packed> {
        if self.body.len() > 1 {
            self.end();
        }
        self.full
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_as_large_as_they_may_be_and_no_larger() {
        for max in 6..24 {
            let mut pack = Pack::new(max);
            for at in 0..7 {
                pack.add(&[at], b"{\"\"}");
            }
            let bodies = pack.finish();
            assert!(bodies.iter().all(|packed| packed.body.len() <= max), "{max}");
            let each = (max - 1) / 5;
            assert_eq!(bodies.iter().map(|packed| packed.events).sum::<usize>(), 7);
            assert_eq!(bodies.len(), 7usize.div_ceil(each), "{max}");
            assert!(bodies.iter().flat_map(|packed| &packed.records).copied().eq(0..7));
        }
        assert!(Pack::new(10).finish().is_empty());
    }
}
