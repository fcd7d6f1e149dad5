//! The queue of one lane: what waits, in memory or on disk, and how far the lane is.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use obs_core::{Batch, Limits, Signal};
use obs_pipeline::{Awaited, Load, Offer, Queue, Removed};

use crate::cursor::Cursor;
use crate::reader::Source;
use crate::schema::Listed;
use crate::shared::{Shared, Stage};

#[derive(Debug)]
pub(crate) struct DiskLane {
    shared: Arc<Shared>,
    /// Its place among the lanes.
    at: usize,
    signal: Signal,
    source: Arc<Source>,
    head: Option<Head>,
    entries: VecDeque<Entry>,
    /// How many entries ever left the front: with it, an entry has a number that stays.
    gone: u64,
    /// The numbers of the entries that are in memory and may be spilled.
    resident: VecDeque<u64>,
    items: usize,
    bytes: usize,
    /// The position after the last one that was offered.
    seen: u64,
    /// Whether a [`Load`] is under way.
    loading: Arc<AtomicBool>,
    /// Whether sealed segments wait before the lane.
    held_back: bool,
}

/// Records of one position.
#[derive(Debug)]
struct Entry {
    position: Option<u64>,
    /// None while only disk has them.
    batch: Option<Batch>,
    items: usize,
    bytes: usize,
    since: Duration,
    /// How old they were when this process began.
    aged: Duration,
    /// How many records of the position left before those that are here.
    done: u64,
    /// Which records of the position are the lane's.
    awaited: Awaited,
}

/// What is on its way, or is next.
#[derive(Debug)]
struct Head {
    batch: Batch,
    bytes: usize,
    since: Duration,
    aged: Duration,
    /// The first position in it.
    first: Option<u64>,
    /// The last position in it.
    last: Option<u64>,
}

impl DiskLane {
    /// A lane that begins at `seen`, behind what `left` lists of an earlier process, which was at `cursor`.
    pub(crate) fn new(
        shared: Arc<Shared>,
        at: usize,
        signal: Signal,
        seen: u64,
        left: Option<(Cursor, Vec<Listed>)>,
        since: Duration,
    ) -> Self {
        let now = shared.clock.now();
        let source = Arc::new(Source::new(Arc::clone(&shared), signal));
        let (cursor, rows) = left.unwrap_or_default();
        let entries: VecDeque<_> = rows
            .into_iter()
            .filter_map(|row| {
                let done = if row.position == cursor.position { cursor.skip } else { 0 };
                let items = row.items.saturating_sub(done as usize);
                let (position, aged) = (Some(row.position), now.since(row.sealed_at));
                let awaited = Awaited::Unrouted;
                (items > 0).then_some(Entry {
                    position,
                    batch: None,
                    items,
                    bytes: 0,
                    since,
                    aged,
                    done,
                    awaited,
                })
            })
            .collect();
        let items = entries.iter().map(|entry| entry.items).sum();
        let (head, resident, loading) = (None, VecDeque::new(), Arc::default());
        Self {
            shared,
            at,
            signal,
            source,
            head,
            entries,
            gone: 0,
            resident,
            items,
            bytes: 0,
            seen,
            loading,
            held_back: false,
        }
    }

    fn pop_front(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        self.resident.pop_front_if(|number| *number == self.gone);
        self.gone += 1;
        Some(entry)
    }

    /// Takes out of the front what turned out to be empty.
    fn clean_front(&mut self) {
        while self.entries.front().is_some_and(|entry| entry.items == 0) {
            self.pop_front();
        }
    }

