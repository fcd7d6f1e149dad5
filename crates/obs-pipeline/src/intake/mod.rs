//! Where records enter: never blocks, never does I/O, never panics.

mod bell;
mod books;
mod buffer;
mod bytes;
mod shard;

use std::fmt;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use obs_core::{ByteSize, Feedback, Log, Metric, Score, Signal, Signals, Span, SpanRecord};

pub(crate) use bell::Bell;
pub(crate) use books::Books;
pub(crate) use buffer::{Buffer, Buffers, Chunks, Spares};
pub(crate) use bytes::ByteBudget;
pub(crate) use shard::leave;

use crate::Clock;
use crate::suppress::is_suppressed;
use crate::terms::dropped;
use buffer::Item;
use shard::Shard;

/// Where an application's records enter a pipeline; cloning shares it.
///
/// Recording locks the thread's own shard and moves the record in: some 30 ns, no allocation once warm, no wake-up of
/// another thread unless that one sleeps.
/// What does not fit into the intake's bytes is dropped and counted; what no destination wants is not taken at all.
#[derive(Clone)]
pub struct Intake(Arc<Inner>);

/// The lower byte of [`Inner::state`]: the wanted signals, and this bit where starts of spans are wanted.
const STARTED: u16 = 1 << 7;
/// The upper byte: why nothing is recorded at the moment.
const DISABLED: u16 = 1 << 8;
const CLOSED: u16 = 1 << 9;
const FORKED: u16 = 1 << 10;
const OFF: u16 = 0xff00;

struct Inner {
    state: AtomicU16,
    /// Unique in the process: threads find their shard by it.
    id: u64,
    /// The process that may record: after a fork, the child has no collector.
    pid: u32,
    bytes: ByteBudget,
    bell: Bell,
    /// For threads that are about to end and have given up their own.
    stray: Arc<Shard>,
    books: Mutex<Books>,
    clock: Clock,
}

/// Puts a record into the thread's shard.
///
/// A macro, since every function that a large struct passes through copies it once more.
macro_rules! put {
    ($intake:ident, $signal:ident, $buffer:ident, $bytes:expr, $record:expr) => {{
        let (inner, bytes) = (&*$intake.0, $bytes);
        match shard::own(inner.id) {
            Some(own) => {
                if let Some(mut buffers) = inner.open(&own, Signal::$signal, bytes) {
                    buffers.$buffer.room(bytes).push($record);
                }
            }
            None => inner.first_record($record, bytes),
        }
    }};
}

/// Puts a record into the thread's shard out of the caller's slot.
macro_rules! take {
    ($intake:ident, $signal:ident, $buffer:ident, $slot:ident) => {{
        if !$intake.wants().contains(Signal::$signal) {
            *$slot = None;
        }
        let Some(bytes) = $slot.as_ref().map(ByteSize::byte_size) else { return };
        put!($intake, $signal, $buffer, bytes, {
            let Some(record) = $slot.take() else { return };
            record
        });
        *$slot = None;
    }};
}

impl Intake {
    /// An intake that records nothing, ever.
    pub fn noop() -> Self {
        static NOOP: OnceLock<Intake> = OnceLock::new();
        NOOP.get_or_init(|| Self::new(Signals::NONE, false, 0, Clock::system())).clone()
    }

    pub(crate) fn new(wanted: Signals, started: bool, bytes: usize, clock: Clock) -> Self {
        static IDS: AtomicU64 = AtomicU64::new(0);
        let stray = Arc::new(Shard::default());
        let mut books = Books::default();
        books.add(Arc::clone(&stray));
        Self(Arc::new(Inner {
            state: AtomicU16::new(u16::from(wanted.bits()) | if started { STARTED } else { 0 }),
            id: IDS.fetch_add(1, Ordering::Relaxed),
            pid: std::process::id(),
            bytes: ByteBudget::new(bytes),
            bell: Bell::default(),
            stray,
            books: Mutex::new(books),
            clock,
        }))
    }

    /// The signals that some destination wants: one load.
    ///
    /// Empty while recording is switched off, and after shutdown.
    #[inline]
    pub fn wants(&self) -> Signals {
        Signals::from_bits(self.0.wants() as u8)
    }

    /// Whether some destination wants a record when a span starts.
    #[inline]
    pub fn wants_started(&self) -> bool {
        self.0.wants() & STARTED != 0
    }

