//! Which records of a segment are meant for a destination.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use obs_core::{Batch, Descriptor, Signals};

use crate::Ledger;
use crate::collector::Sealed;
use crate::identity::positions;
use crate::route::{Gate, Selected};
use crate::terms::{dropped, filtered};

/// What a destination takes, and what its route lets through.
#[derive(Debug)]
pub(super) struct Entrance {
    signals: Signals,
    wants_started: bool,
    gate: Option<Mutex<Gate>>,
}

/// The records that are meant for a destination, and how many are not, and why.
#[derive(Debug)]
pub(crate) struct Meant {
    pub(super) batch: Batch,
    unsupported: usize,
    started: usize,
    routed: usize,
    reason: Cow<'static, str>,
    panicked: usize,
}

impl Meant {
    /// All of a segment that the destination takes at all.
    pub(super) fn all_of(sealed: &Sealed, descriptor: &Descriptor) -> Self {
        Entrance::new(descriptor, None).pass(&sealed.batch, sealed.ended.as_ref(), Duration::ZERO)
    }

    /// Counts `count` records of a row of which an earlier process delivered a part: those that are not meant, as far as
    /// they were not delivered.
    pub(super) fn count_rest(&self, ledger: &mut Ledger, count: usize) {
        let panicked = self.panicked.min(count);
        let started = self.started.min(count - panicked);
        ledger.dropped(dropped::PANIC, panicked);
        ledger.filtered(filtered::STARTED, started);
        ledger.filtered(self.reason.clone(), count - panicked - started);
    }

    /// Which records of the segment are meant; none where all are.
    pub(super) fn selection(&self, all: &Batch) -> Option<Arc<[u32]>> {
        (self.batch.len() < all.len()).then(|| positions(all, &self.batch))
    }

    /// Counts those that are not.
    pub(super) fn count(&self, ledger: &mut Ledger) {
        ledger.filtered(filtered::UNSUPPORTED, self.unsupported);
        ledger.filtered(filtered::STARTED, self.started);
        ledger.filtered(self.reason.clone(), self.routed);
        ledger.dropped(dropped::PANIC, self.panicked);
    }
}

impl Entrance {
    pub(super) fn new(descriptor: &Descriptor, gate: Option<Gate>) -> Self {
        Self {
            signals: descriptor.signals(),
            wants_started: descriptor.wants_started(),
            gate: gate.map(Mutex::new),
        }
    }

    /// Takes out of a sealed segment what is not meant for the destination; `ended` is the segment without starts of
    /// spans, where there are any.
    pub(super) fn pass(&self, all: &Batch, ended: Option<&Batch>, now: Duration) -> Meant {
        if let Some(gate) = &self.gate {
            gate.lock().unwrap_or_else(PoisonError::into_inner).observe(all, now);
        }
        self.pass_unseen(all, ended, now)
    }

    /// As [`Entrance::pass`], of what windows have nothing to do with: an earlier process sealed it.
    pub(super) fn pass_unseen(&self, all: &Batch, ended: Option<&Batch>, now: Duration) -> Meant {
        let gate = self.gate.as_ref().map(|gate| gate.lock().unwrap_or_else(PoisonError::into_inner));
        let mut meant = Meant {
            batch: all.clone(),
            unsupported: 0,
            started: 0,
            routed: 0,
            reason: filtered::ROUTE.into(),
            panicked: 0,
        };
        if !self.signals.contains(all.signal()) {
            meant.unsupported = all.len();
            meant.batch = Batch::empty(all.signal());
            return meant;
        }
        if let (Some(ended), false) = (ended, self.wants_started) {
            meant.started = all.len() - ended.len();
            meant.batch = ended.clone();
        }
        if let Some(gate) = gate {
            let Selected { batch, filtered, panicked, reason } = gate.select(&meant.batch, now);
            if filtered > 0 {
                meant.reason = reason.to_owned().into();
            }
            (meant.batch, meant.routed, meant.panicked) = (batch, filtered, panicked);
        }
        meant
    }
}
