//! Chunks of memory that come back.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::intake::Spares;

/// Watches sealed segments until every destination is done with them, and takes their memory back.
#[derive(Debug)]
pub(super) struct Recycle<T> {
    pub(super) spares: Spares<T>,
    out: VecDeque<Arc<Vec<T>>>,
    /// How many segments came since the last look.
    unseen: usize,
}

/// How many segments are watched, more than a full queue of spans holds; what comes on top is freed by whoever is done
/// last.
const WATCHED: usize = 1_024;
/// How many segments in use one look may come across: they are passed over in turn.
const MISSES: usize = 64;
/// After how many segments a look is due: what lanes dropped for room must not stay alive until a long pass ends.
const LOOK: usize = 4;

impl<T> Default for Recycle<T> {
    fn default() -> Self {
        Self { spares: Spares::default(), out: VecDeque::new(), unseen: 0 }
    }
}

impl<T> Recycle<T> {
    /// Watches a segment, if its memory is worth it.
    pub(super) fn watch(&mut self, segment: Arc<Vec<T>>) {
        if Spares::fits(&segment) && self.out.len() < WATCHED {
            self.out.push_back(segment);
            self.unseen += 1;
            if self.unseen >= LOOK {
                self.sweep();
            }
        }
    }

    /// Takes back what nobody uses any more; a few looks see all that is watched.
    pub(super) fn sweep(&mut self) {
        self.unseen = 0;
        let mut misses = 0;
        for _ in 0..self.out.len() {
            let Some(segment) = self.out.pop_front() else { return };
            match Arc::try_unwrap(segment) {
                Ok(records) => self.spares.give(records),
                Err(used) => {
                    self.out.push_back(used);
                    misses += 1;
                    if misses == MISSES {
                        return;
                    }
                }
            }
        }
    }

    /// Stops watching: destinations that are slow free the memory themselves.
    pub(super) fn forget(&mut self) {
        self.out.clear();
    }

    pub(super) fn is_watching(&self) -> bool {
        !self.out.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNK: usize = Spares::<u64>::CHUNK;

    #[test]
    fn memory_comes_back_once_everybody_is_done() {
        let mut recycle = Recycle::default();
        let used: Vec<_> = (0..500).map(|_| Arc::new(Vec::<u64>::with_capacity(CHUNK))).collect();
        for segment in &used {
            recycle.watch(Arc::clone(segment));
        }
        recycle.watch(Arc::new(Vec::with_capacity(CHUNK - 1)));
        recycle.sweep();
        assert_eq!((recycle.out.len(), recycle.spares.len()), (500, 0), "small segments are not worth it");
        drop(used);
        recycle.watch(Arc::new(Vec::with_capacity(CHUNK)));
        recycle.sweep();
        assert!(!recycle.is_watching() && recycle.spares.len() > 0);
    }

    #[test]
    fn memory_that_everybody_is_done_with_does_not_pile_up_between_looks() {
        let mut recycle = Recycle::default();
        for _ in 0..500 {
            recycle.watch(Arc::new(Vec::<u64>::with_capacity(CHUNK)));
            assert!(recycle.out.len() < LOOK, "{} segments are kept alive", recycle.out.len());
        }
    }
}
