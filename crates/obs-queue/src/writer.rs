//! The one thread that writes.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use obs_core::Signal;
use rusqlite::Connection;

use crate::Durability;
use crate::failure::Trouble;
use crate::file::{self, Identity, Refused};
use crate::rows::Encoder;
use crate::schema;
use crate::shared::{self, LOCK, LaneState, Shared, Stage, State};
use crate::transaction::{self, Level, Pins, Taken};

/// How long segments are gathered before they are written together.
const GATHER: Duration = Duration::from_millis(20);

/// Records after which no more are gathered: about a mebibyte of usual ones.
pub(crate) const MANY: usize = 1_024;

/// How long a cursor that nobody waits for may be unwritten.
const IDLE: Duration = Duration::from_secs(1);

/// How often rows are looked at that are too old for lanes which are not open.
const PRUNE: Duration = Duration::from_mins(1);

/// What an encoder's memory may keep between writes.
const KEPT: usize = 8 << 20;

/// The file, open for writing.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) connection: Connection,
    pub(crate) level: Option<Level>,
    identity: Option<Identity>,
}

impl Opened {
    pub(crate) fn new(connection: Connection, path: &Path) -> Self {
        Self { connection, level: None, identity: Identity::of(path) }
    }
}

#[derive(Debug)]
pub(crate) struct Writer {
    shared: Arc<Shared>,
    lock: Option<(File, Option<Identity>)>,
    opened: Option<Opened>,
    /// The file that was used last.
    known: Option<Identity>,
    encoder: Encoder,
    /// Below these the rows of each signal were removed.
    removed: Pins,
    retry_at: Duration,
    wrote_at: Duration,
    prune_at: Duration,
}

/// What there is to do.
#[derive(Debug)]
enum Work {
    Write(Taken),
    Spoilt(Vec<u64>),
    Prune,
    Retry,
    Met(Trouble),
    Close,
}