    /// Switches recording off and on again; it starts switched on.
    pub fn set_enabled(&self, enabled: bool) {
        if enabled {
            self.0.state.fetch_and(!DISABLED, Ordering::Relaxed);
        } else {
            self.0.state.fetch_or(DISABLED, Ordering::Relaxed);
        }
    }

    /// Records that a span began, if some destination wants to know.
    #[inline]
    pub fn span_started(&self, span: Span) {
        if self.wants_started() {
            put!(self, Traces, spans, span.byte_size(), SpanRecord::Started(span));
        }
    }

    /// Records a span that ended.
    #[inline]
    pub fn span_ended(&self, span: Span) {
        if self.wants().contains(Signal::Traces) {
            put!(self, Traces, spans, span.byte_size(), SpanRecord::Ended(span));
        }
    }

    /// Records a span that ended, out of where the caller kept it: one move of a large struct instead of several.
    ///
    /// Afterwards `record` is `None`.
    #[inline]
    pub fn take_span(&self, record: &mut Option<SpanRecord>) {
        take!(self, Traces, spans, record);
    }

    /// Records a log record.
    #[inline]
    pub fn log(&self, log: Log) {
        if self.wants().contains(Signal::Logs) {
            put!(self, Logs, logs, log.byte_size(), log);
        }
    }

    /// Records a log record out of where the caller kept it, as [`Intake::take_span`] does.
    #[inline]
    pub fn take_log(&self, record: &mut Option<Log>) {
        take!(self, Logs, logs, record);
    }

    /// Records a measurement, or a point that something else aggregated.
    #[inline]
    pub fn metric(&self, metric: Metric) {
        if self.wants().contains(Signal::Metrics) {
            put!(self, Metrics, metrics, metric.byte_size(), metric);
        }
    }

    /// Records a score.
    #[inline]
    pub fn score(&self, score: Score) {
        if self.wants().contains(Signal::Scores) {
            put!(self, Scores, scores, score.byte_size(), score);
        }
    }

    /// Records feedback.
    #[inline]
    pub fn feedback(&self, feedback: Feedback) {
        if self.wants().contains(Signal::Feedback) {
            put!(self, Feedback, feedback, feedback.byte_size(), feedback);
        }
    }

    /// Counts a record of this signal that is there and cannot be read, so that it cannot be given: as recorded, and as dropped.
    ///
    /// For bridges from other SDKs, whose records have nobody to return to. Nothing is counted while recording is off.
    pub fn unreadable(&self, signal: Signal) {
        if self.0.wants() != 0 && !is_suppressed() {
            self.books().drop_unseen(signal, dropped::UNREADABLE);
        }
    }

    /// The pipeline's clock, for the stamps of records.
    #[inline]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Whether both lead into the same pipeline.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The books; whoever holds them sees every record in exactly one place.
    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        self.0.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn bell(&self) -> &Bell {
        &self.0.bell
    }

    pub(crate) fn bytes(&self) -> &ByteBudget {
        &self.0.bytes
    }

    /// From now on nothing is wanted.
    pub(crate) fn close(&self) {
        self.0.state.fetch_or(CLOSED, Ordering::Relaxed);
    }

    /// Whether recording has ended for good, by a shutdown.
    pub fn is_closed(&self) -> bool {
        self.0.state.load(Ordering::Relaxed) & CLOSED != 0
    }

    /// Whether this is a forked child, which has no collector.
    pub(crate) fn is_forked(&self) -> bool {
        std::process::id() != self.0.pid
    }
}

impl Inner {
    #[inline]
    fn wants(&self) -> u16 {
        let state = self.state.load(Ordering::Relaxed);
        if state & OFF == 0 { state } else { 0 }
    }

