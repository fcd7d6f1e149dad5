//! What waits for one destination, of one signal, and when it leaves.
//!
//! No I/O, no clock, no lock: whoever calls brings the time.

use std::collections::VecDeque;
use std::time::Duration;

use obs_core::{Batch, Limits, Receipt, Rejection, Signal};

use super::series::Series;
use crate::collector::Sealed;
use crate::intake::ByteBudget;
use crate::outcome::{Again, Outcome};
use crate::terms::{dropped, filtered};
use crate::{Ledger, Offer, Overflow, Queue, RetryConfig, Terms};

/// One lane's records, their ledger, and the state of its attempts.
#[derive(Debug)]
pub(super) struct Outbox {
    rules: Rules,
    store: Store,
    ledger: Ledger,
    /// Segments for which there is no room yet; they hold bytes of the intake.
    parked: VecDeque<Parked>,
    /// What was refused on its way in and nobody was told of yet.
    refused: Option<Rejection>,
    /// How many records ever entered the store.
    entered: u64,
    /// Where the head on its way began, counted the same way.
    head_from: Option<u64>,
    /// A batch leaves at once while records before this are still here: the flush under way ends there.
    flush_to: u64,
    /// Where the flush after it will end, if one was asked for meanwhile.
    flush_next: Option<u64>,
    sending: bool,
    attempts: u32,
    /// No attempt before this.
    rest: Option<Rest>,
}

/// What does not change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) signal: Signal,
    /// Whether the destination takes the signal at all.
    pub(super) supported: bool,
    pub(super) wants_started: bool,
    pub(super) limits: Limits,
    pub(super) interval: Duration,
    pub(super) max_age: Duration,
    pub(super) overflow: Overflow,
    pub(super) block_timeout: Duration,
    pub(super) retry: RetryConfig,
}

/// Where records wait.
#[derive(Debug)]
pub(super) enum Store {
    Queue(Box<dyn Queue>),
    Series(Box<Series>),
}

#[derive(Debug)]
struct Parked {
    batch: Batch,
    bytes: usize,
    since: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Rest {
    until: Duration,
    /// Whether the backend asked for it, so that nothing shortens it.
    asked: bool,
}

/// When a batch leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Now,
    At(Duration),
    Never,
}

impl Outbox {
    pub(super) fn new(rules: Rules, store: Store) -> Self {
        Self {
            rules,
            store,
            ledger: Ledger::new(),
            parked: VecDeque::new(),
            refused: None,
            entered: 0,
            head_from: None,
            flush_to: 0,
            flush_next: None,
            sending: false,
            attempts: 0,
            rest: None,
        }
    }

