//! What the handles of an instance hold together: its delivery, to the end.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use obs_pipeline::{Clock, Pipeline, Report, SyncReport};

use crate::readings::Readings;

/// How long a [`Guard`](crate::Guard), and the drop of the last handle of an instance, waits at most.
///
/// Five seconds, as OpenTelemetry's SDKs wait at shutdown.
pub(crate) const DROP_DEADLINE: Duration = Duration::from_secs(5);

/// The pipeline of an instance, and what waits before it; the last handle shuts both down.
pub(crate) struct Running {
    /// Its own drop finds it shut down, so it is built to wait for nothing then.
    pipeline: Pipeline,
    readings: Arc<Readings>,
}

impl Running {
    pub(crate) fn new(pipeline: Pipeline) -> Arc<Self> {
        let readings = Arc::new(Readings::new(pipeline.intake().clock().clone()));
        Arc::new(Self { pipeline, readings })
    }

    pub(crate) fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    pub(crate) fn readings(&self) -> &Arc<Readings> {
        &self.readings
    }

    pub(crate) fn flush(&self, deadline: Duration) -> Report {
        let left = left(deadline);
        let settled = self.settle(deadline);
        let mut report = self.pipeline.flush(left());
        report.complete &= settled;
        report
    }

    pub(crate) fn sync(&self, deadline: Duration) -> SyncReport {
        let left = left(deadline);
        let settled = self.settle(deadline);
        let mut report = self.pipeline.sync(left());
        if !settled {
            report.durable = false;
            report
                .reason
                .get_or_insert("judgements wait for their trace, whose reader does not answer".into());
        }
        report
    }

    pub(crate) fn shutdown(&self, deadline: Duration) -> Report {
        let left = left(deadline);
        if !self.pipeline.intake().is_closed() {
            self.settle(deadline);
            // Before the intake closes, so that they are delivered, or counted as what is not.
            self.readings.give_up();
        }
        self.pipeline.shutdown(left())
    }

    /// Delivers what judgements may wait for, then waits for them; `false` if some still wait.
    ///
    /// Each has a third of the time, and what it does not need is left to the next, so that a destination that hangs and a
    /// reader that does leave the last third to whatever comes then.
    fn settle(&self, deadline: Duration) -> bool {
        if self.readings.is_idle() {
            return true;
        }
        let third = deadline / 3;
        let left = left(third * 2);
        self.pipeline.flush(third);
        self.readings.settle(left())
    }
}

/// What is left of a time that begins now.
///
/// It is real time even where a test pauses the instance's clock: the promise is made to the caller.
fn left(of: Duration) -> impl Fn() -> Duration {
    let clock = Clock::system();
    move || of.saturating_sub(clock.monotonic())
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.pipeline.intake().is_closed() {
            self.shutdown(DROP_DEADLINE);
        }
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("pipeline", &self.pipeline).finish_non_exhaustive()
    }
}
