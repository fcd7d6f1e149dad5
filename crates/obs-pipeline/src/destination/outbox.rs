//! What waits for one destination, of one signal, and when it leaves.
//!
//! No I/O, no clock, no lock: whoever calls brings the time.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use obs_core::{Batch, ErrorKind, Limits, Receipt, Rejection, Signal};

use super::doomed::{self, Buried, Doomed};
use super::entrance::Meant;
use super::pace::Pace;
use super::series::Series;
use crate::collector::Sealed;
use crate::identity::positions;
use crate::intake::ByteBudget;
use crate::outcome::{Again, Outcome};
use crate::terms::dropped;
use crate::{Ledger, Load, Loaded, Offer, Overflow, Queue, Removed, RetryConfig, Terms};

/// One lane's records, their ledger, and the state of its attempts.
#[derive(Debug)]
pub(super) struct Outbox {
    rules: Rules,
    store: Store,
    ledger: Ledger,
    /// Segments for which there is no room yet; they hold bytes of the intake.
    parked: VecDeque<Offer>,
    /// What the store gave up, on its way to the dead letters.
    doomed: Doomed,
    /// Which records of a segment are meant for the lane, by the segment's place on disk; whole segments are not here.
    selections: BTreeMap<u64, Box<[u32]>>,
    /// The place of the first segment that this process sealed; what disk has before it was never routed.
    live_from: Option<u64>,
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
pub(super) struct Rules {
    pub(super) signal: Signal,
    /// Whether the destination takes the signal at all.
    pub(super) supported: bool,
    pub(super) limits: Limits,
    pub(super) pace: Pace,
    pub(super) max_age: Duration,
    pub(super) overflow: Overflow,
    pub(super) block_timeout: Duration,
    pub(super) retry: RetryConfig,
    /// Whether what the store gives up goes to dead letters.
    pub(super) buries: bool,
}

/// Where records wait.
#[derive(Debug)]
pub(super) enum Store {
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
pub(super) enum Due {
    Now,
    At(Duration),
    Never,
}

impl Outbox {
    pub(super) fn new(rules: Rules, store: Store) -> Self {
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
            selections: BTreeMap::new(),
            live_from: None,
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
    pub(super) fn offered(&mut self, sealed: &Sealed, meant: &Meant, own: bool) {
        let all = sealed.batch.len();
        if own {
            self.ledger.own(all);
        } else {
            self.ledger.offered(all);
        }
        meant.count(&mut self.ledger);
        if let Some(position) = sealed.position.filter(|_| self.is_durable()) {
            self.live_from.get_or_insert(position);
            if meant.batch.len() < all && !meant.batch.is_empty() {
                self.selections.insert(position, positions(&sealed.batch, &meant.batch));
            }
        }
    }

    /// Lets records in for which there is room.
    pub(super) fn admit(&mut self, offer: Offer) {
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

    /// What was refused on its way in since the last call, to be told.
    pub(super) fn take_refused(&mut self) -> Option<Rejection> {
        self.refused.take()
    }

    /// What there is no room for waits before the lane, or is given up; `room` is that for dead letters.
    pub(super) fn refuse(&mut self, offer: Offer, intake: &ByteBudget, room: usize) {
        match self.rules.overflow {
            Overflow::Block => {
                intake.hold(offer.bytes);
                self.parked.push_back(offer);
            }
            Overflow::DropNewest | Overflow::DropOldest => {
                let removed = Removed { count: offer.batch.len(), batch: Some(offer.batch) };
                self.give_up(removed, ErrorKind::Overflow, room);
            }
        }
    }

    /// Records that the store has no longer: for the dead letters if there are some, and room for it, else lost.
    fn give_up(&mut self, removed: Removed, kind: ErrorKind, room: usize) {
        let lost = if self.rules.buries {
            let why = match kind {
                ErrorKind::Expired => format!("it waited longer than {:?}", self.rules.max_age),
                _ => "there was no room for it in the queue".to_owned(),
            };
            self.doomed.take(removed, kind, &why, room)
        } else {
            removed.count
        };
        self.ledger.dropped(doomed::reason(kind), lost);
    }

    /// Whether something is to go to the dead letters now.
    pub(super) fn buries_now(&self) -> bool {
        self.doomed.is_due()
    }

    /// What is to go to the dead letters now.
    pub(super) fn next_doomed(&mut self) -> Option<Vec<Rejection>> {
        self.doomed.next()
    }

    /// What became of it there.
    pub(super) fn buried(&mut self, buried: &[Buried]) {
        for Buried { kind, count, result } in buried {
            match result {
                Ok(()) => self.ledger.dead_lettered(*count),
                Err(_) => self.ledger.dropped(doomed::reason(*kind), *count),
            }
        }
        self.doomed.done();
    }

    /// Whether segments wait before the lane, so that none may pass them.
    pub(super) fn is_blocked(&self) -> bool {
        !self.parked.is_empty()
    }

    /// The bytes and records of the next segment that waits before the lane.
    pub(super) fn next_parked(&self) -> Option<(usize, usize)> {
        self.parked.front().map(|parked| (parked.bytes, parked.batch.len()))
    }

    /// Lets the next segment in that waits before the lane.
    pub(super) fn admit_parked(&mut self, intake: &ByteBudget) {
        if let Some(parked) = self.parked.pop_front() {
            intake.release(parked.bytes);
            self.admit(parked);
        }
    }

    /// Frees memory that disk has a copy of; `false` if there is none.
    pub(super) fn spill(&mut self) -> bool {
        match &mut self.store {
            Store::Queue(queue) => queue.spill(),
            Store::Series(_) => false,
        }
    }

    /// Gives the oldest segment up to make room; `false` if there is none that is not on its way.
    pub(super) fn make_room(&mut self, room: usize) -> bool {
        let Store::Queue(queue) = &mut self.store else { return false };
        let Some(removed) = queue.drop_oldest() else { return false };
        self.give_up(removed, ErrorKind::Overflow, room);
        true
    }

    /// Gives up what waited too long, and what disk has no room for.
    pub(super) fn expire(&mut self, now: Duration, intake: &ByteBudget, room: usize) {
        if !self.sending && !self.loading {
            while let Some(removed) = self.removed(now) {
                self.give_up(removed, ErrorKind::Expired, room);
                self.head_from = None;
            }
        }
        while matches!(&self.store, Store::Queue(queue) if queue.is_over()) && self.make_room(room) {}
        if self.rules.overflow == Overflow::Block {
            let patience = self.rules.block_timeout;
            while let Some(parked) =
                self.parked.pop_front_if(|parked| now >= parked.now.saturating_add(patience))
            {
                self.give_up_parked(parked, intake, room);
            }
        }
    }

    fn removed(&mut self, now: Duration) -> Option<Removed> {
        match &mut self.store {
            Store::Queue(queue) => queue.expire(now, self.rules.max_age),
            Store::Series(_) => None,
        }
    }

    fn give_up_parked(&mut self, parked: Offer, intake: &ByteBudget, room: usize) {
        let count = parked.batch.len();
        intake.release(parked.bytes);
        self.give_up(Removed { batch: Some(parked.batch), count }, ErrorKind::Overflow, room);
        for mark in std::iter::once(&mut self.flush_to).chain(&mut self.flush_next) {
            *mark -= mark.saturating_sub(self.entered).min(count as u64);
        }
    }

    /// When the next batch leaves; `draining` is near the end, when batches leave however small.
    pub(super) fn due(&self, now: Duration, draining: bool) -> Due {
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
    pub(super) fn expires(&self) -> Due {
        let old = match &self.store {
            Store::Queue(queue) if !self.sending && !self.loading => queue.expires(self.rules.max_age),
            Store::Queue(_) | Store::Series(_) => None,
        };
        let old = old.map_or(Due::Never, Due::At);
        match (self.rules.overflow, self.parked.front()) {
            (Overflow::Block, Some(parked)) => {
                earlier(old, Due::At(parked.now.saturating_add(self.rules.block_timeout)))
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
        let at = since.saturating_add(self.pace.interval());
        if full || draining || self.head_from.is_some() || !self.is_flushed() || now >= at {
            Due::Now
        } else {
            Due::At(at)
        }
    }

    /// What must be read from disk before the next batch can leave, if anything.
    pub(super) fn load(&mut self) -> Option<Load> {
        let Store::Queue(queue) = &mut self.store else { return None };
        let load = queue.load(self.rules.limits)?;
        self.loading = true;
        Some(load)
    }

    /// Takes back what was read; `route` takes out of a segment that an earlier process sealed what is not meant for the
    /// lane.
    pub(super) fn loaded(&mut self, rows: Vec<Loaded>, now: Duration, route: impl Fn(&Batch) -> Meant) {
        self.loading = false;
        let Store::Queue(queue) = &mut self.store else { return };
        if rows.is_empty() {
            self.rest = Some(Rest { until: now.saturating_add(Duration::from_secs(1)), asked: true });
        }
        for Loaded { position, batch, count } in rows {
            let batch = match batch {
                Ok(batch) if self.live_from.is_some_and(|from| position >= from) => {
                    match self.selections.remove(&position) {
                        Some(selected) => {
                            batch.select(&selected.iter().map(|at| *at as usize).collect::<Vec<_>>())
                        }
                        None => batch,
                    }
                }
                Ok(batch) => {
                    // Those before were delivered by the process that sealed it.
                    let done = batch.len().saturating_sub(count);
                    let meant = route(&batch);
                    meant.count(&mut self.ledger);
                    meant.batch.slice(done..meant.batch.len())
                }
                Err(error) => {
                    self.ledger.dropped(dropped::DAMAGED, count);
                    let empty = Batch::empty(self.rules.signal);
                    let damaged = Rejection::of(empty.clone(), ErrorKind::Io, error.message());
                    let unsaid = Rejection { records: None, count: 0, ..damaged };
                    self.refused.get_or_insert(unsaid).count += count;
                    empty
                }
            };
            let bytes = batch.byte_size();
            queue.loaded(position, batch, bytes);
        }
    }

    /// Takes the next batch on its way.
    pub(super) fn send(&mut self, wall: obs_core::Timestamp) -> Option<Batch> {
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

    /// Settles the batch on its way; returns how long the destination as a whole is out, if it is.
    pub(super) fn settle(&mut self, outcome: Outcome, now: Duration, chance: f64) -> Option<Duration> {
        self.sending = false;
        let Outcome { receipt, left, trouble } = outcome;
        let has_head = match &mut self.store {
            Store::Queue(queue) => {
                let has_head = !left.is_empty();
                self.ledger.settled(&receipt);
                queue.commit(left);
                if queue.items() == 0 {
                    self.selections.clear();
                }
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
        self.doomed.count() == 0
            && self.entered - self.waiting() >= self.flush_to
            && self.head_from.is_none_or(|from| from >= self.flush_to)
    }

    /// Tries again without the lane's own delay; what a backend asked for stands.
    pub(super) fn hurry(&mut self) {
        self.rest = self.rest.filter(|rest| rest.asked);
    }

    /// Gives everything up that disk does not have, what is on its way included.
    pub(super) fn abandon(&mut self, intake: &ByteBudget) {
        let safe = match &self.store {
            Store::Queue(queue) => queue.items().saturating_sub(queue.at_risk()) as u64,
            Store::Series(_) => 0,
        };
        let lost = self.held() - safe;
        for parked in std::mem::take(&mut self.parked) {
            intake.release(parked.bytes);
        }
        self.doomed.clear();
        self.ledger.dropped(dropped::SHUTDOWN, lost as usize);
        self.store = Store::Queue(Box::new(crate::MemoryQueue::new(self.rules.signal)));
        self.entered = self.flush_next.take().unwrap_or_default().max(self.flush_to);
        (self.head_from, self.sending, self.loading) = (None, false, false);
    }

    /// Records in the store, those on their way included.
    pub(super) fn waiting(&self) -> u64 {
        match &self.store {
            Store::Queue(queue) => queue.items() as u64,
            Store::Series(series) => series.pending() as u64,
        }
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting() == 0 && self.parked.is_empty() && self.doomed.count() == 0
    }

    /// The bytes that the store keeps alive.
    pub(super) fn bytes(&self) -> usize {
        match &self.store {
            Store::Queue(queue) => queue.bytes() + self.selections.len() * size_of::<u64>(),
            Store::Series(_) => 0,
        }
    }

    /// The memory of what goes to the dead letters.
    pub(super) fn doomed_bytes(&self) -> usize {
        self.doomed.bytes()
    }

    /// Whether the store can give its next batch.
    fn is_ready(&self) -> bool {
        match &self.store {
            Store::Queue(queue) => queue.is_ready(),
            Store::Series(_) => true,
        }
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// Other rules from now on.
    pub(super) fn configure(&mut self, rules: Rules) {
        (self.rules, self.pace) = (rules, rules.pace);
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
pub(super) fn earlier(a: Due, b: Due) -> Due {
    match (a, b) {
        (Due::Now, _) | (_, Due::Now) => Due::Now,
        (Due::At(a), Due::At(b)) => Due::At(a.min(b)),
        (due, Due::Never) | (Due::Never, due) => due,
    }
}
