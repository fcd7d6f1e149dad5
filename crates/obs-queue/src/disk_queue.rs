//! The log on disk, as a pipeline holds it.

use std::fs::File;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use obs_core::{Batch, Error, Health, Signal};
use obs_pipeline::{Clock, Log, Queue, Wake};
use rusqlite::Connection;

use crate::QueueConfig;
use crate::cursor::Cursor;
use crate::database;
use crate::failure::Trouble;
use crate::file::{self, Identity, Refused};
use crate::lane::DiskLane;
use crate::pending::Pending;
use crate::schema::{self, Contents};
use crate::shared::{self, DATABASE, LOCK, LaneState, Shared, Stage, State};
use crate::writer::{MANY, Opened, Writer};

/// Segments on disk, in one SQLite file, with a cursor for every lane.
///
/// One thread writes; lanes read on the threads of their destinations.
/// Dropping it asks that thread to write what waits and to end, without waiting for it; [`Log::close`] waits.
#[derive(Debug)]
pub struct DiskQueue {
    shared: Arc<Shared>,
}

impl DiskQueue {
    /// Opens the queue in a folder, and begins one where there is none.
    ///
    /// A disk that is full, failing, read-only or missing is no error: records stay in memory, [`Log::health`] says why,
    /// and the disk is tried again each `retry_interval`.
    /// A damaged file is set aside as `queue.db.damaged-<time>` and counted, and a new one is begun; a file of up to
    /// 64 MiB is looked through for that, a larger one is found damaged when the damage is met.
    ///
    /// # Errors
    /// [`obs_core::ErrorKind::Config`] where an option makes no sense, and where another process uses the folder.
    pub fn open(config: QueueConfig) -> Result<Self, Error> {
        Self::open_at(config, Clock::system())
    }

    /// As [`DiskQueue::open`], with the clock that stamps segments: how long they have waited is known across processes
    /// by it.
    ///
    /// # Errors
    /// As [`DiskQueue::open`].
    pub fn open_at(config: QueueConfig, clock: Clock) -> Result<Self, Error> {
        config.validate()?;
        let start = start(&config, &clock)?;
        let shared = Shared::new(config, clock, start.contents, start.trouble, start.known.is_some());
        shared.state().damaged = start.damaged;
        let shared = Arc::new(shared);
        let writer = Writer::new(Arc::clone(&shared), start.lock, start.opened, start.known);
        let run = move || writer.run();
        if let Err(cause) = thread::Builder::new().name("obs-queue".into()).spawn(run) {
            let mut state = shared.state();
            let message = format!("the writing thread cannot start ({cause}); records are kept in memory");
            state.trouble = Some(message.into());
            state.stage = Stage::Closed;
        }
        Ok(Self { shared })
    }

    /// Whether an earlier process left a cursor of this lane.
    pub(crate) fn knows(&self, destination: &str, signal: Signal) -> bool {
        self.shared.state().left.cursors.contains_key(&(Box::from(destination), signal))
    }

    /// How many files were found damaged and set aside since the queue was opened.
    pub fn damaged(&self) -> u64 {
        self.shared.state().damaged
    }

    /// How many records were in rows that could not be read and were moved to the table `damaged`.
    pub fn damaged_records(&self) -> u64 {
        self.shared.state().damaged_records
    }

    /// How many records were removed that waited for destinations which the application no longer has.
    pub fn forgotten(&self) -> u64 {
        self.shared.state().forgotten
    }
}

/// What the disk gave at the beginning.
#[derive(Debug, Default)]
struct Start {
    lock: Option<File>,
    opened: Option<Opened>,
    /// The file that the contents are from.
    known: Option<Identity>,
    contents: Contents,
    trouble: Option<Box<str>>,
    damaged: u64,
}

