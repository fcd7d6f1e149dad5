//! What is written at once.

use std::path::Path;

use obs_core::{Batch, SCHEMA_VERSION, Signal, Timestamp};
use obs_pipeline::Wake;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use crate::Durability;
use crate::cursor::Cursor;
use crate::failure::{self, Trouble};
use crate::rows::Encoder;
use crate::shared::{Shared, State};
use crate::writer::Opened;

/// Per signal, the position below which no lane wants a row.
pub(crate) type Pins = [u64; Signal::COUNT];

/// What SQLite does about the disk at a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// It waits until the disk has it.
    Full,
    /// The system decides; the death of the process loses nothing.
    Normal,
}

/// What the writer took up.
#[derive(Debug)]
pub(crate) struct Taken {
    rows: Vec<(u64, Timestamp, Batch)>,
    /// The position after the last one that was looked at.
    end: u64,
    cursors: Vec<(usize, Cursor)>,
    /// The lanes that gave something up for want of room, and what nobody wants of it.
    sheds: Vec<(usize, Option<Hole>)>,
}

/// Rows in the midst of the log: those of a signal from a position up to, but not including, another.
type Hole = (Signal, u64, u64);

impl Taken {
    /// All cursors that moved, and about this many records that somebody wants.
    pub(crate) fn of(state: &mut State, items: usize) -> Self {
        let ends = state.ends();
        let (mut rows, mut taken, mut end) = (Vec::new(), 0, state.written);
        if items > 0 {
            end = state.next;
            for pending in &state.pending {
                if taken >= items {
                    end = pending.position;
                    break;
                }
                if pending.position < ends[pending.signal.index()] {
                    continue;
                }
                if let Some(batch) = pending.batch() {
                    taken += batch.len();
                    rows.push((pending.position, pending.sealed_at, batch));
                }
            }
            state.taken = state.taken.max(end);
        }
        let moved = state.lanes.iter().enumerate().filter(|(_, lane)| lane.is_dirty());
        let cursors = moved.map(|(at, lane)| (at, lane.wanted)).collect();
        let sheds = state.lanes.iter().enumerate().filter(|(_, lane)| lane.sheds);
        let sheds = sheds.map(|(at, _)| (at, state.hole(at))).collect();
        Self { rows, end, cursors, sheds }
    }
}

impl State {
    /// The rows that nobody wants once these cursors are written.
    pub(crate) fn pins(&self, taken: &Taken) -> Pins {
        let mut pins = [u64::MAX; Signal::COUNT];
        for (at, lane) in self.lanes.iter().enumerate() {
            let moved = taken.cursors.iter().find(|(moved, _)| *moved == at).map(|(_, cursor)| *cursor);
            let cursor = moved.or(lane.written).unwrap_or(lane.wanted);
            let pin = &mut pins[lane.signal.index()];
            *pin = (*pin).min(cursor.position);
        }
        for ((_, signal), cursor) in &self.left.cursors {
            let pin = &mut pins[signal.index()];
            *pin = (*pin).min(cursor.position.max(self.forgotten_to[signal.index()]));
        }
        for (pin, forgotten) in pins.iter_mut().zip(&self.forgotten_to) {
            *pin = if *pin == u64::MAX { *forgotten } else { *pin };
        }
        pins
    }

    /// What a lane gave up behind its head and no other lane wants.
    fn hole(&self, at: usize) -> Option<Hole> {
        let lane = &self.lanes[at];
        let (from, to) = lane.gap?;
        let others =
            self.lanes.iter().enumerate().filter(|(other, of)| *other != at && of.signal == lane.signal);
        let length = |(from, to): &(u64, u64)| to.saturating_sub(*from);
        let (from, mut to) = others.fold((from, to), |(from, to), (_, other)| {
            let below = (from, to.min(other.wanted.position));
            let inside = other.gap.map_or((0, 0), |gap| (from.max(gap.0), to.min(gap.1)));
            if length(&below) < length(&inside) { inside } else { below }
        });
        for ((_, signal), cursor) in &self.left.cursors {
            if *signal == lane.signal {
                to = to.min(cursor.position.max(self.forgotten_to[signal.index()]));
            }
        }
        (from < to).then_some((lane.signal, from, to))
    }

