//! What waits for one destination, of one signal, and when it leaves.
//!
//! No I/O, no clock, no lock: whoever calls brings the time.

mod disk;
mod marks;
mod room;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use obs_core::{Batch, Limits, Receipt, Rejection, Signal};

use super::doomed::Doomed;
use super::entrance::Meant;
use super::pace::Pace;
use super::series::Series;
use crate::collector::Sealed;
use crate::intake::ByteBudget;
use crate::outcome::{Again, Trouble};
use crate::terms::dropped;
use crate::{Ledger, Offer, Overflow, Queue, RetryConfig, Terms};

/// One lane's records, their ledger, and the state of its attempts.
#[derive(Debug)]
pub(in crate::destination) struct Outbox {
    rules: Rules,
    store: Store,
    ledger: Ledger,
    /// Segments for which there is no room yet; they hold bytes of the intake.
    parked: VecDeque<Offer>,
    /// What the store gave up, on its way to the dead letters.
    doomed: Doomed,
    pace: Pace,
    /// Whether the head is being read from disk.
    loading: bool,
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

/// What the lane's options and its destination say.
#[derive(Debug, Clone, Copy)]
pub(in crate::destination) struct Rules {
    pub(in crate::destination) signal: Signal,
    /// Whether the destination takes the signal at all.
    pub(in crate::destination) supported: bool,
    pub(in crate::destination) limits: Limits,
    pub(in crate::destination) pace: Pace,
    pub(in crate::destination) max_age: Duration,
    pub(in crate::destination) overflow: Overflow,
    pub(in crate::destination) block_timeout: Duration,
    pub(in crate::destination) retry: RetryConfig,
    /// Whether what the store gives up goes to dead letters.
    pub(in crate::destination) buries: bool,
}

/// Where records wait.
#[derive(Debug)]
pub(in crate::destination) enum Store {
    Queue(Box<dyn Queue>),
    Series(Box<Series>),
}

#[derive(Debug, Clone, Copy)]
struct Rest {
    until: Duration,
    /// Whether the backend asked for it, so that nothing shortens it.
    asked: bool,
}

/// When a batch leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::destination) enum Due {
    Now,
    At(Duration),
    Never,
}

impl Outbox {
    pub(in crate::destination) fn new(rules: Rules, store: Store) -> Self {
        let mut ledger = Ledger::new();
        let mut entered = 0;
        if let Store::Queue(queue) = &store {
            ledger.recovered(queue.items());
            entered = queue.items() as u64;
        }
        Self {
            pace: rules.pace,
            rules,
            store,
            ledger,
            doomed: Doomed::default(),
            loading: false,
            parked: VecDeque::new(),
            refused: None,
            entered,
            head_from: None,
            flush_to: 0,
            flush_next: None,
            sending: false,
            attempts: 0,
            rest: None,
        }
    }

    /// Counts what the collector sealed, of which `meant` is for this destination.
    pub(in crate::destination) fn offered(&mut self, sealed: &Sealed, meant: &Meant, own: bool) {
        let all = sealed.batch.len();
        if own {
            self.ledger.own(all);
        } else {
            self.ledger.offered(all);
        }
        meant.count(&mut self.ledger);
    }

