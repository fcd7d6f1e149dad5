//! Which second each point of a series has: Datadog keeps one point a second of a series, and the last one wins.

use std::collections::{HashMap, VecDeque};

/// The most points that are remembered: about 5 MB.
const MOST: usize = 65_536;

/// A point: its series, and what tells it from others of that.
pub(crate) type Point = (u64, u64);

/// The seconds that were given to points.
///
/// A point gets the second it wants, or the first after all that its series was given.
/// A point that is asked for again before it has settled, as when a batch is tried again, gets the second that it had; one
/// that has settled is there, so that its like is another point.
/// Nothing is remembered of a series whose last point is more than 65,536 points of others ago: where that had moved ahead,
/// the next may meet it.
#[derive(Debug)]
pub(crate) struct Slots {
    /// The last second of each series.
    latest: HashMap<u64, u64>,
    /// The second of each point that has not settled.
    given: HashMap<Point, u64>,
    /// The points and their seconds, the oldest first.
    order: VecDeque<(Point, u64)>,
    most: usize,
}

impl Default for Slots {
    fn default() -> Self {
        Self::with_most(MOST)
    }
}

impl Slots {
    fn with_most(most: usize) -> Self {
        Self { latest: HashMap::new(), given: HashMap::new(), order: VecDeque::new(), most }
    }

    /// The second of a point that wants this one; `None` where the first free one is beyond `until`.
    pub(crate) fn place(&mut self, point: Point, wanted: u64, until: u64) -> Option<u64> {
        let (series, _) = point;
        if let Some(second) = self.given.get(&point).filter(|second| **second <= until) {
            return Some(*second);
        }
        let free = match self.latest.get(&series) {
            Some(last) if *last <= until => wanted.max(last + 1),
            // What was given beyond is from before the clock was set back.
            _ => wanted,
        };
        if free > until {
            return None;
        }
        self.latest.insert(series, free);
        self.given.insert(point, free);
        self.order.push_back((point, free));
        if self.order.len() > self.most {
            self.forget();
        }
        Some(free)
    }

    /// These are there: what looks like them from now on is another point.
    pub(crate) fn settle(&mut self, points: &[Point]) {
        for point in points {
            self.given.remove(point);
        }
    }

    /// Forgets the oldest point, and its series where that has had no other since.
    fn forget(&mut self) {
        let Some((oldest, second)) = self.order.pop_front() else { return };
        if self.given.get(&oldest) == Some(&second) {
            self.given.remove(&oldest);
        }
        if self.latest.get(&oldest.0) == Some(&second) {
            self.latest.remove(&oldest.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_point_has_a_second_of_its_own_and_keeps_it() {
        let mut slots = Slots::default();
        let mut place = |series, point, wanted| slots.place((series, point), wanted, 100);
        assert_eq!(place(1, 1, 10), Some(10));
        assert_eq!(place(1, 2, 10), Some(11), "the second is taken");
        assert_eq!(place(2, 1, 10), Some(10), "another series");
        assert_eq!(place(1, 1, 10), Some(10), "once more");
        assert_eq!(place(1, 3, 9), Some(12), "what comes late does not meet what may be there");
        assert_eq!(place(1, 4, 50), Some(50));
        assert_eq!(place(1, 5, 100), Some(100));
        assert_eq!(place(1, 6, 100), None, "too far ahead");
        assert_eq!(place(1, 5, 100), Some(100));
        slots.settle(&[(2, 1)]);
        assert_eq!(slots.place((2, 1), 10, 100), Some(11), "it is there: this is another like it");
    }

    #[test]
    fn a_clock_that_is_set_back_finds_free_what_lies_too_far_ahead() {
        let mut slots = Slots::default();
        assert_eq!(slots.place((1, 1), 1_000, 1_600), Some(1_000));
        assert_eq!(slots.place((1, 2), 100, 700), Some(100));
        assert_eq!(slots.place((1, 3), 100, 700), Some(101));
        assert_eq!(slots.place((1, 1), 700, 700), Some(700), "tried again, it cannot stay where it was");
    }

    #[test]
    fn memory_is_bounded() {
        let mut slots = Slots::with_most(10);
        for nth in 0..1_000 {
            slots.place((nth % 100, nth), nth, u64::MAX);
            if nth % 3 == 0 {
                slots.settle(&[(nth % 100, nth)]);
            }
        }
        assert!(slots.given.len() <= 10);
        assert_eq!((slots.order.len(), slots.latest.len()), (10, 10));
    }

    proptest! {
        #[test]
        fn no_two_points_of_a_series_meet(points in prop::collection::vec((0u64..3, 0u64..40, 0u64..20), 0..200)) {
            let (mut slots, mut seen) = (Slots::default(), HashMap::new());
            let mut taken = HashSet::new();
            for (series, point, wanted) in points {
                let second = slots.place((series, point), wanted, u64::MAX);
                prop_assert!(second >= Some(wanted) || seen.contains_key(&(series, point)));
                match seen.insert((series, point), second) {
                    Some(before) => prop_assert_eq!(before, second),
                    None => prop_assert!(taken.insert((series, second))),
                }
            }
        }
    }
}
