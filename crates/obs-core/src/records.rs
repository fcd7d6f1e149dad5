//! The rope that batches are made of.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A sequence of records in shared segments.
///
/// Cloning, joining, slicing and selecting copy no record: they share segments by count.
pub struct Records<T> {
    parts: Vec<(Arc<Vec<T>>, Range<usize>)>,
    len: usize,
}

impl<T> Records<T> {
    /// No records.
    pub const fn new() -> Self {
        Self { parts: Vec::new(), len: 0 }
    }

    /// How many records.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The records in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.parts.iter().flat_map(|(part, range)| &part[range.clone()])
    }

    /// The record at a position.
    pub fn get(&self, mut at: usize) -> Option<&T> {
        for (part, range) in &self.parts {
            if at < range.len() {
                return part.get(range.start + at);
            }
            at -= range.len();
        }
        None
    }

    /// Joins `other` on at the end.
    pub fn append(&mut self, other: Self) {
        for (part, range) in other.parts {
            self.push(part, range);
        }
    }

    /// The records at these positions; what lies beyond the end is left out.
    #[must_use]
    pub fn slice(&self, wanted: Range<usize>) -> Self {
        let (mut out, mut at) = (Self::new(), 0);
        for (part, range) in &self.parts {
            let from = wanted.start.max(at) - at;
            let to = wanted.end.clamp(at, at + range.len()) - at;
            if from < to {
                out.push(Arc::clone(part), range.start + from..range.start + to);
            }
            at += range.len();
        }
        out
    }

    /// The records at these positions in this order; what lies beyond the end is left out.
    #[must_use]
    pub fn select(&self, positions: &[usize]) -> Self {
        let mut out = Self::new();
        for run in positions.chunk_by(|a, b| a.checked_add(1) == Some(*b)) {
            if let [first, .., last] | [first @ last] = run {
                out.append(self.slice(*first..last.saturating_add(1)));
            }
        }
        out
    }

    /// The shared segments that the records lie in, each with the range that is used.
    ///
    /// Memory is held by whole segments: a slice keeps all of its segment alive.
    pub fn segments(&self) -> impl Iterator<Item = (&Arc<Vec<T>>, Range<usize>)> {
        self.parts.iter().map(|(part, range)| (part, range.clone()))
    }

    fn push(&mut self, part: Arc<Vec<T>>, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        self.len += range.len();
        match self.parts.last_mut() {
            Some((last, known)) if Arc::ptr_eq(last, &part) && known.end == range.start => {
                known.end = range.end;
            }
            _ => self.parts.push((part, range)),
        }
    }
}

impl<T> Clone for Records<T> {
    fn clone(&self) -> Self {
        Self { parts: self.parts.clone(), len: self.len }
    }
}

impl<T> Default for Records<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> From<Vec<T>> for Records<T> {
    fn from(records: Vec<T>) -> Self {
        Arc::new(records).into()
    }
}

impl<T> From<Arc<Vec<T>>> for Records<T> {
    fn from(segment: Arc<Vec<T>>) -> Self {
        let mut out = Self::new();
        let range = 0..segment.len();
        out.push(segment, range);
        out
    }
}

impl<T> FromIterator<T> for Records<T> {
    fn from_iter<I: IntoIterator<Item = T>>(records: I) -> Self {
        records.into_iter().collect::<Vec<_>>().into()
    }
}

impl<T: PartialEq> PartialEq for Records<T> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<T: fmt::Debug> fmt::Debug for Records<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug)]
    struct Counted(u32, Arc<AtomicUsize>);

    impl Clone for Counted {
        fn clone(&self) -> Self {
            self.1.fetch_add(1, Ordering::Relaxed);
            Self(self.0, Arc::clone(&self.1))
        }
    }

    fn rope(segments: &[Vec<u32>], copies: &Arc<AtomicUsize>) -> Records<Counted> {
        segments.iter().fold(Records::new(), |mut rope, segment| {
            rope.append(segment.iter().map(|v| Counted(*v, Arc::clone(copies))).collect());
            rope
        })
    }

    fn numbers(records: &Records<Counted>) -> Vec<u32> {
        records.iter().map(|record| record.0).collect()
    }

    proptest! {
        #[test]
        fn law_7_fan_out_copies_nothing(
            segments in prop::collection::vec(prop::collection::vec(any::<u32>(), 0..6), 0..6),
            from in 0usize..40, to in 0usize..40,
            positions in prop::collection::vec(0usize..40, 0..12),
        ) {
            let copies = Arc::new(AtomicUsize::new(0));
            let rope = rope(&segments, &copies);
            let model: Vec<u32> = segments.concat();
            prop_assert_eq!(numbers(&rope), model.clone());
            prop_assert_eq!(rope.len(), model.len());

            let slice = rope.slice(from..to);
            let (low, high) = (from.min(model.len()), to.min(model.len()));
            prop_assert_eq!(numbers(&slice), model[low..high.max(low)].to_vec());

            let selected = rope.select(&positions);
            let expected: Vec<u32> = positions.iter().filter_map(|at| model.get(*at).copied()).collect();
            prop_assert_eq!(numbers(&selected), expected);
            for at in positions {
                prop_assert_eq!(rope.get(at).map(|record| record.0), model.get(at).copied());
            }

            let mut joined = slice.clone();
            joined.append(selected.clone());
            prop_assert_eq!(joined.len(), slice.len() + selected.len());
            prop_assert_eq!(copies.load(Ordering::Relaxed), 0, "a record was copied");
        }
    }

    #[test]
    fn neighbours_in_a_segment_are_one_part() {
        let rope: Records<u32> = (0..10).collect();
        let mut halves = rope.slice(0..5);
        halves.append(rope.slice(5..10));
        assert_eq!(halves.segments().count(), 1);
        assert_eq!(rope.select(&[1, 2, 3, 7]).segments().count(), 2);
    }
}
