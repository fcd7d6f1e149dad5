//! Which errors were counted before.

use std::collections::VecDeque;

use rustc_hash::FxHashSet;
use uuid::Uuid;

/// How many ids are remembered: an ancestor that fails with the same error ends soon after, so a few thousand are plenty.
const REMEMBERED: usize = 8_192;

/// The ids of the errors that were seen last.
#[derive(Debug, Default)]
pub(crate) struct RecentErrors {
    ids: FxHashSet<Uuid>,
    oldest_first: VecDeque<Uuid>,
}

impl RecentErrors {
    /// Whether the error is seen for the first time; one without an id always is.
    pub(crate) fn is_new(&mut self, id: Option<Uuid>) -> bool {
        let Some(id) = id else { return true };
        if !self.ids.insert(id) {
            return false;
        }
        if self.oldest_first.len() == REMEMBERED
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.ids.remove(&oldest);
        }
        self.oldest_first.push_back(id);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_once_and_memory_is_bounded() {
        let mut errors = RecentErrors::default();
        assert!(errors.is_new(None) && errors.is_new(None));
        for at in 0..REMEMBERED as u128 * 2 {
            assert!(errors.is_new(Some(Uuid::from_u128(at))));
            assert!(!errors.is_new(Some(Uuid::from_u128(at))));
        }
        assert_eq!((errors.ids.len(), errors.oldest_first.len()), (REMEMBERED, REMEMBERED));
    }
}
