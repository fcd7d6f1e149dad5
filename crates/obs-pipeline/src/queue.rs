//! What waits for a destination.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use obs_core::{Batch, Error, Health, Limits, Signal};

use crate::Clock;

/// A first-in, first-out queue of batches of one signal, with its head on the way to the backend.
///
/// Times are readings of [`crate::Clock::monotonic`].
/// Every call happens under a lock that the collector wants too, so none may do I/O: what must be read from disk is read
/// by the [`Load`] that [`Queue::load`] returns, and its result is given back.
/// The lane, which knows the budget of the whole destination, decides what has room; the queue only counts.
pub trait Queue: Debug + Send + 'static {
    /// Takes records at the end.
    ///
    /// An offer without records tells a queue on disk that a segment holds none for it.
    fn offer(&mut self, offer: Offer);

    /// The head, at most this large but at least one record; it stays until [`Queue::commit`].
    ///
    /// A second call before that returns the same records.
    /// `None` where nothing waits, and while the head must be [loaded](Queue::load) first.
    fn peek(&mut self, limits: Limits) -> Option<Batch>;

    /// Settles what [`Queue::peek`] returned but for `left`, which is the head from now on.
    fn commit(&mut self, left: Batch);

    /// Gives up the oldest records that are not on their way.
    fn drop_oldest(&mut self) -> Option<Removed>;

    /// Gives up the oldest records that take memory and are not on their way: those that only disk has take none.
    fn drop_resident(&mut self) -> Option<Removed> {
        self.drop_oldest()
    }

    /// Gives up records that are as old as this or older, be they the head or not.
    ///
    /// Not to be called between [`Queue::peek`] and [`Queue::commit`].
    fn expire(&mut self, now: Duration, max_age: Duration) -> Option<Removed>;

    /// When the oldest records will be this old.
    fn expires(&self, max_age: Duration) -> Option<Duration>;

    /// Records that wait, those on their way included.
    fn items(&self) -> usize;

    /// Bytes of memory that are kept alive, those on their way included.
    fn bytes(&self) -> usize;

    /// Since when the oldest record waits in this process.
    fn oldest(&self) -> Option<Duration>;

    /// How many records would be lost if the process died now: all of them for a queue in memory.
    fn at_risk(&self) -> usize {
        self.items()
    }

    /// Whether what was offered outlives the process, or will soon.
    fn is_durable(&self) -> bool {
        false
    }

    /// Whether the next head may leave; a durable queue waits until disk knows of the last commit, so that a crash repeats
    /// no more than what was on its way.
    fn is_ready(&self) -> bool {
        true
    }

    /// Frees the memory of records that disk has, those that will leave last; `false` if there is nothing to free.
    fn spill(&mut self) -> bool {
        false
    }

    /// Whether the records that leave next are on disk alone.
    fn is_front_unread(&self) -> bool {
        false
    }

    /// What must be read from disk before the head can leave, if anything; not again while it is being read.
    fn load(&mut self, limits: Limits) -> Option<Load> {
        let _ = limits;
        None
    }

    /// Which records of a row the queue still waits for; `None` if it has given the row up meanwhile.
    fn awaits(&self, position: u64) -> Option<Awaited> {
        let _ = position;
        None
    }

    /// Takes back what a [`Load`] read of a row that it [awaits](Queue::awaits), without what is not meant for it.
    ///
    /// An empty batch is done with; the records of a position that is not given back stay to be loaded again.
    fn loaded(&mut self, position: u64, batch: Batch, bytes: usize) {
        let _ = (position, batch, bytes);
    }

    /// Tells whether sealed segments wait before the lane, which is not idle then, though it may be empty.
    fn hold_back(&mut self, waiting: bool) {
        let _ = waiting;
    }

    /// Whether disk holds more than it may, and the oldest rows wait for this lane: it is to give some up.
    fn is_over(&self) -> bool {
        false
    }
}

/// Records for a queue.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The records that are meant for the lane.
    pub batch: Batch,
    /// The place of the segment they were in, in the pipeline's [`Log`]; none if there is no such log.
    pub position: Option<u64>,
    /// Which records of that segment they are, by their places in it; all of them where there is none.
    pub selection: Option<Arc<[u32]>>,
    /// What they keep alive in memory, whole segments counted.
    pub bytes: usize,
    /// Since when they wait.
    pub now: Duration,
}

/// Which records of a row a queue waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Awaited {
    /// Those that the lane's route lets through: an earlier process sealed the row, and nobody has asked the route.
    Unrouted,
    /// All of them.
    Whole,
    /// Those at these places.
    Selected(Arc<[u32]>),
}

/// Records that a queue gave up.
#[derive(Debug)]
pub struct Removed {
    /// The records, where they were in memory.
    pub batch: Option<Batch>,
    /// How many.
    pub count: usize,
}

/// Reads rows from disk; called without any lock, on the destination's own thread.
pub type Load = Box<dyn FnOnce() -> Vec<Loaded> + Send>;

/// A row that was read.
#[derive(Debug)]
pub struct Loaded {
    /// Its place in the log.
    pub position: u64,
    /// Its records as they were sealed, before any route; an error for a row that cannot be read.
    pub batch: Result<Batch, Error>,
    /// How many records the queue counted for it.
    pub count: usize,
}

/// Told, without any lock held, that a lane may have something to do.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// A log of sealed batches on disk, shared by the lanes of a pipeline; every lane has a cursor of its own.
///
/// It never refuses to start and never waits: where the disk fails, records stay in memory and [`Log::health`] says so.
pub trait Log: Debug + Send + Sync + 'static {
    /// Takes a sealed segment, to be written soon by a thread of the log's own; returns its place, which rises.
    fn append(&self, batch: &Batch) -> u64;

    /// The queue of a lane, which holds what it had not delivered when the last process ended.
    ///
    /// A lane that is opened for the first time begins at the end of the log.
    fn lane(&self, destination: &str, signal: Signal, clock: &Clock, wake: Wake) -> Box<dyn Queue>;

    /// Waits until disk has everything that was appended before, at most so long; whether it has.
    fn sync(&self, at_most: Duration) -> bool;

    /// How the disk is.
    fn health(&self) -> Health;

    /// Writes what is to be written and gives the files back, at most so long; whether that is done.
    ///
    /// Afterwards nothing is written any more; a second call does nothing.
    fn close(&self, at_most: Duration) -> bool;
}
