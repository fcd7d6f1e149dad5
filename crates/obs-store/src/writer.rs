//! The one thread that writes.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;

use obs_core::{Error, ErrorKind, Failure, Reply, Timestamp};
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

use crate::file::Identity;
use crate::retention::{Pruned, Retention};
use crate::write::Write;
use crate::{StoreConfig, failure, schema};

mod removing;

/// Rows in one transaction; more wait for the next, so that nobody waits long for a commit.
const ROWS: usize = 4_096;

/// What the wall clock says.
pub(crate) type Clock = Box<dyn Fn() -> Timestamp + Send>;

/// Where the outcome of a job goes.
type Answer<T> = oneshot::Sender<Result<T, Failure>>;

/// What the thread is asked to do; jobs are done in order.
#[derive(Debug)]
pub(crate) enum Job {
    /// Puts rows in, and answers once they are committed.
    Write(Write, Answer<Reply>),
    /// Answers once all that was asked before is done.
    Flush(Answer<()>),
    /// Writes something harmless, and tells why the last removal failed, if it did.
    Check(Answer<Option<Box<str>>>),
    /// Removes what is too old or too much, all of it.
    Prune(Answer<Pruned>),
    /// Closes the database and ends.
    Close(Answer<()>),
}

/// The writing thread, as its exporter holds it; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Writer {
    path: PathBuf,
    jobs: Sender<Job>,
}

impl Writer {
    /// Opens the store and starts the thread.
    pub(crate) fn start(config: &StoreConfig, clock: Clock) -> Result<Self, Error> {
        let path = config.path.clone();
        let retention = Retention::new(config);
        let mut worker =
            Worker { config: config.clone(), open: None, retention, clock, next: None, not_removed: None };
        worker.open = Some(worker.reopen()?);
        let (jobs, inbox) = channel();
        let run = move || worker.run(&inbox);
        thread::Builder::new().name("obs-store".into()).spawn(run).map_err(|cause| {
            Error::without_records(
                ErrorKind::Io,
                format!("the thread that writes {} cannot start: {cause}", path.display()),
            )
        })?;
        Ok(Self { path: config.path.clone(), jobs })
    }

    /// Asks for something and waits for the answer; `None` once the thread has closed the database.
    pub(crate) async fn ask<T>(&self, job: impl FnOnce(Answer<T>) -> Job) -> Option<Result<T, Failure>> {
        let (answer, outcome) = oneshot::channel();
        self.jobs.send(job(answer)).ok()?;
        Some(outcome.await.unwrap_or_else(|_| Err(failure::writer_gone(&self.path))))
    }
}

struct Worker {
    config: StoreConfig,
    open: Option<(Connection, Identity)>,
    retention: Retention,
    clock: Clock,
    /// A job that was taken while looking for more to write.
    next: Option<Job>,
    /// Why the last attempt to remove what is too old or too much failed.
    not_removed: Option<Box<str>>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("config", &self.config).finish_non_exhaustive()
    }
}

/// What the thread wakes up for.
enum Wake {
    Job(Job),
    /// Nothing to do but to remove.
    Idle,
    /// The exporter is gone.
    Gone,
}

impl Worker {
    fn run(&mut self, inbox: &Receiver<Job>) {
        self.look();
        loop {
            match self.wait(inbox) {
                Wake::Job(Job::Write(write, answer)) => self.write(inbox, write, answer),
                Wake::Job(Job::Flush(answer)) => drop(answer.send(Ok(()))),
                Wake::Job(Job::Check(answer)) => {
                    let outcome = self.using(probe);
                    answer.send(outcome.map(|()| self.not_removed.clone())).ok();
                }
                Wake::Job(Job::Prune(answer)) => drop(answer.send(self.prune())),
                Wake::Job(Job::Close(answer)) => {
                    self.open = None;
                    answer.send(Ok(())).ok();
                    return;
                }
                Wake::Idle => self.look(),
                Wake::Gone => return,
            }
            self.remove_some();
        }
    }

