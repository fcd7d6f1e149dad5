//! When the writing thread removes what is too old or too much, and when it waits.

use std::time::Duration;

use obs_core::Failure;

use super::Worker;
use crate::failure;
use crate::retention::{Pruned, Retention};

impl Worker {
    /// How long to wait for a job before removing; not at all while a removal is under way, `None` where nothing is
    /// ever removed by itself.
    pub(super) fn patience(&self) -> Option<Duration> {
        if self.is_removing() { Some(Duration::ZERO) } else { self.retention.patience((self.clock)()) }
    }

    /// Whether a removal is under way and can go on: without a connection it waits for one.
    fn is_removing(&self) -> bool {
        self.open.is_some() && self.retention.is_busy()
    }

    /// Begins to remove what is too old or too much, if it is time; what fails is tried the next time.
    pub(super) fn look(&mut self) {
        let now = (self.clock)();
        if self.retention.rests(now) || !self.reopen_after_trouble() {
            return;
        }
        if let Some((connection, _)) = &self.open {
            let outcome = self.retention.look(connection, now);
            self.note(outcome);
        }
    }

    /// Removes a bounded part of what is to go; what fails is tried the next time.
    pub(super) fn remove_some(&mut self) {
        if !self.retention.is_busy() {
            return;
        }
        if let Some((connection, _)) = &mut self.open {
            let outcome = self.retention.step(connection).map(drop);
            self.note(outcome);
        }
        if self.retention.wants_more() {
            self.look();
        }
    }

    /// Whether there is a connection to remove with, once what closed the last one is over. A file that was taken
    /// away is made again by the next record, not for a removal.
    fn reopen_after_trouble(&mut self) -> bool {
        if self.open.is_none() && self.retention.is_on() && self.config.path.exists() {
            match self.reopen() {
                Ok(open) => self.open = Some(open),
                Err(cause) => {
                    let failed = failure::opening(&cause);
                    self.rest(&failed);
                    self.not_removed = Some(failed.message);
                }
            }
        }
        self.open.is_some()
    }

    /// Remembers for `check` how the last removal went; after one that failed, the next has to wait.
    fn note(&mut self, outcome: rusqlite::Result<()>) {
        let failed = outcome.err().map(|cause| failure::of(&self.config.path, &cause));
        if let Some(failed) = &failed {
            self.rest(failed);
        }
        self.not_removed = failed.map(|failed| failed.message);
    }

    /// Removes nothing until there is hope that it works.
    pub(super) fn rest(&mut self, failed: &Failure) {
        let until = (self.clock)().saturating_add(failure::pause(failed));
        self.retention.rest(until);
    }

    pub(super) fn prune(&mut self) -> Result<Pruned, Failure> {
        let now = (self.clock)();
        let mut retention = std::mem::replace(&mut self.retention, Retention::new(&self.config));
        let outcome = self.using(|connection| retention.run(connection, now));
        self.retention = retention;
        if let Err(failed) = &outcome {
            self.rest(failed);
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use obs_core::Timestamp;

    use super::super::tests::{count, log, rows, worker};
    use super::*;
    use crate::StoreConfig;

    /// A worker with one record and a removal of it under way, on a disk where nothing can be written.
    fn stuck(folder: &tempfile::TempDir, limits: impl FnOnce(StoreConfig) -> StoreConfig) -> Worker {
        let mut worker = worker(folder, |_| {});
        worker.config = limits(worker.config);
        worker.retention = Retention::new(&worker.config);
        worker.transact(&rows(vec![log(1)])).unwrap();
        worker.clock = Box::new(|| Timestamp::from_nanos(9));
        worker.look();
        assert!(worker.retention.is_busy());
        query_only(&worker, "ON");
        worker
    }

    fn query_only(worker: &Worker, on: &str) {
        let (connection, _) = worker.open.as_ref().unwrap();
        connection.execute_batch(&format!("PRAGMA query_only = {on}")).unwrap();
    }

    /// How often the thread goes round before it waits, at most a hundred times.
    fn turns(worker: &mut Worker) -> usize {
        let turn = |_: &usize| {
            let turns = worker.patience() == Some(Duration::ZERO);
            if turns {
                worker.look();
                worker.remove_some();
            }
            turns
        };
        (0..100).take_while(turn).count()
    }

    fn old(config: StoreConfig) -> StoreConfig {
        config.with_max_age(Duration::from_nanos(1))
    }

    fn large(config: StoreConfig) -> StoreConfig {
        config.with_max_size(1)
    }

    #[test]
    fn a_removal_that_fails_is_told_and_tried_again_without_haste() {
        for limits in [large, old] {
            let folder = tempfile::tempdir().unwrap();
            let mut worker = stuck(&folder, limits);
            assert_eq!(turns(&mut worker), 1, "the thread goes round and round");
            assert!(worker.patience().is_some(), "it is tried again even if nothing is written");
            worker.look();
            let told = worker.not_removed.as_ref();
            assert!(told.is_some_and(|why| why.contains("writable")), "{told:?}");
            query_only(&worker, "OFF");
            worker.clock = Box::new(|| Timestamp::from_nanos(90_000_000_000));
            worker.look();
            assert!((2..100).contains(&turns(&mut worker)));
            assert_eq!((worker.not_removed.take(), count(&worker)), (None, 0));
        }
    }

    #[test]
    fn a_write_that_fails_during_a_removal_lets_the_thread_wait() {
        for limits in [large, old] {
            let folder = tempfile::tempdir().unwrap();
            let mut worker = stuck(&folder, limits);
            worker.transact(&rows(vec![log(1)])).unwrap_err();
            assert!(worker.open.is_none(), "the connection was in trouble");
            assert_eq!(turns(&mut worker), 0, "the thread goes round and round");
            assert!(worker.patience().is_some(), "it is tried again even if nothing is written");
            worker.clock = Box::new(|| Timestamp::from_nanos(90_000_000_000));
            worker.look();
            assert!(
                (2..100).contains(&turns(&mut worker)),
                "only a removal may make the room that a write needs"
            );
            assert_eq!((worker.not_removed.take(), count(&worker)), (None, 0));
        }
    }

    #[test]
    fn failures_in_a_row_neither_put_a_removal_off_nor_hurry_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut worker = stuck(&folder, large);
        let at = |worker: &mut Worker, seconds: u64| {
            worker.clock = Box::new(move || Timestamp::from_nanos(seconds * 1_000_000_000));
        };
        at(&mut worker, 100);
        worker.transact(&rows(vec![log(1)])).unwrap_err();
        std::fs::write(&worker.config.path, "something else").unwrap();
        at(&mut worker, 150);
        worker.transact(&rows(vec![log(1)])).unwrap_err();
        assert_eq!(worker.patience(), Some(Duration::from_secs(10)), "the first failure counts");
        at(&mut worker, 160);
        worker.look();
        assert!(worker.not_removed.is_some(), "it was tried");
        assert_eq!(worker.patience(), Some(Duration::from_mins(1)), "it failed anew");
        std::fs::remove_file(&worker.config.path).unwrap();
        at(&mut worker, 220);
        worker.look();
        assert_eq!(worker.patience(), None, "where no file is, nothing is to be removed");
        assert!(!worker.config.path.exists(), "the next record makes it");
    }
}