    /// Cuts the next head off the front as far as it is in memory; segments are shared, never copied.
    fn cut(&mut self, limits: Limits) -> Option<Head> {
        self.clean_front();
        let Entry { since, aged, position, .. } =
            *self.entries.front().filter(|entry| entry.batch.is_some())?;
        let empty = Batch::empty(self.signal);
        let mut head = Head { batch: empty, bytes: 0, since, aged, first: position, last: position };
        let (mut items, mut room) = (limits.items.max(1), limits.bytes);
        while let Some(entry) = self.entries.front_mut() {
            let Some(batch) = &mut entry.batch else { break };
            let fits = if entry.bytes <= room {
                batch.len().min(items)
            } else {
                batch.fitting(Limits { items, bytes: room }).max(usize::from(head.batch.is_empty()))
            };
            if fits == 0 && !batch.is_empty() {
                break;
            }
            head.first = head.first.or(entry.position);
            head.last = entry.position.or(head.last);
            if fits == batch.len() {
                items -= fits;
                room = room.saturating_sub(entry.bytes);
                head.bytes += entry.bytes;
                if let Some(batch) = self.pop_front().and_then(|entry| entry.batch) {
                    head.batch.join(batch);
                }
                if items == 0 {
                    break;
                }
            } else {
                head.batch.join(batch.slice(0..fits));
                *batch = batch.slice(fits..batch.len());
                entry.items = batch.len();
                entry.done += fits as u64;
                // The row begins with records that left, so it is not read again.
                self.resident.pop_front_if(|number| *number == self.gone);
                break;
            }
        }
        Some(head)
    }

    /// Tells the writer how far the lane is; where disk has `left`, the head that just left, nothing else leaves until
    /// disk knows.
    fn publish(&mut self, left: Option<u64>) {
        self.clean_front();
        let first = self.entries.iter().find_map(|entry| Some((entry.position?, entry.done)));
        let begin = first.map_or(self.seen, |(position, _)| position);
        let mut state = self.shared.state();
        let taken = state.taken;
        let lane = &mut state.lanes[self.at];
        lane.idle = self.entries.is_empty() && self.head.is_none() && !self.held_back;
        lane.oldest = first.map(|(position, _)| position);
        if let Some(head) = &self.head {
            lane.gap = head.last.map(|last| (last.saturating_add(1), begin)).filter(|(from, to)| from < to);
            return;
        }
        lane.gap = None;
        let wanted = first.map_or(Cursor::at(begin), |(position, skip)| Cursor { position, skip });
        if wanted <= lane.wanted {
            return;
        }
        let was_clean = !lane.is_dirty();
        lane.wanted = wanted;
        let waits = left.is_some_and(|position| position < taken);
        lane.waits |= waits;
        // Once it knows of one cursor, the writer looks at them all by itself.
        if waits || was_clean {
            self.shared.work.notify_one();
        }
    }

    /// Has the writer remove what the lane gave up, if disk has too much.
    fn shed(&self) {
        let mut state = self.shared.state();
        if state.is_over && state.trouble.is_none() {
            state.lanes[self.at].sheds = true;
            self.shared.work.notify_one();
        }
    }

    /// How many records of the head only memory has.
    fn head_at_risk(&self, has: impl Fn(u64) -> bool) -> usize {
        let safe = |head: &Head| head.first.is_some_and(&has) && head.last.is_some_and(&has);
        self.head.as_ref().filter(|head| !safe(head)).map_or(0, |head| head.batch.len())
    }
}

fn is_old(since: Duration, aged: Duration, now: Duration, max_age: Duration) -> bool {
    since.saturating_add(max_age.saturating_sub(aged)) <= now
}

impl Queue for DiskLane {
    fn offer(&mut self, offer: Offer) {
        let Offer { batch, position, selection, bytes, now: since } = offer;
        let was_idle = self.entries.is_empty();
        self.seen = position.map_or(self.seen, |position| self.seen.max(position.saturating_add(1)));
        if batch.is_empty() {
            if was_idle && self.head.is_none() {
                self.publish(None);
            }
            return;
        }
        let items = batch.len();
        self.items += items;
        if position.is_some() {
            self.resident.push_back(self.gone + self.entries.len() as u64);
        }
        // What says which records are the lane's stays when they are spilled, but is small beside them.
        let bytes = bytes + selection.as_ref().map_or(0, |places| size_of_val(&**places));
        self.bytes += bytes;
        let awaited = selection.map_or(Awaited::Whole, Awaited::Selected);
        let (batch, aged) = (Some(batch), Duration::ZERO);
        self.entries.push_back(Entry { position, batch, items, bytes, since, aged, done: 0, awaited });
        if was_idle {
            self.publish(None);
        }
    }

