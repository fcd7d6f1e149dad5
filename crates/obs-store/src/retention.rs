//! Removing what is too old or too much, in steps between which records can be written.

use std::time::Duration;

use obs_core::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use crate::StoreConfig;
use crate::row;

/// Traces removed in one step.
const TRACES: usize = 200;

/// Rows of one table removed in one step.
const ROWS: u32 = 5_000;

/// Free pages given back in one step.
const PAGES: u32 = 512;

/// Of `max_size`, what is left after removing: a tenth less, so that it is not done for every batch.
const KEPT_PERCENT: u64 = 90;

/// What retention removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Whole traces.
    pub traces: u64,
    /// Spans of those traces.
    pub spans: u64,
    /// Log records.
    pub logs: u64,
    /// Metric records.
    pub metrics: u64,
    /// Scores.
    pub scores: u64,
    /// Feedback.
    pub feedback: u64,
}

impl Pruned {
    /// Whether nothing was removed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn add(&mut self, other: Self) {
        self.traces += other.traces;
        self.spans += other.spans;
        self.logs += other.logs;
        self.metrics += other.metrics;
        self.scores += other.scores;
        self.feedback += other.feedback;
    }
}

/// When to remove what.
#[derive(Debug)]
pub(crate) struct Retention {
    max_age: Option<Duration>,
    max_size: Option<u64>,
    /// When to look at the age next; at once in the beginning.
    due: Timestamp,
    /// Whether a removal by size has not got far enough yet.
    shrinking: bool,
    sweep: Option<Sweep>,
    /// Nothing is begun before this, since something failed.
    not_before: Option<Timestamp>,
}

impl Retention {
    /// As the configuration says.
    pub(crate) fn new(config: &StoreConfig) -> Self {
        let max_size = config.max_size.map(obs_core::units::Bytes::get);
        Self {
            max_age: config.max_age,
            max_size,
            due: Timestamp::default(),
            shrinking: false,
            sweep: None,
            not_before: None,
        }
    }

    /// How often to look while nothing is written; `None` where nothing is ever removed.
    pub(crate) fn interval(&self) -> Option<Duration> {
        self.max_age.map(|age| (age / 20).clamp(Duration::from_secs(1), Duration::from_hours(1)))
    }

    /// Whether a removal is under way.
    pub(crate) fn is_busy(&self) -> bool {
        self.sweep.is_some()
    }

    /// Whether anything is ever removed.
    pub(crate) fn is_on(&self) -> bool {
        self.max_age.is_some() || self.max_size.is_some()
    }

    /// How long to wait before looking, while nothing is written and no removal is under way; never less than a
    /// second, `None` where nothing is ever removed by itself.
    pub(crate) fn patience(&self, now: Timestamp) -> Option<Duration> {
        let rest = self.not_before.map(|time| time.since(now).max(Duration::from_secs(1)));
        rest.or(self.interval())
    }

    /// Whether nothing is to be begun yet, since something failed; a rest that is over is forgotten.
    pub(crate) fn rests(&mut self, now: Timestamp) -> bool {
        self.not_before = self.not_before.filter(|time| now < *time);
        self.not_before.is_some()
    }

    /// Gives up what is under way, and begins anew at that time. Where it rests already, that time stays: writes that
    /// fail one after the other would put it off for ever.
    pub(crate) fn rest(&mut self, until: Timestamp) {
        if self.is_on() {
            let until = *self.not_before.get_or_insert(until);
            (self.sweep, self.shrinking, self.due) = (None, false, self.due.min(until));
        }
    }

    /// Begins to remove what is too old or too much now, if nothing is being removed already; whether it still rests
    /// is the caller's to ask.
    pub(crate) fn look(&mut self, connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
        if self.sweep.is_some() {
            return Ok(());
        }
        if let Some(age) = self.max_age.filter(|_| now >= self.due) {
            self.due = now.saturating_add(self.interval().unwrap_or_default());
            self.sweep = Some(Sweep::of(connection, row::count(now.saturating_sub(age).as_nanos()))?);
            return Ok(());
        }
        let Some(max_size) = self.max_size else { return Ok(()) };
        let limit = if self.shrinking { max_size / 100 * KEPT_PERCENT } else { max_size };
        self.shrinking = size(connection)? > limit;
        if self.shrinking {
            self.sweep = oldest_tenth(connection)?.map(|before| Sweep::of(connection, before)).transpose()?;
        }
        Ok(())
    }

    /// Removes all that is too old or too much now.
    pub(crate) fn run(&mut self, connection: &mut Connection, now: Timestamp) -> rusqlite::Result<Pruned> {
        let mut removed = Pruned::default();
        (self.due, self.sweep) = (now, None);
        loop {
            self.look(connection, now)?;
            let (by_size, before) = (self.shrinking, removed);
            if !self.is_busy() {
                return Ok(removed);
            }
            while self.is_busy() {
                removed.add(self.step(connection)?);
            }
            if by_size && removed == before {
                return Ok(removed);
            }
        }
    }

    /// Removes a bounded part of what is to go.
    pub(crate) fn step(&mut self, connection: &mut Connection) -> rusqlite::Result<Pruned> {
        let Some(mut sweep) = self.sweep.take() else { return Ok(Pruned::default()) };
        let pruned = sweep.step(connection)?;
        if matches!(sweep.phase, Phase::Done) {
            // What cannot be made smaller is left until there is more of it.
            self.shrinking &= !sweep.removed.is_empty();
        } else {
            self.sweep = Some(sweep);
        }
        Ok(pruned)
    }

