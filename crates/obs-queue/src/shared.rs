//! What the lanes, the collector and the writing thread share.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use obs_core::{Signal, Timestamp};
use obs_pipeline::{Clock, Wake};

use crate::QueueConfig;
use crate::cursor::Cursor;
use crate::failure::Trouble;
use crate::pending::Pending;
use crate::schema::{Contents, Listed};

/// The name of the database in its folder.
pub(crate) const DATABASE: &str = "queue.db";

/// The name of the file that keeps other processes out.
pub(crate) const LOCK: &str = "queue.lock";

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: QueueConfig,
    /// For stamps.
    pub(crate) clock: Clock,
    /// For the waits of the writing thread, which wait for a disk and not for a test.
    pub(crate) ticks: Clock,
    state: Mutex<State>,
    /// The writing thread waits here.
    pub(crate) work: Condvar,
    /// Who waits for the writing thread waits here.
    pub(crate) done: Condvar,
}

/// How far the end is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Running,
    Closing,
    Closed,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) stage: Stage,
    /// The next position.
    pub(crate) next: u64,
    /// Segments that the disk does not have, in order.
    pub(crate) pending: std::collections::VecDeque<Pending>,
    pub(crate) pending_items: usize,
    /// How many segments wait when they are next looked through for those that nobody wants.
    pub(crate) tidy_at: usize,
    /// Positions below were taken up by the writer.
    pub(crate) taken: u64,
    /// Positions below are on disk, or nobody wants them.
    pub(crate) written: u64,
    /// Positions below are not in the file, which was begun anew.
    pub(crate) floor: u64,
    /// Somebody waits until positions below this are written.
    pub(crate) hurried_to: u64,
    pub(crate) lanes: Vec<LaneState>,
    /// What an earlier process left, for the lanes that are still to come.
    pub(crate) left: Contents,
    pub(crate) trouble: Option<Box<str>>,
    /// What a lane met while reading.
    pub(crate) met: Option<Trouble>,
    /// Rows that could not be read as records.
    pub(crate) spoilt: Vec<u64>,
    /// Changes with every file, so that readers follow.
    pub(crate) generation: u64,
    pub(crate) is_over: bool,
    pub(crate) damaged: u64,
    pub(crate) damaged_records: u64,
    pub(crate) forgotten: u64,
    /// Per signal, the position below which nothing is kept for lanes that are not open.
    pub(crate) forgotten_to: [u64; Signal::COUNT],
}

/// What the writing thread knows of a lane.
pub(crate) struct LaneState {
    pub(crate) destination: Box<str>,
    pub(crate) signal: Signal,
    pub(crate) wake: Wake,
    /// How far the lane is.
    pub(crate) wanted: Cursor,
    /// How far it is on disk.
    pub(crate) written: Option<Cursor>,
    /// Whether the lane sends nothing until disk knows how far it is.
    pub(crate) waits: bool,
    /// The oldest position that the lane could give up.
    pub(crate) oldest: Option<u64>,
    /// Positions behind its head, up to but not including the second, that the lane does not want.
    pub(crate) gap: Option<(u64, u64)>,
    /// Whether the lane gave something up because disk holds too much, and the writer has not removed it yet.
    pub(crate) sheds: bool,
    /// Whether the lane holds nothing.
    pub(crate) idle: bool,
    /// Records that the lane gave up with its end, kept until they are written.
    pub(crate) kept: Vec<(u64, obs_core::Batch)>,
    pub(crate) open: bool,
}

impl fmt::Debug for LaneState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaneState")
            .field("destination", &self.destination)
            .field("signal", &self.signal)
            .field("wanted", &self.wanted)
            .field("written", &self.written)
            .finish_non_exhaustive()
    }
}

impl LaneState {
    /// Whether disk does not know how far the lane is.
    pub(crate) fn is_dirty(&self) -> bool {
        self.written != Some(self.wanted)
    }
}

