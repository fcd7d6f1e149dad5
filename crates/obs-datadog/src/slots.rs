//! Which second each point of a series has: Datadog keeps one point a second of a series, and the last one wins.

use std::collections::{HashMap, VecDeque};

/// The most points that are remembered: about 5 MB.
const MOST: usize = 65_536;

/// The seconds that were given to points.
///
/// A point gets the second it wants, or the first after all that its series was given.
/// A point that is asked for again, as when a batch is tried again, gets the second that it had.
/// Of a series whose last point was pushed out by others nothing is remembered: it takes more than 65,536 points within a
/// second for two of its points to meet.
#[derive(Debug)]
pub(crate) struct Slots {
    /// The last second of each series.
    latest: HashMap<u64, u64>,
    /// The second of each point, by its series and itself.
    given: HashMap<(u64, u64), u64>,
    /// The points, the oldest first.
    order: VecDeque<(u64, u64)>,
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
    pub(crate) fn place(&mut self, series: u64, point: u64, wanted: u64, until: u64) -> Option<u64> {
        if let Some(second) = self.given.get(&(series, point)) {
            return Some(*second);
        }
        let free = self.latest.get(&series).map_or(wanted, |last| wanted.max(last + 1));
        if free > until {
            return None;
        }
        self.latest.insert(series, free);
        self.given.insert((series, point), free);
        self.order.push_back((series, point));
        if self.order.len() > self.most {
            self.forget();
        }
        Some(free)
    }

    /// Forgets the oldest point, and its series where that has had no other since.
    fn forget(&mut self) {
        let Some(oldest) = self.order.pop_front() else { return };
        let second = self.given.remove(&oldest);
        if self.latest.get(&oldest.0) == second.as_ref() {
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
        let mut place = |series, point, wanted| slots.place(series, point, wanted, 100);
        assert_eq!(place(1, 1, 10), Some(10));
        assert_eq!(place(1, 2, 10), Some(11), "the second is taken");
        assert_eq!(place(2, 1, 10), Some(10), "another series");
        assert_eq!(place(1, 1, 10), Some(10), "once more");
        assert_eq!(place(1, 3, 9), Some(12), "what comes late does not meet what may be there");
        assert_eq!(place(1, 4, 50), Some(50));
        assert_eq!(place(1, 5, 100), Some(100));
        assert_eq!(place(1, 6, 100), None, "too far ahead");
        assert_eq!(place(1, 5, 100), Some(100));
    }

    #[test]
    fn memory_is_bounded() {
        let mut slots = Slots::with_most(10);
        for nth in 0..1_000 {
            slots.place(nth % 100, nth, nth, u64::MAX);
        }
        assert_eq!((slots.order.len(), slots.given.len(), slots.latest.len()), (10, 10, 10));
    }

    proptest! {
        #[test]
        fn no_two_points_of_a_series_meet(points in prop::collection::vec((0u64..3, 0u64..40, 0u64..20), 0..200)) {
            let (mut slots, mut seen) = (Slots::default(), HashMap::new());
            let mut taken = HashSet::new();
            for (series, point, wanted) in points {
                let second = slots.place(series, point, wanted, u64::MAX);
                prop_assert!(second >= Some(wanted) || seen.contains_key(&(series, point)));
                match seen.insert((series, point), second) {
                    Some(before) => prop_assert_eq!(before, second),
                    None => prop_assert!(taken.insert((series, second))),
                }
            }
        }
    }
}