    /// Takes what the collector sealed; returns the records that were meant for this destination, to be admitted.
    pub(super) fn route<'s>(&mut self, sealed: &'s Sealed) -> Option<&'s Batch> {
        let all = sealed.batch.len();
        if !self.rules.supported {
            self.ledger.unsupported(all);
            return None;
        }
        self.ledger.offered(all);
        let batch = match &sealed.ended {
            Some(ended) if !self.rules.wants_started => ended,
            _ => &sealed.batch,
        };
        self.ledger.filtered(filtered::STARTED, all - batch.len());
        (!batch.is_empty()).then_some(batch)
    }

    /// Lets records in for which there is room.
    pub(super) fn admit(&mut self, batch: Batch, bytes: usize, now: Duration) {
        let mut count = batch.len();
        match &mut self.store {
            Store::Queue(queue) => queue.offer(Offer { batch, position: None, bytes, now }),
            Store::Series(series) => {
                let refused = series.fold(&batch, now);
                self.ledger.settled(&refused);
                count -= refused.rejected_count();
                self.note_refused(&refused);
            }
        }
        self.entered += count as u64;
    }

    /// Keeps the first refusal that nobody was told of, without its records, and how many there were.
    fn note_refused(&mut self, receipt: &Receipt) {
        let (Some(first), count) = (receipt.rejected.first(), receipt.rejected_count()) else { return };
        let unsaid =
            self.refused.get_or_insert_with(|| Rejection { records: None, count: 0, ..first.clone() });
        unsaid.count += count;
    }

    /// What was refused on its way in since the last call, to be told.
    pub(super) fn take_refused(&mut self) -> Option<Rejection> {
        self.refused.take()
    }

    /// What there is no room for waits before the lane, or is lost.
    pub(super) fn refuse(&mut self, batch: Batch, bytes: usize, now: Duration, intake: &ByteBudget) {
        match self.rules.overflow {
            Overflow::Block => {
                intake.hold(bytes);
                self.parked.push_back(Parked { batch, bytes, since: now });
            }
            Overflow::DropNewest | Overflow::DropOldest => {
                self.ledger.dropped(dropped::OVERFLOW, batch.len());
            }
        }
    }

    /// Whether segments wait before the lane, so that none may pass them.
    pub(super) fn is_blocked(&self) -> bool {
        !self.parked.is_empty()
    }

    /// The bytes of the next segment that waits before the lane.
    pub(super) fn next_parked(&self) -> Option<usize> {
        self.parked.front().map(|parked| parked.bytes)
    }

    /// Lets the next segment in that waits before the lane.
    pub(super) fn admit_parked(&mut self, intake: &ByteBudget) {
        if let Some(Parked { batch, bytes, since }) = self.parked.pop_front() {
            intake.release(bytes);
            self.admit(batch, bytes, since);
        }
    }

    /// Gives the oldest segment up to make room; `false` if there is none that is not on its way.
    pub(super) fn make_room(&mut self) -> bool {
        let Store::Queue(queue) = &mut self.store else { return false };
        let oldest = queue.drop_oldest();
        if let Some(removed) = &oldest {
            self.ledger.dropped(dropped::OVERFLOW, removed.count);
        }
        oldest.is_some()
    }

    /// Gives up what waited too long.
    pub(super) fn expire(&mut self, now: Duration, intake: &ByteBudget) {
        if let (Store::Queue(queue), false) = (&mut self.store, self.sending) {
            while let Some(removed) = queue.expire(now, self.rules.max_age) {
                self.ledger.dropped(dropped::EXPIRED, removed.count);
                self.head_from = None;
            }
        }
        if self.rules.overflow == Overflow::Block {
            let patience = self.rules.block_timeout;
            while let Some(parked) =
                self.parked.pop_front_if(|parked| now >= parked.since.saturating_add(patience))
            {
                self.give_up_parked(&parked, dropped::OVERFLOW, intake);
            }
        }
    }

    fn give_up_parked(&mut self, parked: &Parked, reason: &'static str, intake: &ByteBudget) {
        let count = parked.batch.len();
        intake.release(parked.bytes);
        self.ledger.dropped(reason, count);
        for mark in std::iter::once(&mut self.flush_to).chain(&mut self.flush_next) {
            *mark -= mark.saturating_sub(self.entered).min(count as u64);
        }
    }

    /// When the next batch leaves; `draining` is near the end, when batches leave however small.
    pub(super) fn due(&self, now: Duration, draining: bool) -> Due {
        if self.sending {
            return Due::Never;
        }
        let rest = self.rest.map_or(Duration::ZERO, |rest| rest.until);
        match self.readiness(now, draining) {
            Due::Now if now < rest => Due::At(rest),
            Due::At(at) => Due::At(at.max(rest)),
            due => due,
        }
    }

    /// When something has waited too long, whatever holds the lane up.
    pub(super) fn expires(&self) -> Due {
        let old = match &self.store {
            Store::Queue(queue) if !self.sending => queue.expires(self.rules.max_age),
            Store::Queue(_) | Store::Series(_) => None,
        };
        let old = old.map_or(Due::Never, Due::At);
        match (self.rules.overflow, self.parked.front()) {
            (Overflow::Block, Some(parked)) => {
                earlier(old, Due::At(parked.since.saturating_add(self.rules.block_timeout)))
            }
            _ => old,
        }
    }

    /// When there is enough for a batch, whatever the backend says.
    fn readiness(&self, now: Duration, draining: bool) -> Due {
        let (full, since) = match &self.store {
            Store::Queue(queue) => {
                let Limits { items, bytes } = self.rules.limits;
                let Some(oldest) = queue.oldest() else { return Due::Never };
                (queue.items() >= items || queue.bytes() >= bytes, oldest)
            }
            Store::Series(series) => {
                let Some(since) = series.since() else { return Due::Never };
                (false, since)
            }
        };
        let at = since.saturating_add(self.rules.interval);
        if full || draining || self.head_from.is_some() || !self.is_flushed() || now >= at {
            Due::Now
        } else {
            Due::At(at)
        }
    }

    /// Takes the next batch on its way.
    pub(super) fn send(&mut self, wall: obs_core::Timestamp) -> Option<Batch> {
        let waiting = self.waiting();
        let batch = match &mut self.store {
            Store::Queue(queue) => queue.peek(self.rules.limits),
            Store::Series(series) => series.peek(self.rules.limits, wall),
        }?;
        self.sending = true;
        self.head_from.get_or_insert(self.entered - waiting);
        Some(batch)
    }

    /// Settles the batch on its way; returns how long the destination as a whole is out, if it is.
    pub(super) fn settle(&mut self, outcome: Outcome, now: Duration, chance: f64) -> Option<Duration> {
        self.sending = false;
        let Outcome { receipt, left, trouble } = outcome;
        let has_head = match &mut self.store {
            Store::Queue(queue) => {
                let has_head = !left.is_empty();
                self.ledger.settled(&receipt);
                queue.commit(left);
                has_head
            }
            Store::Series(series) => {
                let settled = series.commit(&receipt, left, now);
                self.ledger.settled(&settled);
                series.is_underway()
            }
        };
        self.head_from = self.head_from.filter(|_| has_head);
        self.rest = None;
        let Some(trouble) = trouble else {
            self.attempts = 0;
            return None;
        };
        let own = self.rules.retry.delay(self.attempts, chance);
        self.attempts += 1;
        // What a backend asks for is a floor: one that says zero must not be asked without end.
        let (wait, asked) = match trouble.again {
            Again::Backoff => (own, false),
            Again::After(wait) => (wait.max(own), true),
            Again::Hold(wait) => return Some(wait.max(own)),
        };
        self.rest = Some(Rest { until: now.saturating_add(wait), asked });
        None
    }

    /// From now on batches leave at once until all that is here now has left.
    pub(super) fn flush(&mut self) {
        self.flush_to = self.mark();
    }

    /// Marks all that is here now for the flush after the one under way, which it must not move.
    pub(super) fn flush_next(&mut self) {
        self.flush_next = Some(self.mark());
    }

    /// The flush under way is done: the next one begins.
    pub(super) fn next_flush(&mut self) {
        if let Some(mark) = self.flush_next.take() {
            self.flush_to = mark;
        }
    }

    /// The end of all that is here, in records that ever entered.
    fn mark(&self) -> u64 {
        self.entered + self.parked.iter().map(|parked| parked.batch.len() as u64).sum::<u64>()
    }

    /// Whether all that was here at the last flush has left.
    pub(super) fn is_flushed(&self) -> bool {
        self.entered - self.waiting() >= self.flush_to
            && self.head_from.is_none_or(|from| from >= self.flush_to)
    }

    /// Tries again without the lane's own delay; what a backend asked for stands.
    pub(super) fn hurry(&mut self) {
        self.rest = self.rest.filter(|rest| rest.asked);
    }

    /// Gives everything up, what is on its way included.
    pub(super) fn abandon(&mut self, intake: &ByteBudget) {
        let lost = if self.is_durable() { self.held() - self.waiting() } else { self.held() };
        for parked in std::mem::take(&mut self.parked) {
            intake.release(parked.bytes);
        }
        self.ledger.dropped(dropped::SHUTDOWN, lost as usize);
        self.store = Store::Queue(Box::new(crate::MemoryQueue::new(self.rules.signal)));
        self.entered = self.flush_next.take().unwrap_or_default().max(self.flush_to);
        (self.head_from, self.sending) = (None, false);
    }

    /// Records in the store, those on their way included.
    fn waiting(&self) -> u64 {
        match &self.store {
            Store::Queue(queue) => queue.items() as u64,
            Store::Series(series) => series.pending() as u64,
        }
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting() == 0 && self.parked.is_empty()
    }

    /// The bytes that the store keeps alive.
    pub(super) fn bytes(&self) -> usize {
        match &self.store {
            Store::Queue(queue) => queue.bytes(),
            Store::Series(_) => 0,
        }
    }

    /// Whether a batch is on its way.
    pub(super) fn is_sending(&self) -> bool {
        self.sending
    }

    pub(super) fn overflow(&self) -> Overflow {
        self.rules.overflow
    }

    /// Whether what waits here outlives the process.
    pub(super) fn is_durable(&self) -> bool {
        matches!(&self.store, Store::Queue(queue) if queue.is_durable())
    }

    pub(super) fn is_supported(&self) -> bool {
        self.rules.supported
    }

    /// The terms at this moment.
    pub(super) fn terms(&self) -> Terms {
        debug_assert!(
            self.ledger.terms().queued >= self.held(),
            "{:?} but {} here",
            self.ledger,
            self.held()
        );
        self.ledger.terms().clone()
    }

    /// How many records are really here; the ledger's term must say the same.
    pub(super) fn held(&self) -> u64 {
        self.waiting() + self.parked.iter().map(|parked| parked.batch.len() as u64).sum::<u64>()
    }
}

/// The earlier of two.
pub(super) fn earlier(a: Due, b: Due) -> Due {
    match (a, b) {
        (Due::Now, _) | (_, Due::Now) => Due::Now,
        (Due::At(a), Due::At(b)) => Due::At(a.min(b)),
        (due, Due::Never) | (Due::Never, due) => due,
    }
}
