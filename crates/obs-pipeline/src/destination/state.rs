//! What a destination's lock guards, and how it changes.

use std::time::Duration;

use obs_core::{Health, Receipt, Signal};

use super::Destination;
use super::entrance::Meant;
use super::hold::Hold;
use super::outbox::{Due, Outbox, earlier};
use super::status::Status;
use crate::collector::Sealed;
use crate::intake::ByteBudget;
use crate::jitter::Jitter;
use crate::outcome::Outcome;
use crate::{DestinationReport, LaneConfig, LastError, Ledger, Offer, Overflow, PerSignal};

#[derive(Debug)]
pub(super) struct State {
    pub(super) config: LaneConfig,
    pub(super) outboxes: [Outbox; Signal::COUNT],
    pub(super) fallbacks: Vec<FallbackBooks>,
    pub(super) hold: Hold,
    pub(super) stage: Stage,
    pub(super) flush: Flush,
    pub(super) status: Status,
    /// Whether, near the end, the destination was out: nothing is tried any more, and all goes to the dead letters.
    pub(super) resigned: bool,
    /// Whether the exporter said that its shutdown failed.
    pub(super) unclean: bool,
    pub(super) jitter: Jitter,
    /// When the exporter is asked for its health next; never while it is being asked.
    pub(super) check_at: Option<Duration>,
}

/// What a fallback took.
#[derive(Debug)]
pub(super) struct FallbackBooks {
    name: Box<str>,
    ledgers: [Ledger; Signal::COUNT],
    status: Status,
}

impl FallbackBooks {
    pub(super) fn new(name: Box<str>) -> Self {
        Self { name, ledgers: Default::default(), status: Status::default() }
    }

    fn took(&mut self, signal: Signal, receipt: &Receipt) {
        let ledger = &mut self.ledgers[signal.index()];
        ledger.offered(receipt.settled());
        ledger.settled(receipt);
        self.status.took(receipt, None);
    }

    /// Its ledgers; its health is that of what it took, since only the one before it knows what it did not take.
    pub(super) fn report(&self, primary: &str) -> DestinationReport {
        DestinationReport {
            name: self.name.clone(),
            fallback_of: Some(primary.into()),
            health: self.status.health(1),
            signals: PerSignal::from(self.ledgers.each_ref().map(|ledger| ledger.terms().clone())),
        }
    }
}

/// Where in its life a destination is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Running,
    /// Nothing new comes; what is here is tried once more without regard to delays of our own.
    Draining,
    /// Time is up: what is on its way is cancelled and everything is given up.
    Cut,
    /// The exporter was shut down, or nobody waits for that any more.
    Done,
}

/// Flushes by number, one under way at a time: a later one never moves the marks that an earlier one waits for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flush {
    pub(super) wanted: u64,
    /// The last one whose marks the lanes have.
    marked: u64,
    /// The last one whose records have left, so that the exporter is asked.
    left: u64,
    pub(super) done: u64,
    pub(super) failed: u64,
}

impl State {
    pub(super) fn bytes(&self) -> usize {
        self.outboxes.iter().map(Outbox::bytes).sum()
    }

    pub(super) fn items(&self) -> usize {
        self.outboxes.iter().map(|outbox| outbox.waiting() as usize).sum()
    }

    /// How much memory may wait: an eighth is for what goes to the dead letters, where there are some.
    fn limit(&self, buries: bool) -> usize {
        let all = self.config.max_memory_usage.get() as usize;
        if buries { all - all / 8 } else { all }
    }

    /// How much more may wait for the dead letters.
    fn room_for_doomed(&self, buries: bool) -> usize {
        let all = self.config.max_memory_usage.get() as usize / 8;
        let used = self.outboxes.iter().map(Outbox::doomed_bytes).sum();
        if buries { all.saturating_sub(used) } else { 0 }
    }

