//! Traces that wait for their root to end.

use std::collections::{HashMap, HashSet};

use obs_core::{Span, SpanId, SpanRecord, Trace, TraceId};

/// Traces of which spans have come, but not yet the end of the root.
///
/// A record that comes twice is printed twice, in a second tree: what was delivered is what is seen.
#[derive(Debug, Default)]
pub(crate) struct OpenTraces {
    waiting: HashMap<Place, Waiting>,
    spans: usize,
    /// How many records ever came.
    came: u64,
}

/// One tree to come: the trace, and the how manieth of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    trace: TraceId,
    copy: usize,
}

#[derive(Debug)]
struct Waiting {
    trace: Trace,
    /// The spans it has, and whether as ended.
    known: HashSet<(SpanId, bool)>,
    /// When it came, in records.
    nth: u64,
}

impl Waiting {
    /// Whether a span ended above which nothing is in this process.
    fn is_done(&self) -> bool {
        let ended_root = |span: &Span| span.end.is_some() && (span.is_root() || span.remote_parent);
        self.trace.spans.iter().any(ended_root)
    }
}

impl OpenTraces {
    /// Takes a record over, and says where it went.
    pub(crate) fn add(&mut self, record: &SpanRecord) -> Place {
        let span = record.span();
        let key = (span.span_id, record.ended().is_some());
        let mut place = Place { trace: span.trace_id, copy: 0 };
        while self.waiting.get(&place).is_some_and(|waiting| waiting.known.contains(&key)) {
            place.copy += 1;
        }
        self.came += 1;
        let nth = self.came;
        let waiting = self.waiting.entry(place).or_insert_with(|| {
            let trace = Trace::new(span.trace_id);
            Waiting { trace, known: HashSet::new(), nth }
        });
        waiting.known.insert(key);
        waiting.trace.spans.push(span.clone());
        self.spans += 1;
        place
    }

    /// Undoes the latest calls of [`OpenTraces::add`], whose places are given in the order of the calls.
    pub(crate) fn take_back(&mut self, places: &[Place]) {
        for place in places.iter().rev() {
            let Some(waiting) = self.waiting.get_mut(place) else { continue };
            if let Some(span) = waiting.trace.spans.pop() {
                let ended = waiting.known.remove(&(span.span_id, true));
                if !ended {
                    waiting.known.remove(&(span.span_id, false));
                }
                self.spans -= 1;
            }
            if waiting.trace.spans.is_empty() {
                self.waiting.remove(place);
            }
        }
    }

    /// The trees to print now: those whose root ended, and the oldest as long as more than `max` spans wait.
    pub(crate) fn due(&self, max: usize) -> Vec<(Place, &Trace)> {
        let mut left = self.spans;
        let mut due = Vec::new();
        for (done, _, place, trace) in self.in_order() {
            if !done && left <= max {
                break;
            }
            left -= trace.spans.len();
            due.push((place, trace));
        }
        due
    }

    /// All trees.
    pub(crate) fn all(&self) -> Vec<(Place, &Trace)> {
        self.in_order().into_iter().map(|(_, _, place, trace)| (place, trace)).collect()
    }

    /// Those whose root ended, then the others, each in the order they came.
    fn in_order(&self) -> Vec<(bool, u64, Place, &Trace)> {
        let mut waiting: Vec<_> = self
            .waiting
            .iter()
            .map(|(place, waiting)| (waiting.is_done(), waiting.nth, *place, &waiting.trace))
            .collect();
        waiting.sort_by_key(|(done, nth, ..)| (!done, *nth));
        waiting
    }

    /// Forgets trees that were printed.
    pub(crate) fn forget(&mut self, printed: &[Place]) {
        for place in printed {
            if let Some(waiting) = self.waiting.remove(place) {
                self.spans -= waiting.trace.spans.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use obs_core::Timestamp;

    use super::*;

    fn record(trace: u128, span: u64, parent: Option<u64>) -> SpanRecord {
        let (trace, id) = (TraceId::new(trace).unwrap(), SpanId::new(span).unwrap());
        let mut span = Span::new(trace, id, "s", Timestamp::from_nanos(span));
        span.parent_span_id = parent.and_then(SpanId::new);
        span.end = Some(span.start);
        SpanRecord::Ended(span)
    }

    fn due(open: &OpenTraces, max: usize) -> Vec<u128> {
        open.due(max).iter().map(|(_, trace)| trace.trace_id.get()).collect()
    }

    #[test]
    fn a_trace_is_due_once_its_root_ended() {
        let mut open = OpenTraces::default();
        for child in [record(1, 2, Some(1)), record(2, 2, Some(1))] {
            open.add(&child);
        }
        assert_eq!(due(&open, 10), [0; 0]);
        open.add(&record(2, 1, None));
        assert_eq!(due(&open, 10), [2]);
        let mut remote = record(3, 7, Some(6));
        remote.span_mut().remote_parent = true;
        open.add(&remote);
        assert_eq!(due(&open, 10), [2, 3]);
        let places: Vec<Place> = open.due(10).iter().map(|(place, _)| *place).collect();
        open.forget(&places);
        assert_eq!((due(&open, 10), open.all().len(), open.spans), (vec![], 1, 1));
    }

    #[test]
    fn a_start_makes_no_trace_due_and_its_end_joins_it() {
        let mut open = OpenTraces::default();
        let SpanRecord::Ended(mut span) = record(1, 1, None) else { panic!() };
        span.end = None;
        let start = open.add(&SpanRecord::Started(span));
        assert_eq!(due(&open, 10), [0; 0]);
        assert_eq!(open.add(&record(1, 1, None)), start);
        assert_eq!(due(&open, 10), [1]);
    }

    #[test]
    fn the_oldest_make_room() {
        let mut open = OpenTraces::default();
        for trace in 1..=5 {
            open.add(&record(trace, 2, Some(1)));
        }
        assert_eq!(due(&open, 3), [1, 2]);
        assert_eq!(due(&open, 0), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_record_that_comes_twice_stands_in_two_trees_and_can_be_taken_back() {
        let mut open = OpenTraces::default();
        let kept = open.add(&record(1, 2, Some(1)));
        let places: Vec<Place> = [(2, Some(1)), (1, None), (1, None)]
            .map(|(span, parent)| open.add(&record(1, span, parent)))
            .into();
        assert_eq!(places.iter().map(|place| place.copy).collect::<Vec<_>>(), [1, 0, 1]);
        assert_eq!(due(&open, 10), [1, 1]);
        open.take_back(&places);
        assert_eq!((due(&open, 10).len(), open.spans, open.all().len()), (0, 1, 1));
        open.forget(&[kept]);
        assert_eq!((open.spans, open.all().len()), (0, 0));
    }
}
