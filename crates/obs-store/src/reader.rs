//! Reading back.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use async_trait::async_trait;
use obs_core::{Error, ErrorKind, Span, Trace, TraceId, TraceQuery, TraceReader, TraceSummary};
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params_from_iter};
use tokio::sync::{Semaphore, oneshot};

use crate::contains::Needle;
use crate::file::Identity;
use crate::{StoreConfig, failure, feedback, logs, query, schema, scores, traces};

/// How many threads read at a time for those who await, and how many connections stay open unused.
const READERS: usize = 8;

/// The reading side of a store; works while others write to it, and writes nothing itself.
///
/// The methods of [`TraceReader`] are async, run their work on a thread of their own, and need no runtime; eight such threads
/// run at a time, and further calls wait for one to end.
/// All others block, on the thread of the caller.
/// A clone shares its connections, of which eight stay open while nobody uses them, and the threads' number.
#[derive(Debug, Clone)]
pub struct StoreReader {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    /// Connections that nobody uses right now.
    idle: Mutex<Vec<(Connection, Identity)>>,
    /// The threads that may still start.
    threads: Arc<Semaphore>,
}

impl StoreReader {
    /// The store that the configuration names; what it says of removing has no meaning here.
    ///
    /// # Errors
    /// `Config` where there is no store, or one of another version, `Io` where it cannot be read.
    pub fn open(config: StoreConfig) -> Result<Self, Error> {
        config.validate()?;
        let reader = Self::at(config.path);
        reader.read(|_| Ok(()))?;
        Ok(reader)
    }

    /// As [`StoreReader::open`], looking at the file only when something is asked for.
    pub(crate) fn at(path: PathBuf) -> Self {
        let threads = Arc::new(Semaphore::new(READERS));
        Self { inner: Arc::new(Inner { path, idle: Mutex::default(), threads }) }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Everything known of a trace, or `None` if nothing is; blocks.
    ///
    /// # Errors
    /// `Config` where there is no store, `Io` where it cannot be read.
    pub fn find_trace(&self, id: TraceId) -> Result<Option<Trace>, Error> {
        self.read(|connection| find(connection, id))
    }

    /// Summaries of the traces that the query asks for, the latest first; blocks.
    ///
    /// # Errors
    /// As [`StoreReader::find_trace`].
    pub fn list_traces(&self, query: &TraceQuery) -> Result<Vec<TraceSummary>, Error> {
        self.read(|connection| list(connection, query))
    }

    /// Runs a query against one state of the database.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        let (mut connection, identity) = self.connection()?;
        let outcome = connection
            .transaction()
            .and_then(|transaction| work(&transaction))
            .map_err(|cause| failure::reading(self.path(), &cause))?;
        let mut idle = self.idle();
        if idle.len() < READERS {
            idle.push((connection, identity));
        }
        Ok(outcome)
    }

    fn connection(&self) -> Result<(Connection, Identity), Error> {
        loop {
            let known = self.idle().pop();
            match known {
                Some(known) if known.1.holds() => return Ok(known),
                // The file was replaced; the connection still reads the old one.
                Some(_) => {}
                None => return self.connect(),
            }
        }
    }

    fn connect(&self) -> Result<(Connection, Identity), Error> {
        let path = self.path();
        let identity = Identity::of(path)
            .map_err(|cause| failure::unusable(path, "there is no store to read", &cause))?;
        let connection = schema::open_for_reading(path)?;
        add_contains(&connection).map_err(|cause| failure::reading(path, &cause))?;
        Ok((connection, identity))
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(Connection, Identity)>> {
        self.inner.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs blocking work on a thread of its own, so that it needs no runtime and delays none.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let failed = |cause: &dyn std::fmt::Display| {
            let message = format!("{}: the thread that reads has failed: {cause}", self.path().display());
            Error::without_records(ErrorKind::Io, message)
        };
        // The thread has it to its end, also where nobody waits for that any more.
        let permit = Arc::clone(&self.inner.threads).acquire_owned().await.map_err(|cause| failed(&cause))?;
        let (answer, outcome) = oneshot::channel();
        let reader = self.clone();
        let run = move || {
            let _permit = permit;
            drop(answer.send(work(&reader)));
        };
        let started = thread::Builder::new().name("obs-store-read".into()).spawn(run);
        started.map_err(|cause| failed(&cause))?;
        outcome.await.unwrap_or_else(|cause| Err(failed(&cause)))
    }
}

#[async_trait]
impl TraceReader for StoreReader {
    async fn trace(&self, id: TraceId) -> Result<Option<Trace>, Error> {
        self.aside(move |reader| reader.find_trace(id)).await
    }

