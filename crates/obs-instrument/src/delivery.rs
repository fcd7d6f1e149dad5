//! Delivering what is recorded, and what still waits for its trace.

use std::time::Duration;

use obs_pipeline::{Clock, Pipeline, Report, SyncReport};

use crate::Observability;
use crate::observability::DROP_DEADLINE;

impl Observability {
    /// Delivers what is recorded; blocks until done or the deadline, and says how it went.
    ///
    /// Judgements that wait for their trace are waited for, too: for half of the time they may go on looking, then they go
    /// out with what is known, unless a reader is still at work: then the flush is not complete.
    pub fn flush(&self, deadline: Duration) -> Report {
        let (mut report, settled) = self.settled(deadline, false, Pipeline::flush);
        report.complete &= settled;
        report
    }

    /// Does it once more for judgements that waited for their trace, which may have to be delivered first; says whether none waits
    /// any more. At the last time none does, unless a reader keeps its thread.
    fn settled<R>(
        &self,
        deadline: Duration,
        last: bool,
        deliver: impl Fn(&Pipeline, Duration) -> R,
    ) -> (R, bool) {
        let aside = self.instance().aside();
        if aside.is_idle() {
            return (deliver(self.pipeline(), deadline), true);
        }
        // Real time even where a test pauses the instance's clock: the promise is made to the caller.
        let clock = Clock::system();
        let left = || deadline.saturating_sub(clock.monotonic());
        self.pipeline().flush(left());
        // At the last time what was given up has to be delivered, too.
        let patience = if last { left() / 2 } else { left() / 4 * 3 };
        let settled = aside.settle(patience) || last && aside.give_up(left() / 2);
        (deliver(self.pipeline(), left()), settled)
    }

    /// Makes what is recorded durable where a lane has a durable queue; names the lanes that have none.
    pub fn sync(&self, deadline: Duration) -> SyncReport {
        let (mut synced, settled) = self.settled(deadline, false, Pipeline::sync);
        synced.report.complete &= settled;
        if !settled {
            synced.durable = false;
            synced.reason.get_or_insert_with(|| "judgements wait for their traces to be read".into());
        }
        synced
    }

    /// Stops recording and delivers the rest; blocks until done or the deadline, and says how it went.
    ///
    /// What is recorded afterwards, and spans that are still open, are ignored and not counted: end spans before.
    /// Judgements that still wait for their trace when half of the time is over go out with what is known.
    pub fn shutdown(&self, deadline: Duration) -> Report {
        let (mut report, settled) = self.settled(deadline, true, Pipeline::shutdown);
        report.complete &= settled;
        report
    }
}

impl Drop for Observability {
    /// The last handle waits for judgements that wait for their trace, which would find nobody to take them else.
    fn drop(&mut self) {
        if self.is_last() && !self.instance().aside().is_idle() {
            self.settled(DROP_DEADLINE, true, Pipeline::flush);
        }
    }
}