impl Shared {
    pub(crate) fn new(
        config: QueueConfig,
        clock: Clock,
        left: Contents,
        trouble: Option<Box<str>>,
        is_read: bool,
    ) -> Self {
        // Positions begin at the microseconds of now, so that those of a file that turns up later are lower.
        let next = left.end().max(clock.now().as_micros()).max(1);
        let floor = if is_read { 0 } else { next };
        let state = State {
            stage: Stage::Running,
            next,
            pending: std::collections::VecDeque::new(),
            pending_items: 0,
            tidy_at: TIDY_AT,
            taken: next,
            written: next,
            floor,
            hurried_to: 0,
            lanes: Vec::new(),
            left,
            trouble,
            met: None,
            spoilt: Vec::new(),
            generation: 0,
            is_over: false,
            damaged: 0,
            damaged_records: 0,
            forgotten: 0,
            forgotten_to: [0; Signal::COUNT],
        };
        let (work, done) = (Condvar::new(), Condvar::new());
        Self { config, clock, ticks: Clock::system(), state: Mutex::new(state), work, done }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.config.directory.join(DATABASE)
    }
}

/// Waits to be notified, at most so long.
pub(crate) fn wait<'s>(
    state: MutexGuard<'s, State>,
    on: &Condvar,
    at_most: Duration,
) -> MutexGuard<'s, State> {
    on.wait_timeout(state, at_most).unwrap_or_else(PoisonError::into_inner).0
}

/// How many segments wait before they are looked through.
const TIDY_AT: usize = 64;

impl State {
    /// Forgets segments that nobody wants any more; what it costs is spread over those that come.
    pub(crate) fn tidy(&mut self) {
        if self.pending.len() < self.tidy_at {
            return;
        }
        let ends = self.ends();
        let items = &mut self.pending_items;
        self.pending.retain(|pending| {
            let wanted = !pending.is_gone() && pending.position >= ends[pending.signal.index()];
            *items -= if wanted { 0 } else { pending.items };
            wanted
        });
        self.tidy_at = (self.pending.len() * 2).max(TIDY_AT);
    }

    /// Per signal, the position below which every open lane is done.
    pub(crate) fn ends(&self) -> [u64; Signal::COUNT] {
        let mut ends = [u64::MAX; Signal::COUNT];
        for lane in &self.lanes {
            // A lane that ended goes on wanting what it had not delivered.
            let end = &mut ends[lane.signal.index()];
            *end = (*end).min(lane.wanted.position);
        }
        ends
    }

    /// Whether disk has this position's records.
    pub(crate) fn has(&self, position: u64) -> bool {
        position >= self.floor && position < self.written
    }

    /// The rows that wait for a lane, and how far it was.
    pub(crate) fn left_for(&self, destination: &str, signal: Signal) -> Option<(Cursor, Vec<Listed>)> {
        let (_, cursor) =
            self.left.cursors.iter().find(|((name, of), _)| &**name == destination && *of == signal)?;
        let begin = cursor.position.max(self.forgotten_to[signal.index()]);
        let from = self.left.rows.partition_point(|row| row.position < begin);
        let rows = self.left.rows[from..].iter().filter(|row| row.signal == signal);
        Some((*cursor, rows.copied().collect()))
    }

    /// Forgets the rows that an earlier process left and no lane is still to come for.
    pub(crate) fn forget_rows(&mut self) {
        let Contents { rows, cursors } = &mut self.left;
        rows.retain(|row| cursors.keys().any(|(_, signal)| *signal == row.signal));
        rows.shrink_to_fit();
    }

    /// Whom to wake once the lock is free.
    pub(crate) fn wakes(&self) -> Vec<Wake> {
        self.lanes.iter().filter(|lane| lane.open).map(|lane| lane.wake.clone()).collect()
    }

    /// Where disk has too much, the lanes that are to give something up: those that are furthest behind, unless the writer
    /// has not removed yet what they gave up.
    pub(crate) fn wakes_of_the_oldest(&self) -> Vec<Wake> {
        let oldest = self.lanes.iter().filter_map(|lane| lane.oldest).min().filter(|_| self.is_over);
        let furthest = |lane: &&LaneState| oldest.is_some() && lane.oldest == oldest && !lane.sheds;
        self.lanes.iter().filter(furthest).map(|lane| lane.wake.clone()).collect()
    }

    /// The oldest stamp that is kept for lanes that are not open.
    pub(crate) fn cutoff(now: Timestamp, config: &QueueConfig) -> Timestamp {
        now.saturating_sub(config.max_age)
    }
}
