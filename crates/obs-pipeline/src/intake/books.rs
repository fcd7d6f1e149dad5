//! The intake's side of law 1.

use std::borrow::Cow;
use std::sync::Arc;

use obs_core::Signal;

use super::buffer::Buffers;
use super::shard::Shard;
use crate::terms::dropped;
use crate::{IntakeTerms, PerSignal};

/// The shards, and what was counted when the collector took from them.
///
/// Whoever holds these books sees a moment at which the intake's equation holds: records move only under their lock.
#[derive(Debug, Default)]
pub(crate) struct Books {
    slots: Vec<Slot>,
    terms: PerSignal<IntakeTerms>,
    /// Whether the last swap was the last one.
    closed: bool,
}

/// A shard, and the empty buffers to swap its own for.
#[derive(Debug)]
struct Slot {
    shard: Arc<Shard>,
    other: Buffers,
}

impl Books {
    /// Takes a thread's shard, which takes no records if nobody will ever collect them.
    pub(crate) fn add(&mut self, shard: Arc<Shard>) {
        shard.lock().closed = self.closed;
        self.slots.push(Slot { shard, other: Buffers::default() });
    }

    /// Swaps every shard's buffers; from now on what they held is pending in the collector's hands.
    ///
    /// Returns the unused credit that comes back.
    /// With `close`, shards take nothing any more.
    pub(crate) fn swap(&mut self, close: bool) -> usize {
        let mut credit = 0;
        self.closed |= close;
        for Slot { shard, other } in &mut self.slots {
            other.closed = self.closed;
            std::mem::swap(&mut *shard.lock(), other);
            credit += std::mem::take(&mut other.credit);
            let pending = other.pending();
            for signal in Signal::ALL {
                let (at, terms) = (signal.index(), self.terms.get_mut(signal));
                terms.recorded += std::mem::take(&mut other.recorded[at]);
                terms.dropped.add(dropped::INTAKE_FULL, std::mem::take(&mut other.dropped[at]));
                terms.pending += pending[at];
            }
        }
        credit
    }

    /// The buffers that the last swap brought, to be emptied.
    pub(crate) fn swapped(&mut self) -> impl Iterator<Item = &mut Buffers> {
        self.slots.iter_mut().map(|slot| &mut slot.other)
    }

    /// Forgets shards whose thread is gone and that hold nothing.
    pub(crate) fn forget_orphans(&mut self) {
        self.slots.retain(|Slot { shard, .. }| {
            let orphaned = shard.is_orphaned();
            let buffers = shard.lock();
            let used = buffers.recorded.iter().any(|count| *count > 0);
            !orphaned || used
        });
    }

    /// Whether no shard holds anything.
    pub(crate) fn is_idle(&self) -> bool {
        self.slots.iter().all(|slot| slot.shard.lock().recorded.iter().all(|count| *count == 0))
    }

    /// A record that never came in is dropped.
    pub(crate) fn drop_unseen(&mut self, signal: Signal, reason: &'static str) {
        let terms = self.terms.get_mut(signal);
        terms.recorded += 1;
        terms.dropped.add(reason, 1);
    }

    /// Records that processors made are pending, too.
    pub(crate) fn add_pending(&mut self, signal: Signal, count: u64) {
        let terms = self.terms.get_mut(signal);
        terms.recorded += count;
        terms.pending += count;
    }

    /// Moves pending records to those that every destination is offered.
    pub(crate) fn seal_pending(&mut self, signal: Signal, count: u64) {
        let terms = self.terms.get_mut(signal);
        terms.pending -= count;
        terms.sealed += count;
    }

    /// Moves all that the collector holds to a reason under which it was dropped.
    pub(crate) fn drop_all_pending(&mut self, reason: &'static str) {
        for signal in Signal::ALL {
            let pending = self.terms.get_mut(signal).pending;
            self.drop_pending(signal, reason, pending);
        }
    }

    /// Moves pending records to a reason under which they were dropped.
    pub(crate) fn drop_pending(&mut self, signal: Signal, reason: &'static str, count: u64) {
        let terms = self.terms.get_mut(signal);
        terms.pending -= count;
        terms.dropped.add(reason, count);
    }

    /// Moves pending records to a reason under which they were filtered.
    pub(crate) fn filter_pending(
        &mut self,
        signal: Signal,
        reason: impl Into<Cow<'static, str>>,
        count: u64,
    ) {
        let terms = self.terms.get_mut(signal);
        terms.pending -= count;
        terms.filtered.add(reason, count);
    }

    /// The terms at this moment, what waits in the shards included.
    pub(crate) fn snapshot(&self) -> PerSignal<IntakeTerms> {
        let mut terms = self.terms.clone();
        for Slot { shard, .. } in &self.slots {
            let buffers = shard.lock();
            let pending = buffers.pending();
            for signal in Signal::ALL {
                let (at, terms) = (signal.index(), terms.get_mut(signal));
                terms.recorded += buffers.recorded[at];
                terms.dropped.add(dropped::INTAKE_FULL, buffers.dropped[at]);
                terms.pending += pending[at];
            }
        }
        terms
    }
}