    fn wait(&mut self, inbox: &Receiver<Job>) -> Wake {
        if let Some(job) = self.next.take() {
            return Wake::Job(job);
        }
        match self.patience() {
            None => inbox.recv().map_or(Wake::Gone, Wake::Job),
            Some(patience) => match inbox.recv_timeout(patience) {
                Ok(job) => Wake::Job(job),
                Err(RecvTimeoutError::Timeout) => Wake::Idle,
                Err(RecvTimeoutError::Disconnected) => Wake::Gone,
            },
        }
    }

    /// Writes in one transaction what is there, up to [`ROWS`].
    fn write(&mut self, inbox: &Receiver<Job>, write: Write, answer: Answer<Reply>) {
        let mut rows = write.len();
        let mut group = vec![(write, answer)];
        while rows < ROWS && self.next.is_none() {
            match inbox.try_recv() {
                Ok(Job::Write(write, answer)) => {
                    rows += write.len();
                    group.push((write, answer));
                }
                Ok(job) => self.next = Some(job),
                Err(_) => break,
            }
        }
        // Whoever gave up waiting will bring the records again.
        group.retain(|(_, answer)| !answer.is_closed());
        match self.transact(&group) {
            Ok(replies) => {
                for ((_, answer), reply) in group.into_iter().zip(replies) {
                    answer.send(Ok(reply)).ok();
                }
                self.look();
            }
            Err(failed) => {
                for (_, answer) in group {
                    answer.send(Err(failure::again(&failed))).ok();
                }
                // Removing may make the room that the write needs.
                self.look();
            }
        }
    }

    fn transact(&mut self, group: &[(Write, Answer<Reply>)]) -> Result<Vec<Reply>, Failure> {
        self.using(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let replies = group
                .iter()
                .map(|(write, _)| Ok(Reply { refused: write.run(&transaction)?, ..Reply::default() }))
                .collect::<rusqlite::Result<_>>()?;
            transaction.commit()?;
            Ok(replies)
        })
    }

    /// Uses the database, opened again if it was moved away or was in trouble.
    fn using<T>(&mut self, work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Result<T, Failure> {
        let known = self.open.take().filter(|(_, identity)| identity.holds());
        let (mut connection, identity) = if let Some(known) = known {
            known
        } else {
            let opened = self.reopen().map_err(|cause| failure::opening(&cause));
            opened.inspect_err(|failed| self.rest(failed))?
        };
        let outcome = work(&mut connection);
        let failed = outcome.as_ref().err().map(|cause| failure::of(&self.config.path, cause));
        // A connection that was in trouble may hold on to it; another one is tried the next time.
        match &failed {
            Some(failed) if failed.retry != obs_core::Retry::Backoff => self.rest(failed),
            _ => self.open = Some((connection, identity)),
        }
        match (outcome, failed) {
            (Ok(value), _) => Ok(value),
            (Err(cause), failed) => Err(failed.unwrap_or_else(|| failure::of(&self.config.path, &cause))),
        }
    }

    fn reopen(&self) -> Result<(Connection, Identity), Error> {
        let connection = schema::open(&self.config.path)?;
        let identity = Identity::of(&self.config.path).map_err(|cause| {
            failure::unusable(&self.config.path, "the file was taken away at once", &cause)
        })?;
        Ok((connection, identity))
    }
}