fn start(config: &QueueConfig, clock: &Clock) -> Result<Start, Error> {
    let mut start = Start::default();
    match file::take(&config.directory, LOCK) {
        Ok(lock) => start.lock = Some(lock),
        Err(Refused::Taken(error)) => return Err(error),
        Err(Refused::Trouble(trouble)) => {
            start.trouble = Some(trouble.message().into());
            return Ok(start);
        }
    }
    let path = config.directory.join(DATABASE);
    let open = || -> Result<(Connection, Contents), Trouble> {
        let connection = schema::open(&path)?;
        database::look_through(&connection, &path)?;
        let contents = schema::contents(&connection, &path)?;
        Ok((connection, contents))
    };
    let mut outcome = open();
    if let Err(Trouble::Damaged(message)) = &outcome {
        outcome = match file::set_aside(&path, "damaged", clock.now()) {
            Ok(target) => {
                start.damaged += 1;
                tracing::warn!(target: "obs::queue", "{message}; set aside as {}", target.display());
                open()
            }
            Err(trouble) => Err(trouble),
        };
    }
    match outcome {
        Ok((connection, contents)) => {
            start.opened = Some(Opened::new(connection, &path));
            start.contents = contents;
        }
        Err(trouble) => {
            start.trouble = Some(trouble.message().into());
            if let Ok(contents) = schema::contents_of_full_disk(&path) {
                start.known = Identity::of(&path);
                start.contents = contents;
            }
            return Ok(start);
        }
    }
    start.known = Identity::of(&path);
    Ok(start)
}

impl Log for DiskQueue {
    fn append(&self, batch: &Batch) -> u64 {
        let (sealed_at, since) = (self.shared.clock.now(), self.shared.ticks.monotonic());
        let mut state = self.shared.state();
        let position = state.next;
        state.next += 1;
        if state.stage == Stage::Running && !batch.is_empty() {
            state.tidy();
            let is_first = state.pending.is_empty();
            state.pending_items += batch.len();
            state.pending.push_back(Pending::new(position, batch, sealed_at, since));
            // The writer gathers by itself once it knows of the first.
            if state.trouble.is_none() && (is_first || state.pending_items >= MANY) {
                self.shared.work.notify_one();
            }
        }
        position
    }

    fn lane(&self, destination: &str, signal: Signal, clock: &Clock, wake: Wake) -> Box<dyn Queue> {
        let since = clock.monotonic();
        let mut state = self.shared.state();
        let left = state.left_for(destination, signal);
        state.left.cursors.remove(&(Box::from(destination), signal));
        state.forget_rows();
        let seen = state.next;
        let cursor = match &left {
            Some((cursor, rows)) if !rows.is_empty() => *cursor,
            Some(_) | None => Cursor::at(seen),
        };
        let at = state.lanes.len();
        state.lanes.push(LaneState {
            destination: destination.into(),
            signal,
            wake,
            wanted: cursor,
            written: left.as_ref().map(|(cursor, _)| *cursor),
            waits: false,
            oldest: left.as_ref().and_then(|(_, rows)| Some(rows.first()?.position)),
            gap: None,
            sheds: false,
            idle: left.as_ref().is_none_or(|(_, rows)| rows.is_empty()),
            kept: Vec::new(),
            open: true,
        });
        drop(state);
        Box::new(DiskLane::new(Arc::clone(&self.shared), at, signal, seen, left, since))
    }

    fn sync(&self, at_most: Duration) -> bool {
        let end = self.shared.ticks.monotonic().saturating_add(at_most);
        let mut state = self.shared.state();
        let target = state.next;
        state.hurried_to = state.hurried_to.max(target);
        self.shared.work.notify_one();
        while state.written < target && state.trouble.is_none() && state.stage != Stage::Closed {
            let left = end.saturating_sub(self.shared.ticks.monotonic());
            if left.is_zero() {
                break;
            }
            state = shared::wait(state, &self.shared.done, left);
        }
        state.written >= target && state.trouble.is_none()
    }

    fn health(&self) -> Health {
        match &self.shared.state().trouble {
            None => Health::Healthy,
            Some(why) => Health::Degraded(format!("queue on disk: {why}; records are kept in memory").into()),
        }
    }

    fn close(&self, at_most: Duration) -> bool {
        let end = self.shared.ticks.monotonic().saturating_add(at_most);
        let mut state = self.shared.state();
        begin_closing(&mut state);
        self.shared.work.notify_one();
        while state.stage != Stage::Closed {
            let left = end.saturating_sub(self.shared.ticks.monotonic());
            if left.is_zero() {
                return false;
            }
            state = shared::wait(state, &self.shared.done, left);
        }
        state.written >= state.hurried_to
    }
}

/// Asks for the end, once; what was appended before is to be written.
fn begin_closing(state: &mut State) {
    if state.stage == Stage::Running {
        state.stage = Stage::Closing;
        state.hurried_to = state.next;
    }
}

impl Drop for DiskQueue {
    fn drop(&mut self) {
        begin_closing(&mut self.shared.state());
        self.shared.work.notify_one();
    }
}
