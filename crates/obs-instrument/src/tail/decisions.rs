//! What became of traces, for what comes late.

use std::collections::BTreeMap;

use obs_core::TraceId;
use rustc_hash::FxHashMap;

/// Decisions on the traces that were asked for last, at most so many.
#[derive(Debug)]
pub(super) struct Decisions {
    made: FxHashMap<TraceId, Decision>,
    /// The traces by when they were asked for.
    order: BTreeMap<u64, TraceId>,
    asked: u64,
    limit: usize,
}

#[derive(Debug)]
struct Decision {
    kept: bool,
    asked: u64,
}

impl Decisions {
    pub(super) fn new(limit: usize) -> Self {
        Self { made: FxHashMap::default(), order: BTreeMap::new(), asked: 0, limit }
    }

    /// Whether the trace was kept, if that is known; it is remembered for longer then.
    pub(super) fn ask(&mut self, trace_id: TraceId) -> Option<bool> {
        let decision = self.made.get_mut(&trace_id)?;
        self.asked += 1;
        self.order.remove(&decision.asked);
        self.order.insert(self.asked, trace_id);
        decision.asked = self.asked;
        Some(decision.kept)
    }

    /// Remembers a decision; the one that was not asked for longest is forgotten for it.
    pub(super) fn made(&mut self, trace_id: TraceId, kept: bool) {
        self.asked += 1;
        let decision = Decision { kept, asked: self.asked };
        if let Some(before) = self.made.insert(trace_id, decision) {
            self.order.remove(&before.asked);
        }
        self.order.insert(self.asked, trace_id);
        while self.made.len() > self.limit {
            let Some((_, oldest)) = self.order.pop_first() else { return };
            self.made.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_last_is_remembered_and_no_more_than_may_be() {
        let id = |at| TraceId::new(at).unwrap();
        let mut decisions = Decisions::new(3);
        (1..=3).for_each(|at| decisions.made(id(at), at % 2 == 0));
        assert_eq!(decisions.ask(id(1)), Some(false));
        decisions.made(id(4), true);
        assert_eq!(decisions.ask(id(2)), None, "it was not asked for longest");
        assert_eq!([1, 3, 4].map(|at| decisions.ask(id(at))), [Some(false), Some(false), Some(true)]);
        decisions.made(id(4), false);
        assert_eq!((decisions.ask(id(4)), decisions.made.len(), decisions.order.len()), (Some(false), 3, 3));
    }
}
