//! Chunks of memory that come back.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::intake::Spares;

/// Watches sealed segments until every destination is done with them, and takes their memory back.
#[derive(Debug)]
pub(super) struct Recycle<T> {
    pub(super) spares: Spares<T>,
    out: VecDeque<Arc<Vec<T>>>,
}

/// How many segments are watched; what comes on top is freed by whoever is done last.
const WATCHED: usize = 256;

impl<T> Default for Recycle<T> {
    fn default() -> Self {
        Self { spares: Spares::default(), out: VecDeque::new() }
    }
}

impl<T> Recycle<T> {
    /// Watches a segment, if its memory is worth it.
    pub(super) fn watch(&mut self, segment: Arc<Vec<T>>) {
        if Spares::fits(&segment) && self.out.len() < WATCHED {
            self.out.push_back(segment);
        }
    }

    /// Takes back what nobody uses any more.
    pub(super) fn sweep(&mut self) {
        for _ in 0..self.out.len() {
            let Some(segment) = self.out.pop_front() else { return };
            match Arc::try_unwrap(segment) {
                Ok(records) => self.spares.give(records),
                Err(used) => self.out.push_back(used),
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
