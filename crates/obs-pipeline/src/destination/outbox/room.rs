//! Room: what a lane refuses, parks and gives up.

use std::time::Duration;

use obs_core::{Batch, ErrorKind, Rejection, Timestamp};

use super::{Outbox, Store};
use crate::destination::doomed::{self, Buried, Dead};
use crate::intake::ByteBudget;
use crate::{Offer, Overflow, Removed};

/// Why what waits at the end is given up.
const SHUT_DOWN: &str = "the pipeline was shut down while the destination was out";

impl Outbox {
    /// What there is no room for waits before the lane, or is given up; `room` is that for dead letters.
    pub(in crate::destination) fn refuse(&mut self, offer: Offer, intake: &ByteBudget, room: &mut usize) {
        match self.rules.overflow {
            Overflow::Block if intake.hold(offer.bytes) => {
                self.parked.push_back(offer);
                self.tell_parked();
            }
            Overflow::Block | Overflow::DropNewest | Overflow::DropOldest => {
                let removed = Removed { count: offer.batch.len(), batch: Some(offer.batch) };
                self.give_up(removed, ErrorKind::Overflow, room);
            }
        }
    }

    /// Records that the store has no longer: for the dead letters if there are some, and room for it, else lost.
    fn give_up(&mut self, removed: Removed, kind: ErrorKind, room: &mut usize) {
        let why = match kind {
            ErrorKind::Expired => format!("it waited longer than {:?}", self.rules.max_age),
            ErrorKind::Closed => SHUT_DOWN.to_owned(),
            _ => "there was no room for it in the queue".to_owned(),
        };
        let lost =
            if self.rules.buries { self.doomed.take(removed, kind, &why, room) } else { removed.count };
        self.lose(lost, kind, why);
    }

    /// Records that not even the dead letters have room for.
    fn lose(&mut self, lost: usize, kind: ErrorKind, why: String) {
        self.ledger.dropped(doomed::reason(kind), lost);
        if lost > 0 {
            let empty = Batch::empty(self.rules.signal);
            let unsaid = Rejection { records: None, count: 0, ..Rejection::of(empty, kind, why) };
            self.refused.get_or_insert(unsaid).count += lost;
        }
    }

    /// Gives everything up for the dead letters, as far as they have room now; what disk has stays there.
    pub(in crate::destination) fn resign(
        &mut self,
        now: Duration,
        wall: Timestamp,
        intake: &ByteBudget,
        room: &mut usize,
    ) {
        if self.sending || self.loading {
            return;
        }
        if self.is_durable() {
            self.abandon(intake);
            return;
        }
        if let Store::Series(series) = &mut self.store
            && series.pending() > 0
        {
            let (points, records) = series.give_up(wall);
            let kind = ErrorKind::Closed;
            let kept = self.rules.buries && self.doomed.take_points(points, records, kind, SHUT_DOWN, room);
            self.lose(if kept { 0 } else { records }, kind, SHUT_DOWN.to_owned());
            self.head_from = None;
        }
        while let Some(parked) = self.parked.pop_front() {
            self.give_up_parked_as(ErrorKind::Closed, parked, intake, room);
        }
        while self.may_give_up(*room)
            && let Store::Queue(queue) = &mut self.store
            && let Some(removed) = queue.expire(now, Duration::ZERO)
        {
            self.give_up(removed, ErrorKind::Closed, room);
            self.head_from = None;
        }
    }

    /// Whether something is to go to the dead letters now.
    pub(in crate::destination) fn buries_now(&self) -> bool {
        self.doomed.is_due()
    }

    /// What is to go to the dead letters now.
    pub(in crate::destination) fn next_doomed(&mut self) -> Option<Vec<Dead>> {
        self.doomed.next()
    }

    /// What became of it there.
    pub(in crate::destination) fn buried(&mut self, buried: &[Buried]) {
        // What was abandoned meanwhile is accounted for.
        if !self.doomed.is_burying() {
            return;
        }
        for Buried { kind, count, result } in buried {
            match result {
                Ok(()) => self.ledger.dead_lettered(*count),
                Err(_) => self.ledger.dropped(doomed::reason(*kind), *count),
            }
        }
        self.doomed.done();
    }

    /// Whether segments wait before the lane, so that none may pass them.
    pub(in crate::destination) fn is_blocked(&self) -> bool {
        !self.parked.is_empty()
    }