/// Writes without changing anything: the version of the tables, as it is.
fn probe(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    transaction.pragma_update(None, "user_version", version)?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use obs_core::{ErrorKind, Level, Log, Records, Retry};
    use rusqlite::limits::Limit;

    use super::*;

    /// A worker without its thread, whose connection `trouble` was made for.
    pub(super) fn worker(folder: &tempfile::TempDir, trouble: impl FnOnce(&Connection)) -> Worker {
        let config = StoreConfig::new(folder.path().join("obs.db"));
        let retention = Retention::new(&config);
        let mut worker = Worker {
            config,
            open: None,
            retention,
            clock: Box::new(Timestamp::default),
            next: None,
            not_removed: None,
        };
        let open = worker.reopen().unwrap();
        trouble(&open.0);
        worker.open = Some(open);
        worker
    }

    pub(super) fn log(bytes: usize) -> Log {
        Log::new(Timestamp::from_nanos(1), Level::Info, "x".repeat(bytes))
    }

    pub(super) fn rows(logs: Vec<Log>) -> Vec<(Write, Answer<Reply>)> {
        let records = Records::from(logs);
        let calls = crate::write::map(&records, Write::Logs).calls;
        calls.into_iter().map(|call| (call.request, oneshot::channel().0)).collect()
    }

    pub(super) fn count(worker: &Worker) -> i64 {
        let reader = schema::open_for_reading(&worker.config.path).unwrap();
        reader.query_row("SELECT count(*) FROM logs", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_full_disk_holds_writes_nothing_and_heals() {
        let folder = tempfile::tempdir().unwrap();
        let full = |connection: &Connection| {
            let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
            connection.query_row(&format!("PRAGMA max_page_count = {}", pages + 2), [], |_| Ok(())).unwrap();
        };
        let mut worker = worker(&folder, full);
        let much = rows((0..100).map(|_| log(5_000)).collect());
        let failed = worker.transact(&much).unwrap_err();
        assert_eq!(failed.kind, ErrorKind::Io);
        assert!(
            matches!(failed.retry, Retry::Hold(_)) && failed.message.contains("free some space"),
            "{failed:?}"
        );
        assert_eq!(count(&worker), 0, "half a batch would be there twice after a retry");
        worker.transact(&much).unwrap();
        assert_eq!(count(&worker), 100);
    }

    #[test]
    fn a_file_that_cannot_be_written_holds() {
        let folder = tempfile::tempdir().unwrap();
        let mut worker =
            worker(&folder, |connection| connection.execute_batch("PRAGMA query_only = ON").unwrap());
        let failed = worker.transact(&rows(vec![log(1)])).unwrap_err();
        assert!(matches!(failed.retry, Retry::Hold(_)) && failed.message.contains("writable"), "{failed:?}");
        assert!(worker.using(probe).is_ok(), "another connection is tried");
    }

    #[test]
    fn a_record_too_large_for_a_row_is_refused_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mut worker = worker(&folder, |connection| {
            connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, 10_000).unwrap();
        });
        let replies = worker.transact(&rows(vec![log(1), log(20_000), log(1)])).unwrap();
        let refused: Vec<_> = replies[0].refused.iter().map(|refused| (refused.at, refused.kind)).collect();
        assert_eq!(refused, [(1, ErrorKind::TooLarge)]);
        assert_eq!(count(&worker), 2);
    }

    #[test]
    fn one_transaction_takes_what_waits() {
        let folder = tempfile::tempdir().unwrap();
        let mut worker = worker(&folder, |_| {});
        let (jobs, inbox) = channel();
        let mut answers = Vec::new();
        for _ in 0..3 {
            for (write, _) in rows(vec![log(1), log(2)]) {
                let (answer, outcome) = oneshot::channel();
                jobs.send(Job::Write(write, answer)).unwrap();
                answers.push(outcome);
            }
        }
        for (write, given_up) in rows(vec![log(3)]) {
            jobs.send(Job::Write(write, given_up)).unwrap();
        }
        let (flushed, _) = oneshot::channel();
        jobs.send(Job::Flush(flushed)).unwrap();
        let Wake::Job(Job::Write(write, answer)) = worker.wait(&inbox) else { panic!("a write waits") };
        worker.write(&inbox, write, answer);
        assert!(answers.iter_mut().all(|answer| answer.try_recv().unwrap().is_ok()));
        assert_eq!(count(&worker), 6, "nobody waits for the seventh");
        assert!(matches!(worker.next, Some(Job::Flush(_))), "what is no write comes after");
    }
}
