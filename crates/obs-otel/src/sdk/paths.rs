//! What running spans know of those above them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use obs_core::{Ancestor, SpanId, Timestamp, TraceId};

/// How many parts the running spans are kept in, so that threads seldom wait for each other.
const PARTS: usize = 16;

/// How many spans run at once in one part before no more are kept: children of the others have no path, as if their parent were elsewhere.
const MOST_RUNNING: usize = 4_096;

type Key = (TraceId, SpanId);

/// The running spans of this process.
#[derive(Debug, Default)]
pub(super) struct Paths {
    parts: [Mutex<HashMap<Key, Running>>; PARTS],
}

/// A running span.
#[derive(Debug)]
struct Running {
    start: Timestamp,
    is_root: bool,
    /// Those above it.
    path: Option<Arc<Ancestor>>,
    /// Itself, as its children see it; made for the first of them.
    own: Option<Arc<Ancestor>>,
}

impl Paths {
    /// A span began below this one, if below any of this process; those above it.
    pub(super) fn begin(
        &self,
        key: Key,
        start: Timestamp,
        is_root: bool,
        parent: Option<SpanId>,
    ) -> Option<Arc<Ancestor>> {
        let path = parent.and_then(|parent| self.ancestor((key.0, parent)));
        let mut part = self.part(key);
        if part.len() < MOST_RUNNING {
            part.insert(key, Running { start, is_root, path: path.clone(), own: None });
        }
        path
    }

    /// The span ended; those above it.
    pub(super) fn end(&self, key: Key) -> Option<Arc<Ancestor>> {
        self.part(key).remove(&key)?.path
    }

    fn ancestor(&self, key: Key) -> Option<Arc<Ancestor>> {
        let mut part = self.part(key);
        let running = part.get_mut(&key)?;
        let Running { start, is_root, path, own } = running;
        let make = || Arc::new(Ancestor::new(key.1, *start, *is_root, path.clone()));
        Some(Arc::clone(own.get_or_insert_with(make)))
    }

    fn part(&self, (_, span_id): Key) -> MutexGuard<'_, HashMap<Key, Running>> {
        let nth = usize::from(span_id.to_bytes()[7]) % PARTS;
        self.parts[nth].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [u64; 0] = [];

    fn key(span: u64) -> Key {
        (TraceId::new(7).unwrap(), SpanId::new(span).unwrap())
    }

    fn begin(paths: &Paths, span: u64, parent: Option<u64>) -> Vec<u64> {
        let at = Timestamp::from_nanos(span);
        let path = paths.begin(key(span), at, parent.is_none(), parent.map(|parent| key(parent).1));
        path.iter().flat_map(|path| path.iter()).map(|above| above.start.as_nanos()).collect()
    }

    #[test]
    fn a_span_knows_those_above_it_and_leaves_nothing_behind() {
        let paths = Paths::default();
        assert_eq!(begin(&paths, 1, None), NONE);
        assert_eq!(begin(&paths, 2, Some(1)), [1]);
        assert_eq!(begin(&paths, 3, Some(2)), [2, 1]);
        assert_eq!(begin(&paths, 4, Some(9)), NONE, "a parent that is not here");
        let own = paths.end(key(3)).unwrap();
        assert_eq!(own.iter().last().map(|top| (top.span_id, top.is_root)), Some((key(1).1, true)));
        assert!(paths.end(key(1)).is_none());
        assert_eq!(begin(&paths, 5, Some(1)), NONE, "a parent that has ended");
        for span in [2, 4, 5] {
            paths.end(key(span));
        }
        assert!(paths.parts.iter().all(|part| part.lock().unwrap().is_empty()));
    }

    #[test]
    fn spans_that_never_end_are_bounded() {
        let paths = Paths::default();
        (1..=2 * (PARTS * MOST_RUNNING) as u64).for_each(|span| drop(begin(&paths, span, None)));
        let kept: usize = paths.parts.iter().map(|part| part.lock().unwrap().len()).sum();
        assert_eq!(kept, PARTS * MOST_RUNNING);
    }
}