    /// The bytes and records of the next segment that waits before the lane.
    pub(in crate::destination) fn next_parked(&self) -> Option<(usize, usize)> {
        self.parked.front().map(|parked| (parked.bytes, parked.batch.len()))
    }

    /// Lets the next segment in that waits before the lane.
    pub(in crate::destination) fn admit_parked(&mut self, intake: &ByteBudget) {
        if let Some(parked) = self.parked.pop_front() {
            intake.let_go(parked.bytes);
            self.admit(parked);
            self.tell_parked();
        }
    }

    /// A lane on disk is not idle while segments wait before it.
    fn tell_parked(&mut self) {
        if let Store::Queue(queue) = &mut self.store {
            queue.hold_back(!self.parked.is_empty());
        }
    }

    /// Frees memory that disk has a copy of; `false` if there is none.
    pub(in crate::destination) fn spill(&mut self) -> bool {
        match &mut self.store {
            Store::Queue(queue) => queue.spill(),
            Store::Series(_) => false,
        }
    }

    /// Gives the oldest segment up to make room; `false` if there is none that is not on its way.
    pub(in crate::destination) fn make_room(&mut self, room: &mut usize) -> bool {
        let Store::Queue(queue) = &mut self.store else { return false };
        let Some(removed) = queue.drop_oldest() else { return false };
        self.give_up(removed, ErrorKind::Overflow, room);
        true
    }

    /// Gives the oldest segment in memory up; `false` if there is none that is not on its way.
    pub(in crate::destination) fn make_room_in_memory(&mut self, room: &mut usize) -> bool {
        let Store::Queue(queue) = &mut self.store else { return false };
        let Some(removed) = queue.drop_resident() else { return false };
        self.give_up(removed, ErrorKind::Overflow, room);
        true
    }

    /// Gives up what waited too long, and what disk has no room for.
    pub(in crate::destination) fn expire(&mut self, now: Duration, intake: &ByteBudget, room: &mut usize) {
        while !self.sending
            && !self.loading
            && self.may_give_up(*room)
            && let Some(removed) = self.removed(now)
        {
            self.give_up(removed, ErrorKind::Expired, room);
            self.head_from = None;
        }
        while self.is_over() && self.may_give_up(*room) && self.make_room(room) {}
        let patience = self.rules.block_timeout;
        while let Some(parked) = self.parked.pop_front_if(|parked| now >= parked.now.saturating_add(patience))
        {
            self.give_up_parked(parked, intake, room);
        }
    }

    /// Whether disk holds more than it may, and this lane is to give some up.
    fn is_over(&self) -> bool {
        matches!(&self.store, Store::Queue(queue) if queue.is_over())
    }

    /// Whether what is given up in no hurry reaches the dead letters, where there are some: not what is yet to be read,
    /// and not before those in front have left.
    fn may_give_up(&self, room: usize) -> bool {
        !self.rules.buries || (!self.is_front_unread() && room >= self.rules.limits.bytes / 2)
    }

    /// Whether the records that leave next are on disk alone.
    pub(super) fn is_front_unread(&self) -> bool {
        matches!(&self.store, Store::Queue(queue) if queue.is_front_unread())
    }

    /// Whether records must be read before they can be given up.
    pub(in crate::destination) fn reads_to_give_up(&self, now: Duration) -> bool {
        let Store::Queue(queue) = &self.store else { return false };
        let old = || queue.expires(self.rules.max_age).is_some_and(|at| at <= now);
        let rests = self.rest.is_some_and(|rest| now < rest.until);
        self.rules.buries && !rests && !self.loading && queue.is_front_unread() && (queue.is_over() || old())
    }

    fn removed(&mut self, now: Duration) -> Option<Removed> {
        match &mut self.store {
            Store::Queue(queue) => queue.expire(now, self.rules.max_age),
            Store::Series(_) => None,
        }
    }

    fn give_up_parked(&mut self, parked: Offer, intake: &ByteBudget, room: &mut usize) {
        self.give_up_parked_as(ErrorKind::Overflow, parked, intake, room);
    }

    fn give_up_parked_as(&mut self, kind: ErrorKind, parked: Offer, intake: &ByteBudget, room: &mut usize) {
        let count = parked.batch.len();
        intake.let_go(parked.bytes);
        self.tell_parked();
        self.give_up(Removed { batch: Some(parked.batch), count }, kind, room);
        for mark in std::iter::once(&mut self.flush_to).chain(&mut self.flush_next) {
            *mark -= mark.saturating_sub(self.entered).min(count as u64);
        }
    }
}