    async fn traces(&self, query: &TraceQuery) -> Result<Vec<TraceSummary>, Error> {
        let query = query.clone();
        self.aside(move |reader| reader.list_traces(&query)).await
    }
}

/// Adds `obs_contains(text, needle)`: whether a text holds another one, in any case.
fn add_contains(connection: &Connection) -> rusqlite::Result<()> {
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("obs_contains", 2, flags, |context| {
        let needle = context.get_or_create_aux(1, |needle| needle.as_str().map(Needle::new))?;
        Ok(match context.get_raw(0) {
            ValueRef::Text(text) => needle.is_in(&String::from_utf8_lossy(text)),
            _ => false,
        })
    })
}

fn rows<T>(
    connection: &Connection,
    sql: &str,
    id: &str,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare_cached(sql)?.query_map([id], read)?.collect()
}

fn find(connection: &Connection, id: TraceId) -> rusqlite::Result<Option<Trace>> {
    let hex = id.to_string();
    let by_time = |select: &str| format!("{select} WHERE trace_id = ?1 ORDER BY time_ns, rowid");
    let trace = Trace {
        trace_id: id,
        spans: spans(connection, traces::SELECT, &hex)?,
        logs: rows(connection, &by_time(logs::SELECT), &hex, logs::read)?,
        scores: rows(connection, &by_time(scores::SELECT), &hex, scores::read)?,
        feedback: rows(connection, &by_time(feedback::SELECT), &hex, feedback::read)?,
    };
    let Trace { spans, logs, scores, feedback, .. } = &trace;
    let nothing = spans.is_empty() && logs.is_empty() && scores.is_empty() && feedback.is_empty();
    Ok((!nothing).then_some(trace))
}

/// The spans of a trace by start time, each once: as it ended, else as it was written last.
fn spans(connection: &Connection, select: &str, id: &str) -> rusqlite::Result<Vec<Span>> {
    let sql = format!("{select} WHERE trace_id = ?1 ORDER BY start_ns, rowid");
    let mut spans: Vec<Span> = Vec::new();
    let mut known = HashMap::new();
    for span in rows(connection, &sql, id, traces::read)? {
        match known.entry(span.span_id) {
            Entry::Vacant(entry) => {
                entry.insert(spans.len());
                spans.push(span);
            }
            Entry::Occupied(entry) => {
                let at: usize = *entry.get();
                if span.end.is_some() || spans[at].end.is_none() {
                    spans[at] = span;
                }
            }
        }
    }
    spans.sort_by_key(|span| span.start);
    Ok(spans)
}

fn list(connection: &Connection, wanted: &TraceQuery) -> rusqlite::Result<Vec<TraceSummary>> {
    let limit = if wanted.limit == 0 { query::LIMIT } else { wanted.limit };
    let (sql, values) = query::candidates(wanted);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut candidates = statement.query(params_from_iter(values))?;
    let mut found = Vec::new();
    while found.len() < limit
        && let Some(row) = candidates.next()?
    {
        let hex: String = row.get(0)?;
        let mut trace = Trace::new(crate::row::Columns::new(row).parse()?);
        trace.spans = spans(connection, traces::SELECT_LIGHT, &hex)?;
        found.extend(trace.summary().filter(|summary| query::holds(wanted, summary)));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn law_2_host_is_safe_threads_and_connections_are_few_however_many_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("obs.db");
        drop(crate::StoreExporter::new(StoreConfig::new(&path)).unwrap());
        let reader = StoreReader::at(path);
        let [now, most] = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
        let reads: Vec<_> = (0..100)
            .map(|_| {
                let (reader, now, most) = (reader.clone(), Arc::clone(&now), Arc::clone(&most));
                tokio::spawn(async move {
                    let work = move |reader: &StoreReader| {
                        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        thread::park_timeout(Duration::from_millis(5));
                        let found = reader.find_trace(TraceId::new(1).unwrap());
                        now.fetch_sub(1, Ordering::SeqCst);
                        found
                    };
                    reader.aside(work).await
                })
            })
            .collect();
        for read in reads {
            assert!(read.await.unwrap().unwrap().is_none());
        }
        assert!(most.load(Ordering::SeqCst) <= READERS);
        let own: Vec<_> = (0..100).map(|_| reader.clone()).collect();
        let together = std::sync::Barrier::new(own.len());
        thread::scope(|scope| {
            for reader in &own {
                let read = || reader.read(|_| Ok(together.wait()));
                scope.spawn(move || read().unwrap());
            }
        });
        assert_eq!(reader.idle().len(), READERS);
    }
}
