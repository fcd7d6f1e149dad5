//! What an exporter remembers of its process, within bounds.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The latest entries by key; the oldest give way to new ones.
///
/// Nothing that is delivered depends on an entry being there: ids are computed, and what is forgotten costs a request.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    most: usize,
    entries: Mutex<Entries<K, V>>,
}

#[derive(Debug)]
struct Entries<K, V> {
    /// Values, and the turn of their last change.
    known: HashMap<K, (V, u64)>,
    /// Keys by turn; those whose turn is not their last mean nothing.
    order: VecDeque<(K, u64)>,
    turn: u64,
}

impl<K: Hash + Eq + Copy, V: Copy> Recent<K, V> {
    pub(crate) fn of(most: usize) -> Self {
        let entries = Entries { known: HashMap::new(), order: VecDeque::new(), turn: 0 };
        Self { most: most.max(1), entries: Mutex::new(entries) }
    }

    pub(crate) fn get(&self, key: K) -> Option<V> {
        self.entries().known.get(&key).map(|(value, _)| *value)
    }

    pub(crate) fn put(&self, key: K, value: V) {
        let mut entries = self.entries();
        entries.turn += 1;
        let turn = entries.turn;
        entries.known.insert(key, (value, turn));
        entries.order.push_back((key, turn));
        // Removed and renewed keys leave turns behind, which are swept with the old ones.
        while entries.known.len() > self.most || entries.order.len() > 2 * self.most {
            let Some((oldest, turn)) = entries.order.pop_front() else { break };
            if entries.known.get(&oldest).is_some_and(|(_, last)| *last == turn) {
                entries.known.remove(&oldest);
            }
        }
    }

    pub(crate) fn remove(&self, key: K) -> Option<V> {
        self.entries().known.remove(&key).map(|(value, _)| value)
    }

    fn entries(&self) -> MutexGuard<'_, Entries<K, V>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_give_way_and_renewing_counts() {
        let recent = Recent::of(2);
        recent.put(1, 'a');
        recent.put(2, 'b');
        recent.put(1, 'c');
        recent.put(3, 'd');
        assert_eq!((recent.get(1), recent.get(2), recent.get(3)), (Some('c'), None, Some('d')));
    }

    #[test]
    fn turns_that_mean_nothing_are_bounded_too() {
        let recent = Recent::of(3);
        for turn in 0..1_000 {
            recent.put(turn % 2, turn);
            recent.put(7, turn);
            assert_eq!(recent.remove(7), Some(turn));
        }
        assert!(recent.entries().order.len() <= 6);
        assert!(recent.get(0).is_some() && recent.get(1).is_some());
    }
}