    /// Everything below is written or wanted by nobody; whether that is news.
    pub(crate) fn settle(&mut self, end: u64) -> bool {
        let news = end > self.written;
        self.written = self.written.max(end);
        self.taken = self.taken.max(end);
        for lane in &mut self.lanes {
            lane.kept.retain(|(position, _)| *position >= self.written);
        }
        news
    }

    /// A transaction is on disk; whom to wake.
    pub(crate) fn written(&mut self, taken: &Taken) -> Vec<Wake> {
        while let Some(pending) = self.pending.pop_front_if(|pending| pending.position < taken.end) {
            self.pending_items -= pending.items;
        }
        self.settle(taken.end);
        let mut wakes = Vec::new();
        for (at, _) in &taken.sheds {
            self.lanes[*at].sheds = false;
            wakes.push(self.lanes[*at].wake.clone());
        }
        for (at, cursor) in &taken.cursors {
            let lane = &mut self.lanes[*at];
            lane.written = Some(*cursor);
            if lane.waits && !lane.is_dirty() {
                lane.waits = false;
                wakes.push(lane.wake.clone());
            }
        }
        wakes
    }

    /// The file is another one: what was written is not in it.
    pub(crate) fn begin_anew(&mut self) {
        self.generation += 1;
        self.floor = self.written;
        self.is_over = false;
        for lane in &mut self.lanes {
            lane.written = None;
        }
    }

    /// Lanes that hold nothing need no row that is written.
    pub(crate) fn skip_idle(&mut self) {
        let end = Cursor::at(self.written);
        for lane in self.lanes.iter_mut().filter(|lane| lane.idle && lane.open) {
            lane.wanted = lane.wanted.max(end);
        }
    }
}

/// Writes rows and cursors and removes what nobody wants; where rows were written, how much the file holds.
pub(crate) fn run(
    opened: &mut Opened,
    taken: &Taken,
    pins: &Pins,
    removed: &Pins,
    encoder: &mut Encoder,
    shared: &Shared,
) -> Result<Option<u64>, Trouble> {
    let path = shared.path();
    let trouble = |cause: rusqlite::Error| failure::of(&path, &cause);
    let full = !taken.rows.is_empty() && shared.config.mode != Durability::Os;
    set_level(opened, if full { Level::Full } else { Level::Normal }).map_err(trouble)?;
    let connection = &mut opened.connection;
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(trouble)?;
    insert(&transaction, &taken.rows, encoder, shared).map_err(trouble)?;
    move_cursors(&transaction, &taken.cursors, shared).map_err(trouble)?;
    let removals = pins.iter().zip(removed).enumerate().filter(|(_, (pin, removed))| pin > removed);
    let mut less = false;
    for (signal, (pin, _)) in removals {
        let sql = "DELETE FROM log WHERE signal = ?1 AND position < ?2";
        let mut statement = transaction.prepare_cached(sql).map_err(trouble)?;
        less |= statement.execute(params![signal as i64, number(*pin)]).map_err(trouble)? > 0;
    }
    for (signal, from, to) in taken.sheds.iter().filter_map(|(_, hole)| *hole) {
        let sql = "DELETE FROM log WHERE signal = ?1 AND position >= ?2 AND position < ?3";
        let values = params![signal as i64, number(from), number(to)];
        less |= transaction.execute(sql, values).map_err(trouble)? > 0;
    }
    transaction.commit().map_err(trouble)?;
    if taken.rows.is_empty() && !less {
        return Ok(None);
    }
    used(connection).map(Some).map_err(trouble)
}

fn set_level(opened: &mut Opened, level: Level) -> rusqlite::Result<()> {
    if opened.level == Some(level) {
        return Ok(());
    }
    let name = match level {
        Level::Full => "FULL",
        Level::Normal => "NORMAL",
    };
    opened.connection.pragma_update(None, "synchronous", name)?;
    opened.level = Some(level);
    Ok(())
}