    /// Lets records in for which there is room.
    pub(in crate::destination) fn admit(&mut self, offer: Offer) {
        let mut count = offer.batch.len();
        match &mut self.store {
            Store::Queue(queue) => queue.offer(offer),
            Store::Series(series) => {
                let refused = series.fold(&offer.batch, offer.now);
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

    /// Whether something was refused or lost that nobody was told of.
    pub(in crate::destination) fn has_refused(&self) -> bool {
        self.refused.is_some()
    }

    /// What was refused on its way in, or lost, since the last call, to be told.
    pub(in crate::destination) fn take_refused(&mut self) -> Option<Rejection> {
        self.refused.take()
    }

    /// When the next batch leaves; `draining` is near the end, when batches leave however small.
    pub(in crate::destination) fn due(&self, now: Duration, draining: bool) -> Due {
        if self.sending || self.loading || !self.is_ready() {
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
    pub(in crate::destination) fn expires(&self) -> Due {
        let old = match &self.store {
            Store::Queue(queue) if !self.sending && !self.loading && !self.doomed.is_burying() => {
                queue.expires(self.rules.max_age)
            }
            Store::Queue(_) | Store::Series(_) => None,
        };
        // What must be read first is not read before the rest is over.
        let rest = self
            .rest
            .filter(|_| self.rules.buries && self.is_front_unread())
            .map_or(Duration::ZERO, |rest| rest.until);
        let old = old.map_or(Due::Never, |at| Due::At(at.max(rest)));
        let patience = self.rules.block_timeout;
        let parked = self.parked.front().map(|parked| Due::At(parked.now.saturating_add(patience)));
        earlier(old, parked.unwrap_or(Due::Never))
    }

    /// When there is enough for a batch, whatever the backend says.
    fn readiness(&self, now: Duration, draining: bool) -> Due {
        let (full, since) = match &self.store {
            Store::Queue(queue) => {
                let Limits { items, bytes } = self.rules.limits;
                let Some(oldest) = queue.oldest() else { return Due::Never };
                (queue.items() >= items || queue.bytes() >= bytes, oldest)
            }
            // Without a new record the series can wait, most of all at the end.
            Store::Series(series) if series.pending() == 0 && draining => return Due::Never,
            Store::Series(series) => {
                let Some(since) = series.since() else { return self.heartbeat(series, now) };
                (false, since)
            }
        };
        let at = since.saturating_add(self.pace.interval());
        if full || draining || self.head_from.is_some() || !self.is_flushed() || now >= at {
            Due::Now
        } else {
            Due::At(at)
        }
    }

    /// When series without a new record are shown again; at once where part of such a view is left.
    fn heartbeat(&self, series: &Series, now: Duration) -> Due {
        match series.beats_at(self.pace.interval()) {
            _ if series.is_underway() => Due::Now,
            Some(at) if now >= at => Due::Now,
            at => at.map_or(Due::Never, Due::At),
        }
    }

    /// Takes the next batch on its way.
    pub(in crate::destination) fn send(&mut self, wall: obs_core::Timestamp) -> Option<Batch> {
        let waiting = self.waiting();
        let of_its_own = self.is_flushed() && self.head_from.is_none();
        let batch = match &mut self.store {
            Store::Queue(queue) => queue.peek(self.rules.limits),
            Store::Series(series) => series.peek(self.rules.limits, wall),
        }?;
        self.sending = true;
        self.head_from.get_or_insert(self.entered - waiting);
        if of_its_own {
            let Limits { items, bytes } = self.rules.limits;
            let full = batch.len() >= items || self.store.holds(items, bytes);
            self.pace.left(if full { 1.0 } else { batch.len() as f64 / items.max(1) as f64 });
        }
        Some(batch)
    }

    /// Settles the batch on its way, but for `left`; returns what that means in records.
    pub(in crate::destination) fn settle(&mut self, receipt: Receipt, left: Batch, now: Duration) -> Receipt {
        self.sending = false;
        let (settled, has_head) = match &mut self.store {
            Store::Queue(queue) => {
                let has_head = !left.is_empty();
                queue.commit(left);
                (receipt, has_head)
            }
            Store::Series(series) => {
                let settled = series.commit(&receipt, left, now);
                (settled, series.is_underway())
            }
        };
        self.ledger.settled(&settled);
        self.head_from = self.head_from.filter(|_| has_head);
        settled
    }

    /// Rests as the last attempt asks for; returns how long the destination as a whole is out, if it is.
    pub(in crate::destination) fn rest(
        &mut self,
        trouble: Option<&Trouble>,
        now: Duration,
        chance: f64,
    ) -> Option<Duration> {
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

    /// Tries again without the lane's own delay; what a backend asked for stands.
    pub(in crate::destination) fn hurry(&mut self) {
        self.rest = self.rest.filter(|rest| rest.asked);
    }

    /// Gives everything up that disk does not have, what is on its way included.
    pub(in crate::destination) fn abandon(&mut self, intake: &ByteBudget) {
        let safe = match &self.store {
            Store::Queue(queue) => queue.items().saturating_sub(queue.at_risk()) as u64,
            Store::Series(_) => 0,
        };
        let lost = self.held() - safe;
        for parked in std::mem::take(&mut self.parked) {
            intake.let_go(parked.bytes);
        }
        self.doomed.clear();
        self.ledger.dropped(dropped::SHUTDOWN, lost as usize);
        self.store = Store::Queue(Box::new(crate::MemoryQueue::new(self.rules.signal)));
        self.entered = self.flush_next.take().unwrap_or_default().max(self.flush_to);
        (self.head_from, self.sending, self.loading) = (None, false, false);
    }

    /// Records in the store, those on their way included.
    pub(in crate::destination) fn waiting(&self) -> u64 {
        match &self.store {
            Store::Queue(queue) => queue.items() as u64,
            Store::Series(series) => series.pending() as u64,
        }
    }

    /// Whether nothing waits.
    pub(in crate::destination) fn is_empty(&self) -> bool {
        self.waiting() == 0 && self.parked.is_empty() && self.doomed.count() == 0
    }

    /// The bytes that the store keeps alive.
    pub(in crate::destination) fn bytes(&self) -> usize {
        match &self.store {
            Store::Queue(queue) => queue.bytes(),
            Store::Series(_) => 0,
        }
    }

    /// The memory of what goes to the dead letters.
    pub(in crate::destination) fn doomed_bytes(&self) -> usize {
        self.doomed.bytes()
    }

    /// Whether the store can give its next batch.
    fn is_ready(&self) -> bool {
        match &self.store {
            Store::Queue(queue) => queue.is_ready(),
            Store::Series(_) => true,
        }
    }

    pub(in crate::destination) fn store(&self) -> &Store {
        &self.store
    }

    /// Other rules from now on.
    pub(in crate::destination) fn configure(&mut self, rules: Rules) {
        if rules.pace != self.rules.pace {
            self.pace = rules.pace;
        }
        self.rules = rules;
    }

    /// Whether a batch is on its way.
    pub(in crate::destination) fn is_sending(&self) -> bool {
        self.sending
    }

    pub(in crate::destination) fn overflow(&self) -> Overflow {
        self.rules.overflow
    }

    /// Whether what waits here outlives the process.
    pub(in crate::destination) fn is_durable(&self) -> bool {
        matches!(&self.store, Store::Queue(queue) if queue.is_durable())
    }

    pub(in crate::destination) fn is_supported(&self) -> bool {
        self.rules.supported
    }

    /// The terms at this moment.
    pub(in crate::destination) fn terms(&self) -> Terms {
        debug_assert!(
            self.ledger.terms().queued >= self.held(),
            "{:?} but {} here",
            self.ledger,
            self.held()
        );
        self.ledger.terms().clone()
    }

    /// How many records are really here; the ledger's term must say the same.
    pub(in crate::destination) fn held(&self) -> u64 {
        self.waiting()
            + self.doomed.count() as u64
            + self.parked.iter().map(|parked| parked.batch.len() as u64).sum::<u64>()
    }
}

impl Store {
    /// Whether it has at least so much.
    fn holds(&self, items: usize, bytes: usize) -> bool {
        matches!(self, Self::Queue(queue) if queue.items() >= items || queue.bytes() >= bytes)
    }
}

/// The earlier of two.
pub(in crate::destination) fn earlier(a: Due, b: Due) -> Due {
    match (a, b) {
        (Due::Now, _) | (_, Due::Now) => Due::Now,
        (Due::At(a), Due::At(b)) => Due::At(a.min(b)),
        (due, Due::Never) | (Due::Never, due) => due,
    }
}
