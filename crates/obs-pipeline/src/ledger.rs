//! The books of one lane: every record is under exactly one term.

use std::borrow::Cow;

use obs_core::Receipt;

use crate::Terms;

/// Counts what becomes of the records of one signal at one destination.
///
/// Each step moves records from one term to another, so that the equation of [`Terms`] holds after every one.
#[derive(Debug, Default)]
pub struct Ledger {
    terms: Terms,
}

impl Ledger {
    /// A ledger in which nothing was counted.
    pub fn new() -> Self {
        Self::default()
    }

    /// The terms at this moment.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Records were offered, and now wait.
    pub fn offered(&mut self, count: usize) {
        self.terms.offered += count as u64;
        self.terms.queued += count as u64;
    }

    /// Records that did not pass the intake were offered, and now wait.
    pub fn own(&mut self, count: usize) {
        self.offered(count);
        self.terms.own += count as u64;
    }

    /// Records were found on disk, and now wait.
    pub fn recovered(&mut self, count: usize) {
        self.terms.recovered += count as u64;
        self.terms.queued += count as u64;
    }

    /// Waiting records are not meant for this destination.
    pub fn filtered(&mut self, reason: impl Into<Cow<'static, str>>, count: usize) {
        let count = self.leave(count);
        self.terms.filtered.add(reason, count);
    }

    /// Waiting records are lost.
    pub fn dropped(&mut self, reason: impl Into<Cow<'static, str>>, count: usize) {
        let count = self.leave(count);
        self.terms.dropped.add(reason, count);
    }

    /// Waiting records went to the dead letters.
    pub fn dead_lettered(&mut self, count: usize) {
        self.terms.dead_lettered += self.leave(count);
    }

    /// Waiting records are settled as a receipt says; what a queue below took over goes on waiting.
    pub fn settled(&mut self, receipt: &Receipt) {
        self.terms.delivered += self.leave(receipt.delivered);
        self.terms.diverted += self.leave(receipt.diverted_count());
        self.terms.dead_lettered += self.leave(receipt.dead_lettered);
        self.terms.rejected += self.leave(receipt.rejected_count());
    }

    /// Takes records out of those that wait; never more than there are.
    fn leave(&mut self, count: usize) -> u64 {
        let count = (count as u64).min(self.terms.queued);
        self.terms.queued -= count;
        count
    }
}

#[cfg(test)]
mod tests {
    use obs_core::{Batch, ErrorKind, Rejection, Signal};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn law_1_accounting_holds_after_every_step(steps in prop::collection::vec((0u8..7, 0usize..50), 0..40)) {
            let mut ledger = Ledger::new();
            for (step, count) in steps {
                match step {
                    0 => ledger.offered(count),
                    1 => ledger.filtered("started", count),
                    2 => ledger.dropped("overflow", count),
                    3 => ledger.own(count),
                    4 => ledger.recovered(count),
                    5 => ledger.dead_lettered(count),
                    _ => {
                        let rejected = Rejection {
                            count: count / 3,
                            ..Rejection::of(Batch::empty(Signal::Logs), ErrorKind::Rejected, "no")
                        };
                        let rejected = vec![rejected];
                        ledger.settled(&Receipt { delivered: count - count / 3, rejected, ..Receipt::default() });
                    }
                }
                prop_assert!(ledger.terms().is_balanced(), "{:?}", ledger.terms());
            }
        }
    }
}