    fn peek(&mut self, limits: Limits) -> Option<Batch> {
        if self.head.is_none() {
            self.head = self.cut(limits);
            if self.head.is_some() {
                self.publish(None);
            }
        }
        self.head.as_ref().map(|head| head.batch.clone())
    }

    fn commit(&mut self, left: Batch) {
        let Some(mut head) = self.head.take() else { return };
        self.items -= head.batch.len();
        if left.is_empty() {
            self.bytes -= head.bytes;
            self.publish(head.first);
        } else {
            self.items += left.len();
            head.batch = left;
            self.head = Some(head);
        }
    }

    fn drop_oldest(&mut self) -> Option<Removed> {
        self.clean_front();
        let entry = self.pop_front()?;
        self.items -= entry.items;
        self.bytes -= entry.bytes;
        self.publish(None);
        self.shed();
        Some(Removed { count: entry.items, batch: entry.batch })
    }

    fn drop_resident(&mut self) -> Option<Removed> {
        let Some(number) = self.resident.pop_front() else {
            // What is left in memory is a part of the front, if anything.
            return self
                .entries
                .front()
                .is_some_and(|front| front.batch.is_some())
                .then(|| self.drop_oldest())?;
        };
        let entry = self.entries.get_mut((number - self.gone) as usize)?;
        let batch = entry.batch.replace(Batch::empty(self.signal));
        let count = std::mem::take(&mut entry.items);
        self.items -= count;
        self.bytes -= std::mem::take(&mut entry.bytes);
        self.publish(None);
        Some(Removed { batch, count })
    }

    fn expire(&mut self, now: Duration, max_age: Duration) -> Option<Removed> {
        if let Some(head) = self.head.take_if(|head| is_old(head.since, head.aged, now, max_age)) {
            self.items -= head.batch.len();
            self.bytes -= head.bytes;
            // Some of what it was cut from may have been delivered.
            self.publish(head.first);
            return Some(Removed { count: head.batch.len(), batch: Some(head.batch) });
        }
        self.clean_front();
        let front = self.entries.front()?;
        if is_old(front.since, front.aged, now, max_age) { self.drop_oldest() } else { None }
    }

    fn expires(&self, max_age: Duration) -> Option<Duration> {
        let (since, aged) = match (&self.head, self.entries.front()) {
            (Some(head), _) => (head.since, head.aged),
            (None, front) => front.map(|entry| (entry.since, entry.aged))?,
        };
        Some(since.saturating_add(max_age.saturating_sub(aged)))
    }