impl Writer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        lock: Option<File>,
        opened: Option<Opened>,
        known: Option<Identity>,
    ) -> Self {
        let now = shared.ticks.monotonic();
        let lock_path = shared.config.directory.join(LOCK);
        Self {
            lock: lock.map(|lock| (lock, Identity::of(&lock_path))),
            known,
            opened,
            encoder: Encoder::default(),
            removed: [0; Signal::COUNT],
            retry_at: now.saturating_add(shared.config.retry_interval),
            wrote_at: now,
            prune_at: now.saturating_add(PRUNE),
            shared,
        }
    }

    pub(crate) fn run(mut self) {
        let _end = End(Arc::clone(&self.shared));
        loop {
            match self.next() {
                Work::Write(taken) => drop(self.write(&taken).map_err(|trouble| self.fail(trouble))),
                Work::Spoilt(rows) => self.put_aside(&rows),
                Work::Prune => self.prune(),
                Work::Retry => self.retry(),
                Work::Met(trouble) => self.fail(trouble),
                Work::Close => return self.close(),
            }
        }
    }

    /// Waits for something to do.
    fn next(&mut self) -> Work {
        let shared = Arc::clone(&self.shared);
        let mut state = shared.state();
        loop {
            if state.stage == Stage::Closing {
                return Work::Close;
            }
            if let Some(trouble) = state.met.take() {
                return Work::Met(trouble);
            }
            let now = shared.ticks.monotonic();
            let wait = if state.trouble.is_some() {
                if now >= self.retry_at {
                    return Work::Retry;
                }
                self.retry_at.saturating_sub(now)
            } else {
                match self.work(&mut state, now) {
                    Ok(work) => return work,
                    Err(wait) => wait,
                }
            };
            state = shared::wait(state, &shared.work, wait);
        }
    }

    /// What there is to do on a disk that is well, or how long there is nothing.
    fn work(&self, state: &mut State, now: Duration) -> Result<Work, Duration> {
        if !state.spoilt.is_empty() {
            return Ok(Work::Spoilt(std::mem::take(&mut state.spoilt)));
        }
        let acks = state.lanes.iter().any(|lane| lane.sheds || lane.waits && lane.is_dirty());
        let Some(first) = state.pending.front() else {
            if state.settle(state.next) {
                self.shared.done.notify_all();
            }
            let dirty = state.lanes.iter().any(LaneState::is_dirty);
            let idle = self.wrote_at.saturating_add(IDLE);
            return match (acks, dirty) {
                (true, _) => Ok(Work::Write(Taken::of(state, 0))),
                (_, true) if now >= idle => Ok(Work::Write(Taken::of(state, 0))),
                (_, true) => Err(idle.saturating_sub(now)),
                (_, false) if now >= self.prune_at => Ok(Work::Prune),
                (_, false) => Err(self.prune_at.saturating_sub(now)),
            };
        };
        let gather = if self.shared.config.mode == Durability::Always { Duration::ZERO } else { GATHER };
        let due = first.since.saturating_add(gather);
        let hurried = state.hurried_to > first.position;
        if hurried || state.pending_items >= MANY || now >= due {
            Ok(Work::Write(Taken::of(state, MANY)))
        } else if acks {
            Ok(Work::Write(Taken::of(state, 0)))
        } else {
            Err(due.saturating_sub(now))
        }
    }

    /// Writes rows and cursors in one transaction, and tells everybody.
    fn write(&mut self, taken: &Taken) -> Result<(), Trouble> {
        let path = self.shared.path();
        if self.opened.as_ref().is_some_and(|opened| opened.identity != Identity::of(&path)) {
            // A new file may be given the number of the one that is gone.
            (self.opened, self.known) = (None, None);
        }
        if self.opened.is_none() {
            self.reopen()?;
        }
        let pins = self.shared.state().pins(taken);
        let Some(opened) = &mut self.opened else { return Ok(()) };
        let outcome = transaction::run(opened, taken, &pins, &self.removed, &mut self.encoder, &self.shared);
        self.encoder.trim(KEPT);
        let is_over = outcome?.map(|used| used > self.shared.config.max_size.get());
        self.removed = pins;
        self.wrote_at = self.shared.ticks.monotonic();
        let wakes = {
            let mut state = self.shared.state();
            state.trouble = None;
            state.is_over = is_over.unwrap_or(state.is_over);
            state.written(taken)
        };
        self.shared.done.notify_all();
        for wake in wakes {
            wake();
        }
        if is_over == Some(true) {
            self.shed();
        }
        // A lane that waits for its destination would not look by itself.
        let wakes = self.shared.state().wakes_of_the_oldest();
        for wake in wakes {
            wake();
        }
        Ok(())
    }

    /// Keeps everything in memory from now on, until the disk is well again; a damaged file makes way for a new one.
    fn fail(&mut self, trouble: Trouble) {
        self.opened = None;
        let outcome = match &trouble {
            Trouble::Damaged(message) => self.set_aside(message).and_then(|()| self.reopen()),
            Trouble::Disk(_) => Err(trouble),
        };
        if let Err(trouble) = outcome {
            self.degrade(&trouble);
        }
    }

    fn degrade(&mut self, trouble: &Trouble) {
        let now = self.shared.ticks.monotonic();
        self.retry_at = now.saturating_add(self.shared.config.retry_interval);
        let (wakes, is_news) = {
            let mut state = self.shared.state();
            let is_news = state.trouble.is_none();
            state.trouble = Some(trouble.message().into());
            (state.wakes(), is_news)
        };
        if is_news {
            tracing::warn!(target: "obs::queue", "{}; records are kept in memory", trouble.message());
        }
        self.shared.done.notify_all();
        for wake in wakes {
            wake();
        }
    }

    fn set_aside(&mut self, message: &str) -> Result<(), Trouble> {
        self.opened = None;
        self.known = None;
        let path = self.shared.path();
        if !path.exists() {
            return Ok(());
        }
        let target = file::set_aside(&path, "damaged", self.shared.clock.now())?;
        tracing::warn!(target: "obs::queue", "{message}; set aside as {}", target.display());
        self.shared.state().damaged += 1;
        Ok(())
    }

    fn retry(&mut self) {
        self.opened = None;
        let taken = Taken::of(&mut self.shared.state(), MANY);
        let outcome = self.write(&taken);
        match outcome {
            Ok(()) => {
                tracing::info!(target: "obs::queue", "{}: the disk is well again", self.shared.path().display());
                let wakes = self.shared.state().wakes();
                for wake in wakes {
                    wake();
                }
            }
            Err(trouble @ Trouble::Damaged(_)) => {
                self.fail(trouble);
                self.retry_at = Duration::ZERO;
            }
            Err(trouble) => self.degrade(&trouble),
        }
    }

    /// Opens the file anew; where it is another one than before, the lanes' rows are not in it.
    fn reopen(&mut self) -> Result<(), Trouble> {
        self.take_lock()?;
        let path = self.shared.path();
        let mut connection = match schema::open(&path) {
            Err(Trouble::Damaged(message)) => {
                self.set_aside(&message)?;
                schema::open(&path)?
            }
            outcome => outcome?,
        };
        let mut identity = Identity::of(&path);
        if identity.is_none() || identity != self.known {
            let contents = schema::contents(&connection, &path)?;
            if !contents.rows.is_empty() {
                drop(connection);
                let target = file::set_aside(&path, "late", self.shared.clock.now())?;
                tracing::warn!(
                    target: "obs::queue",
                    "{} turned up after the start: its records are kept as {}",
                    path.display(), target.display()
                );
                connection = schema::open(&path)?;
                identity = Identity::of(&path);
            }
            self.removed = [0; Signal::COUNT];
            self.known.clone_from(&identity);
            self.shared.state().begin_anew();
        }
        self.opened = Some(Opened { connection, level: None, identity });
        Ok(())
    }

    fn take_lock(&mut self) -> Result<(), Trouble> {
        let path = self.shared.config.directory.join(LOCK);
        let there = Identity::of(&path);
        if self.lock.as_ref().is_some_and(|(_, known)| there.is_some() && *known == there) {
            return Ok(());
        }
        self.lock = None;
        match file::take(&self.shared.config.directory, LOCK) {
            Ok(lock) => {
                self.lock = Some((lock, Identity::of(&path)));
                Ok(())
            }
            Err(Refused::Taken(error)) => Err(Trouble::Disk(error.message().into())),
            Err(Refused::Trouble(trouble)) => Err(trouble),
        }
    }

    /// Moves rows that are no records to a table of their own.
    fn put_aside(&mut self, rows: &[u64]) {
        let Some(opened) = &mut self.opened else { return };
        match transaction::put_aside(&mut opened.connection, rows, &self.shared.path()) {
            Ok(count) => self.shared.state().damaged_records += count,
            Err(trouble) => self.fail(trouble),
        }
    }

    /// Removes what waited too long for lanes that are not open, and gives the system pages back that nothing uses.
    fn prune(&mut self) {
        self.prune_at = self.shared.ticks.monotonic().saturating_add(PRUNE);
        self.forget(Some(State::cutoff(self.shared.clock.now(), &self.shared.config)));
    }

    /// Makes room: for lanes that are not open nothing is kept, and a lane that holds nothing need not look back.
    fn shed(&mut self) {
        self.shared.state().skip_idle();
        self.forget(None);
    }

    fn forget(&mut self, before: Option<obs_core::Timestamp>) {
        let Some(opened) = &mut self.opened else { return };
        let taken = {
            let mut state = self.shared.state();
            Taken::of(&mut state, 0)
        };
        let outcome =
            transaction::forget(opened, before, &self.shared).and_then(|()| self.write_only(&taken));
        if let Err(trouble) = outcome {
            self.fail(trouble);
        }
    }

    /// Writes cursors, and does not look whether there is still too much.
    fn write_only(&mut self, taken: &Taken) -> Result<(), Trouble> {
        let pins = self.shared.state().pins(taken);
        let Some(opened) = &mut self.opened else { return Ok(()) };
        transaction::run(opened, taken, &pins, &self.removed, &mut self.encoder, &self.shared)?;
        self.removed = pins;
        let wakes = self.shared.state().written(taken);
        for wake in wakes {
            wake();
        }
        Ok(())
    }

    fn close(mut self) {
        let mut tries = 0;
        loop {
            let taken = Taken::of(&mut self.shared.state(), MANY);
            match self.write(&taken) {
                Ok(()) if self.shared.state().pending.is_empty() => break,
                Ok(()) => {}
                Err(Trouble::Damaged(message)) if tries == 0 => drop(self.set_aside(&message)),
                Err(trouble) if tries > 0 => {
                    self.degrade(&trouble);
                    break;
                }
                Err(_) => self.opened = None,
            }
            tries += usize::from(self.opened.is_none());
        }
        if let Some(opened) = self.opened.take() {
            let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
            // What is not moved into the database now is read from the log beside it the next time.
            opened.connection.query_row(checkpoint, [], |_| Ok(())).ok();
        }
        self.lock = None;
        let mut state = self.shared.state();
        if state.pending.is_empty() {
            let end = state.next;
            state.settle(end);
        }
    }
}

/// Tells everybody that the thread ended, however it did.
#[derive(Debug)]
struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        let wakes = {
            let mut state = self.0.state();
            if state.stage == Stage::Running {
                state.trouble =
                    Some("the writing thread has ended; restart the process, and report it".into());
            }
            state.stage = Stage::Closed;
            state.wakes()
        };
        self.0.done.notify_all();
        for wake in wakes {
            wake();
        }
    }
}