fn insert(
    transaction: &Transaction<'_>,
    rows: &[(u64, Timestamp, Batch)],
    encoder: &mut Encoder,
    shared: &Shared,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO log (position, signal, sealed_at, items, version, encoding, data)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let mut statement = transaction.prepare_cached(sql)?;
    for (position, sealed_at, batch) in rows {
        let (encoding, data) = encoder.encode(batch, &shared.config);
        statement.execute(params![
            number(*position),
            batch.signal() as i64,
            number(sealed_at.as_nanos()),
            batch.len() as i64,
            SCHEMA_VERSION,
            encoding as i64,
            data,
        ])?;
    }
    Ok(())
}

fn move_cursors(
    transaction: &Transaction<'_>,
    cursors: &[(usize, Cursor)],
    shared: &Shared,
) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO cursors (destination, signal, position, skip, moved_at)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    let mut statement = transaction.prepare_cached(sql)?;
    let now = number(shared.clock.now().as_nanos());
    let names: Vec<_> = {
        let state = shared.state();
        let lane = |(at, cursor): &(usize, Cursor)| {
            (state.lanes[*at].destination.clone(), state.lanes[*at].signal, *cursor)
        };
        cursors.iter().map(lane).collect()
    };
    for (destination, signal, cursor) in names {
        let (position, skip) = (number(cursor.position), number(cursor.skip));
        statement.execute(params![destination, signal as i64, position, skip, now])?;
    }
    Ok(())
}

/// How many bytes of the file hold something.
pub(crate) fn used(connection: &Connection) -> rusqlite::Result<u64> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let pages = number("PRAGMA page_count")? - number("PRAGMA freelist_count")?;
    Ok((pages * number("PRAGMA page_size")?).max(0) as u64)
}

/// Moves rows that cannot be read to the table `damaged`; returns how many records they were.
pub(crate) fn put_aside(connection: &mut Connection, rows: &[u64], path: &Path) -> Result<u64, Trouble> {
    let mut work = || -> rusqlite::Result<u64> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut records = 0;
        for position in rows {
            let position = number(*position);
            let sql = "SELECT coalesce(sum(items), 0) FROM log WHERE position = ?1";
            records += transaction.query_row(sql, [position], |row| row.get::<_, i64>(0))? as u64;
            let sql = "INSERT OR REPLACE INTO damaged SELECT * FROM log WHERE position = ?1";
            transaction.execute(sql, [position])?;
            transaction.execute("DELETE FROM log WHERE position = ?1", [position])?;
        }
        transaction.commit()?;
        Ok(records)
    };
    work().map_err(|cause| failure::of(path, &cause))
}

/// Gives up what lanes that are not open were still to get: what is older than `before`, or all of it.
pub(crate) fn forget(opened: &Opened, before: Option<Timestamp>, shared: &Shared) -> Result<(), Trouble> {
    let connection = &opened.connection;
    let from = {
        let state = shared.state();
        let mut from = [u64::MAX; Signal::COUNT];
        for ((_, signal), cursor) in &state.left.cursors {
            let known = &mut from[signal.index()];
            *known = (*known).min(cursor.position.max(state.forgotten_to[signal.index()]));
        }
        from
    };
    let work = || -> rusqlite::Result<()> {
        for signal in Signal::ALL {
            let sql = "SELECT coalesce(max(position) + 1, 0) FROM log WHERE signal = ?1 AND sealed_at < ?2";
            let before = before.map_or(i64::MAX, |before| number(before.as_nanos()));
            let end: i64 = connection.query_row(sql, params![signal as i64, before], |row| row.get(0))?;
            let sql = "SELECT coalesce(sum(items), 0) FROM log
                WHERE signal = ?1 AND position >= ?2 AND position < ?3";
            let from = number(from[signal.index()]);
            let count: i64 =
                connection.query_row(sql, params![signal as i64, from, end], |row| row.get(0))?;
            let mut state = shared.state();
            let known = &mut state.forgotten_to[signal.index()];
            *known = (*known).max(end as u64);
            state.forgotten += count as u64;
        }
        connection.execute_batch("PRAGMA incremental_vacuum")
    };
    work().map_err(|cause| failure::of(&shared.path(), &cause))
}

/// A number as SQLite has it; ours are below 2^63.
pub(crate) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