    fn fits(&self, bytes: usize, items: usize, buries: bool) -> bool {
        let in_memory = || {
            let memory = self.outboxes.iter().filter(|outbox| !outbox.is_durable());
            memory.map(|outbox| outbox.waiting() as usize).sum::<usize>()
        };
        self.bytes() + bytes <= self.limit(buries)
            && self.config.buffer_size.is_none_or(|most| items == 0 || in_memory() + items <= most)
    }

    /// Whether a segment fits, after memory was freed and the oldest ones were given up if that is the policy.
    pub(super) fn make_room(&mut self, at: usize, bytes: usize, items: usize, buries: bool) -> bool {
        let items = if self.outboxes[at].is_durable() { 0 } else { items };
        while !self.fits(bytes, items, buries) {
            let mut fattest: Vec<usize> = (0..Signal::COUNT).collect();
            fattest.sort_by_key(|at| std::cmp::Reverse(self.outboxes[*at].bytes()));
            let lacks_memory = self.bytes() + bytes > self.limit(buries);
            if lacks_memory && fattest.iter().any(|at| self.outboxes[*at].spill()) {
                continue;
            }
            let hopeless =
                bytes > self.limit(buries) || self.config.buffer_size.is_some_and(|most| items > most);
            if hopeless || self.outboxes[at].overflow() != Overflow::DropOldest {
                return false;
            }
            let mut room = self.room_for_doomed(buries);
            let made = fattest.into_iter().any(|at| {
                let outbox = &mut self.outboxes[at];
                if lacks_memory { outbox.make_room_in_memory(&mut room) } else { outbox.make_room(&mut room) }
            });
            if !made {
                return false;
            }
        }
        true
    }

    /// Refuses a segment for which there is no room.
    pub(super) fn refuse(&mut self, at: usize, offer: Offer, intake: &ByteBudget, buries: bool) {
        let mut room = self.room_for_doomed(buries);
        self.outboxes[at].refuse(offer, intake, &mut room);
    }

    /// Gives up what waited too long, and lets in what waits before the lanes as far as there is room now.
    pub(super) fn tidy(&mut self, now: Duration, of: &Destination) {
        let (intake, buries, wall) = (of.intake.bytes(), of.buries(), of.clock.at(now));
        for at in 0..Signal::COUNT {
            let mut room = self.room_for_doomed(buries);
            self.outboxes[at].expire(now, intake, &mut room);
            if self.resigned {
                self.outboxes[at].resign(now, wall, intake, &mut room);
            }
        }
        for at in 0..Signal::COUNT {
            while let Some((bytes, items)) = self.outboxes[at].next_parked()
                && self.fits(bytes, if self.outboxes[at].is_durable() { 0 } else { items }, buries)
            {
                self.outboxes[at].admit_parked(intake);
            }
        }
    }

    /// When one lane is due.
    pub(super) fn due(&self, at: usize, now: Duration) -> Due {
        if self.resigned {
            return Due::Never;
        }
        self.hold.delays(self.outboxes[at].due(now, self.stage > Stage::Running), now)
    }

    /// When there is something to do.
    pub(super) fn next(&self, now: Duration) -> Due {
        let lanes = (0..Signal::COUNT).map(|at| earlier(self.due(at, now), self.outboxes[at].expires()));
        if self.outboxes.iter().any(Outbox::buries_now) {
            return Due::Now;
        }
        let check = self.check_at.map_or(Due::Never, Due::At);
        lanes.fold(check, earlier)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.outboxes.iter().all(Outbox::is_empty)
    }

    /// Marks all that is here: now, or for when the flush under way is done.
    pub(super) fn ask_flush(&mut self) -> u64 {
        self.flush.wanted += 1;
        if self.flush.marked == self.flush.left {
            self.flush.marked = self.flush.wanted;
            self.outboxes.iter_mut().for_each(Outbox::flush);
        } else {
            self.outboxes.iter_mut().for_each(Outbox::flush_next);
        }
        self.flush.wanted
    }

    /// The flush whose records have all left just now; the one that was asked for meanwhile begins.
    pub(super) fn flush_left(&mut self) -> Option<u64> {
        if self.flush.marked == self.flush.left || !self.outboxes.iter().all(Outbox::is_flushed) {
            return None;
        }
        self.flush.left = self.flush.marked;
        if self.flush.wanted > self.flush.marked {
            self.flush.marked = self.flush.wanted;
            self.outboxes.iter_mut().for_each(Outbox::next_flush);
        }
        Some(self.flush.left)
    }