    fn items(&self) -> usize {
        self.items
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn oldest(&self) -> Option<Duration> {
        let front = self.entries.front().map(|entry| entry.since);
        self.head.as_ref().map(|head| head.since).or(front)
    }

    fn at_risk(&self) -> usize {
        let state = self.shared.state();
        let has = |position| state.has(position);
        let entries = self.entries.iter().filter(|entry| !entry.position.is_some_and(has));
        self.head_at_risk(has) + entries.map(|entry| entry.items).sum::<usize>()
    }

    fn is_durable(&self) -> bool {
        true
    }

    fn is_ready(&self) -> bool {
        let state = self.shared.state();
        !state.lanes[self.at].waits || state.trouble.is_some() || state.stage == Stage::Closed
    }

    fn spill(&mut self) -> bool {
        let state = self.shared.state();
        if state.trouble.is_some() {
            return false;
        }
        let entry = |number: u64| (number - self.gone) as usize;
        let on_disk = |number: &u64| {
            let known = self.entries.get(entry(*number)).and_then(|entry| entry.position);
            known.is_some_and(|position| state.has(position))
        };
        let Some(found) = self.resident.iter().rposition(on_disk) else { return false };
        drop(state);
        let Some(number) = self.resident.remove(found) else { return false };
        let Some(entry) = self.entries.get_mut((number - self.gone) as usize) else { return false };
        entry.batch = None;
        self.bytes -= std::mem::take(&mut entry.bytes);
        true
    }

    fn is_front_unread(&self) -> bool {
        let front = self.entries.iter().find(|entry| entry.items > 0);
        self.head.is_none() && front.is_some_and(|entry| entry.batch.is_none())
    }

    fn load(&mut self, limits: Limits) -> Option<Load> {
        if self.head.is_some() || self.loading.load(Ordering::Acquire) {
            return None;
        }
        // What memory has at the front is not to wait for a disk that cannot be read.
        if !self.is_front_unread() && self.shared.state().trouble.is_some() {
            return None;
        }
        let (mut items, mut bytes) = (0, 0);
        let next = self.entries.iter().take_while(|entry| {
            let wanted = items < limits.items.max(1) && bytes <= limits.bytes;
            items += entry.items;
            bytes += entry.bytes;
            wanted
        });
        let wanted: Vec<_> = next
            .filter(|entry| entry.batch.is_none())
            .filter_map(|entry| Some((entry.position?, entry.items)))
            .collect();
        if wanted.is_empty() {
            return None;
        }
        self.loading.store(true, Ordering::Release);
        let (source, loading) = (Arc::clone(&self.source), Loading(Arc::clone(&self.loading)));
        Some(Box::new(move || {
            let rows = source.read(&wanted, limits.bytes);
            drop(loading);
            rows
        }))
    }

    fn awaits(&self, position: u64) -> Option<Awaited> {
        let unread = |entry: &&Entry| entry.position == Some(position) && entry.batch.is_none();
        Some(self.entries.iter().find(unread)?.awaited.clone())
    }

    fn hold_back(&mut self, waiting: bool) {
        if self.held_back != waiting {
            self.held_back = waiting;
            self.publish(None);
        }
    }

    fn loaded(&mut self, position: u64, batch: Batch, bytes: usize) {
        let unread = |entry: &&mut Entry| entry.position == Some(position) && entry.batch.is_none();
        let Some(entry) = self.entries.iter_mut().find(unread) else { return };
        self.items -= entry.items;
        entry.items = batch.len();
        self.items += entry.items;
        entry.bytes = if batch.is_empty() { 0 } else { bytes };
        self.bytes += entry.bytes;
        entry.batch = Some(batch);
        self.publish(None);
    }

    fn is_over(&self) -> bool {
        let state = self.shared.state();
        let own = &state.lanes[self.at];
        // Until the writer has removed what the lane gave up, there is no telling whether that was enough.
        let Some(oldest) = own.oldest.filter(|_| state.is_over && !own.sheds) else { return false };
        state.lanes.iter().filter_map(|lane| lane.oldest).all(|other| oldest <= other)
    }
}

/// Ends with the load, be it run or not.
struct Loading(Arc<AtomicBool>);

impl Drop for Loading {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Drop for DiskLane {
    /// What the disk does not have yet is still written.
    fn drop(&mut self) {
        let mut state = self.shared.state();
        let written = state.written;
        let entries = self.entries.drain(..).filter_map(|entry| Some((entry.position?, entry.batch?)));
        let head = self.head.take().and_then(|head| Some((head.last?, head.batch)));
        let kept = entries.chain(head).filter(|(position, _)| *position >= written);
        let lane = &mut state.lanes[self.at];
        lane.kept = kept.collect();
        (lane.open, lane.idle, lane.waits, lane.sheds) = (false, true, false, false);
        (lane.oldest, lane.gap) = (None, None);
        self.shared.work.notify_one();
    }
}