    /// Opens a shard for one record of this size, which is counted; `None` if it is not to be recorded.
    #[inline]
    fn open<'s>(&self, shard: &'s Shard, signal: Signal, bytes: usize) -> Option<MutexGuard<'s, Buffers>> {
        let mut buffers = match shard.try_lock() {
            Some(buffers) => buffers,
            None if self.turned_off_by_fork() => return None,
            None => shard.lock(),
        };
        if bytes > buffers.credit && !self.refill(&mut buffers, signal, bytes) {
            return None;
        }
        buffers.credit -= bytes;
        buffers.recorded[signal.index()] += 1;
        Some(buffers)
    }

    /// Reserves bytes: at the first record after each visit of the collector, and for each portion.
    #[cold]
    fn refill(&self, buffers: &mut Buffers, signal: Signal, bytes: usize) -> bool {
        // To ask for the process costs a system call, so a forked child may record a mebibyte before it stops.
        buffers.portions = buffers.portions.wrapping_add(1);
        if buffers.closed || (buffers.portions.is_multiple_of(16) && self.turned_off_by_fork()) {
            return false;
        }
        let portion = self.bytes.reserve(bytes - buffers.credit);
        buffers.credit += portion;
        if portion == 0 {
            buffers.recorded[signal.index()] += 1;
            buffers.dropped[signal.index()] += 1;
        }
        if self.bytes.is_tight() {
            self.bell.ring();
        } else {
            self.bell.ring_if_asleep();
        }
        portion > 0
    }

    /// The first record of a thread: it gets a shard, unless it is a thread of obs itself.
    #[cold]
    fn first_record<T: Item>(&self, record: T, bytes: usize) {
        if is_suppressed() || self.turned_off_by_fork() {
            return;
        }
        let own = Arc::new(Shard::default());
        let shard = if shard::adopt(self.id, &own) {
            self.books.lock().unwrap_or_else(PoisonError::into_inner).add(Arc::clone(&own));
            &own
        } else {
            &self.stray
        };
        if let Some(mut buffers) = self.open(shard, T::SIGNAL, bytes) {
            T::buffer(&mut buffers).room(bytes).push(record);
        }
    }

    /// A forked child has no collector, and locks that another thread held at the fork stay locked: it stops recording.
    #[cold]
    fn turned_off_by_fork(&self) -> bool {
        let forked = std::process::id() != self.pid;
        if forked {
            self.state.fetch_or(FORKED, Ordering::Relaxed);
        }
        forked
    }
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake")
            .field("wants", &self.wants())
            .field("bytes", &self.0.bytes)
            .field("clock", &self.0.clock)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use obs_core::{Level, Timestamp};

    use super::*;

    #[test]
    fn law_1_what_cannot_be_read_is_recorded_and_dropped_unless_nothing_is_recorded() {
        let intake = intake(1 << 20);
        intake.unreadable(Signal::Traces);
        intake.set_enabled(false);
        intake.unreadable(Signal::Traces);
        let terms = intake.books().snapshot();
        let traces = terms.get(Signal::Traces);
        assert_eq!((traces.recorded, traces.dropped.get(dropped::UNREADABLE)), (1, 1));
    }

    fn intake(bytes: usize) -> Intake {
        Intake::new(Signals::ALL, false, bytes, Clock::manual(Timestamp::default()).0)
    }

    fn log(intake: &Intake) {
        intake.log(Log::new(Timestamp::default(), Level::Info, "m"));
    }

    #[test]
    fn law_1_accounting_holds_before_anything_is_collected() {
        let intake = intake(64 << 10);
        (0..1_000).for_each(|_| log(&intake));
        let terms = intake.books().snapshot();
        let logs = terms.get(Signal::Logs);
        assert!(logs.is_balanced() && logs.recorded == 1_000 && logs.pending > 0, "{logs:?}");
        assert_eq!(logs.dropped.get(dropped::INTAKE_FULL), 1_000 - logs.pending);
        assert!(logs.pending * size_of::<Log>() as u64 <= 64 << 10, "more than the intake may hold");
    }

    #[test]
    fn law_2_host_is_safe_after_a_fork() {
        let intake = intake(1 << 20);
        let mut inner = Arc::into_inner(intake.0).unwrap();
        inner.pid = inner.pid.wrapping_add(1);
        let child = Intake(Arc::new(inner));
        assert!(child.is_forked() && !child.wants().is_empty());
        log(&child);
        assert!(child.wants().is_empty(), "recording turns itself off");
        child.set_enabled(true);
        assert!(child.wants().is_empty(), "and stays off");
        assert!(child.books().snapshot().get(Signal::Logs).is_empty());
    }

    #[test]
    fn unused_credit_comes_back() {
        let intake = intake(1 << 20);
        log(&intake);
        assert!(intake.bytes().used() > 0);
        let mut books = intake.books();
        let credit = books.swap(false);
        intake.bytes().release(credit);
        assert_eq!(intake.bytes().used(), Log::new(Timestamp::default(), Level::Info, "m").byte_size());
    }
}