    /// Whether to look once more, since a removal by size has ended and may not have been enough.
    pub(crate) fn wants_more(&self) -> bool {
        self.shrinking && self.sweep.is_none()
    }
}

/// Bytes of the database that hold something.
fn size(connection: &Connection) -> rusqlite::Result<u64> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let pages = number("PRAGMA page_count")? - number("PRAGMA freelist_count")?;
    Ok((pages * number("PRAGMA page_size")?) as u64)
}

/// The time before which a tenth of all traces and free records lie; `None` if there are none.
fn oldest_tenth(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    let mut times = String::from("SELECT max(start_ns) AS t FROM spans GROUP BY trace_id");
    for (table, with_trace) in TABLES {
        times =
            format!("{times} UNION ALL SELECT time_ns FROM {table} AS old WHERE true {}", alone(with_trace));
    }
    let all: i64 = connection.query_row(&format!("SELECT count(*) FROM ({times})"), [], |row| row.get(0))?;
    let sql = format!("SELECT t FROM ({times}) ORDER BY t LIMIT 1 OFFSET ?1");
    let time: Option<i64> = connection.query_row(&sql, [all / 10], |row| row.get(0)).optional()?;
    Ok(time.map(|time| time.saturating_add(1)))
}

/// One removal of everything before a time.
#[derive(Debug)]
struct Sweep {
    before: i64,
    phase: Phase,
    removed: Pruned,
}

#[derive(Debug)]
enum Phase {
    /// These traces, the oldest last.
    Traces(Vec<String>),
    /// The rows of the tables from this one on.
    Rows(usize),
    /// Giving free pages back.
    Vacuum,
    Done,
}

/// The tables whose rows go by their time, each with whether a row of a trace that is there stays with it.
const TABLES: [(&str, bool); 4] = [("logs", true), ("metrics", false), ("scores", true), ("feedback", true)];

impl Sweep {
    fn of(connection: &Connection, before: i64) -> rusqlite::Result<Self> {
        let sql = "SELECT trace_id FROM spans GROUP BY trace_id HAVING max(start_ns) < ?1 ORDER BY max(start_ns) DESC";
        let mut statement = connection.prepare_cached(sql)?;
        let traces = statement.query_map([before], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        Ok(Self { before, phase: Phase::Traces(traces), removed: Pruned::default() })
    }

    fn step(&mut self, connection: &mut Connection) -> rusqlite::Result<Pruned> {
        let mut pruned = Pruned::default();
        match &mut self.phase {
            Phase::Traces(left) => {
                let part = left.split_off(left.len().saturating_sub(TRACES));
                remove_traces(connection, &part, self.before, &mut pruned)?;
                if left.is_empty() {
                    self.phase = Phase::Rows(0);
                }
            }
            Phase::Rows(at) => {
                let (table, with_trace) = TABLES[*at];
                let count = remove_rows(connection, table, with_trace, self.before)?;
                match table {
                    "logs" => pruned.logs = count,
                    "metrics" => pruned.metrics = count,
                    "scores" => pruned.scores = count,
                    _ => pruned.feedback = count,
                }
                if count < u64::from(ROWS) {
                    *at += 1;
                    if *at == TABLES.len() {
                        self.phase = if self.removed.is_empty() && pruned.is_empty() {
                            Phase::Done
                        } else {
                            Phase::Vacuum
                        };
                    }
                }
            }
            Phase::Vacuum => {
                // It frees a page at every step.
                let mut vacuum = connection.prepare_cached(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
                let mut freed = vacuum.query([])?;
                while freed.next()?.is_some() {}
                let free: i64 = connection.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
                if free == 0 {
                    // The file itself shrinks when the log is written back.
                    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
                    self.phase = Phase::Done;
                }
            }
            Phase::Done => {}
        }
        self.removed.add(pruned);
        Ok(pruned)
    }
}

/// Removes these traces with all that belongs to them, but those that have grown since.
fn remove_traces(
    connection: &mut Connection,
    traces: &[String],
    before: i64,
    pruned: &mut Pruned,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for trace in traces {
        let sql = "SELECT max(start_ns) FROM spans WHERE trace_id = ?1";
        let last: Option<i64> = transaction.prepare_cached(sql)?.query_row([trace], |row| row.get(0))?;
        if last.is_none_or(|last| last >= before) {
            continue;
        }
        let remove = |table: &str| {
            let mut statement =
                transaction.prepare_cached(&format!("DELETE FROM {table} WHERE trace_id = ?1"))?;
            statement.execute([trace]).map(|count| count as u64)
        };
        pruned.add(Pruned {
            traces: 1,
            spans: remove("spans")?,
            logs: remove("logs")?,
            scores: remove("scores")?,
            feedback: remove("feedback")?,
            metrics: 0,
        });
    }
    transaction.commit()
}

/// The condition that a row of `old` stays with no trace.
const fn alone(with_trace: bool) -> &'static str {
    if with_trace {
        "AND (trace_id IS NULL OR NOT EXISTS (SELECT 1 FROM spans WHERE spans.trace_id = old.trace_id))"
    } else {
        ""
    }
}

/// Removes the first rows of a table that are older, at most [`ROWS`].
fn remove_rows(connection: &Connection, table: &str, with_trace: bool, before: i64) -> rusqlite::Result<u64> {
    let alone = alone(with_trace);
    let sql = format!(
        "DELETE FROM {table} WHERE rowid IN \
         (SELECT rowid FROM {table} AS old WHERE time_ns < ?1 {alone} LIMIT {ROWS})"
    );
    connection.prepare_cached(&sql)?.execute([before]).map(|count| count as u64)
}