    pub(super) fn advance(&mut self, stage: Stage, intake: &ByteBudget) {
        if stage <= self.stage {
            return;
        }
        self.stage = stage;
        match stage {
            Stage::Running => {}
            Stage::Draining => {
                self.hold = Hold::No;
                self.check_at = None;
                self.outboxes.iter_mut().for_each(Outbox::hurry);
                if !self.config.flush_on_shutdown {
                    self.abandon_idle(intake);
                }
            }
            Stage::Cut | Stage::Done => {
                self.flush.failed = self.flush.wanted;
                self.outboxes.iter_mut().for_each(|outbox| outbox.abandon(intake));
            }
        }
    }

    fn abandon_idle(&mut self, intake: &ByteBudget) {
        self.flush.failed = self.flush.wanted;
        let idle = self.outboxes.iter_mut().filter(|outbox| !outbox.is_sending());
        idle.for_each(|outbox| outbox.abandon(intake));
    }

    /// Settles a batch; what comes after the end changes nothing, since its records are accounted for.
    pub(super) fn settle(
        &mut self,
        of: &Destination,
        signal: Signal,
        outcome: Outcome,
        cause: Option<&LastError>,
        now: Duration,
    ) {
        if self.stage >= Stage::Cut {
            return;
        }
        self.status.settled(&outcome, cause);
        if let (Some(_), Some(every)) = (self.check_at, self.config.health_check_interval) {
            self.check_at = Some(now.saturating_add(every));
        }
        let Outcome { receipt, left, trouble } = outcome;
        let settled = self.outboxes[signal.index()].settle(receipt, left, now);
        for diverted in &settled.diverted {
            let fallback = self.fallbacks.iter_mut().find(|fallback| fallback.name == diverted.to);
            if let Some(fallback) = fallback {
                fallback.took(signal, &diverted.receipt);
            }
        }
        let chance = self.jitter.chance();
        let out = self.outboxes[signal.index()].rest(trouble.as_ref(), now, chance);
        self.hold.answered(out, now);
        if out.is_some() && self.stage == Stage::Draining {
            self.resigned = of.buries();
            if !self.resigned {
                self.abandon_idle(of.intake.bytes());
            }
            self.hold = Hold::No;
        }
        self.tidy(now, of);
    }

    /// Takes a segment in that was routed already.
    pub(super) fn take(&mut self, of: &Destination, sealed: &Sealed, meant: &Meant, now: Duration) {
        let batch = meant.batch.clone();
        let (at, items, bytes) = (batch.signal().index(), batch.len(), sealed.bytes);
        let selection = sealed.position.and_then(|_| meant.selection(&sealed.batch));
        let offer = Offer { batch, position: sealed.position, selection, bytes, now };
        // A segment that alone is more than may wait is cut, so that room is made in small parts.
        let most = self.config.buffer_size.filter(|most| *most < items && !self.outboxes[at].is_durable());
        let Some(part) = most.map(|most| most.div_ceil(8)) else { return self.take_part(of, at, offer) };
        for from in (0..items).step_by(part) {
            let batch = offer.batch.slice(from..from + part);
            self.take_part(
                of,
                at,
                Offer { bytes: batch.byte_size(), batch, selection: None, ..offer.clone() },
            );
        }
    }

    fn take_part(&mut self, of: &Destination, at: usize, offer: Offer) {
        let (bytes, items) = (offer.bytes, offer.batch.len());
        if !self.outboxes[at].is_blocked() && self.make_room(at, bytes, items, of.buries()) {
            self.outboxes[at].admit(offer);
        } else {
            self.refuse(at, offer, of.intake.bytes(), of.buries());
        }
    }

    pub(super) fn health(&self) -> Health {
        self.status.health(self.config.unhealthy_threshold_failures)
    }
}
