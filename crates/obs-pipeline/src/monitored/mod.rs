//! Measures what goes through.

mod alerts;
mod stats;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use obs_core::{Batch, Descriptor, Error, ErrorKind, Exporter, Health, Receipt, Signal};

pub use alerts::{Alert, AlertKind, Alerts};
pub use stats::{ExportStats, LastError, LastResult, LatencyStats, SignalStats};

use crate::rolling::Rolling;
use crate::{Clock, MonitorConfig, PerSignal};

/// How long latencies are remembered for percentiles: five minutes have enough exports of a quiet destination, too.
const MEMORY: Duration = Duration::from_mins(5);

/// Over how many of the last exports the success rate is.
const RATED: u32 = 100;

/// A decorator that measures every `export`, and changes nothing.
#[derive(Debug)]
pub struct Monitored<E> {
    inner: E,
    monitor: Monitor,
}

impl<E: Exporter> Monitored<E> {
    /// Measures what goes through `inner`, on this clock.
    pub fn new(inner: E, config: MonitorConfig, clock: Clock) -> Self {
        Self::sharing(inner, Monitor::new(config, clock))
    }

    /// Adds what goes through `inner` to what a monitor has measured: for the lanes of one destination.
    pub fn sharing(inner: E, monitor: Monitor) -> Self {
        Self { inner, monitor }
    }

    /// What reads the numbers.
    pub fn handle(&self) -> Monitor {
        self.monitor.clone()
    }
}

/// Reads what was measured of a destination; cloning shares it.
#[derive(Clone)]
pub struct Monitor(Arc<Shared>);

struct Shared {
    config: MonitorConfig,
    clock: Clock,
    state: Mutex<State>,
}

struct State {
    stats: ExportStats,
    latencies: Rolling,
    /// Bit 0 stands for the last export; set where it succeeded.
    outcomes: u128,
    last: Option<LastResult>,
    /// What went wrong last, with each signal and at all.
    trouble: Trouble,
}

/// What went wrong last.
#[derive(Debug, Default)]
struct Trouble {
    of: PerSignal<Option<LastError>>,
    last: Option<LastError>,
}

impl Monitor {
    /// Nothing is measured yet.
    pub fn new(config: MonitorConfig, clock: Clock) -> Self {
        let (stats, latencies) = (ExportStats::default(), Rolling::over(MEMORY));
        let state =
            Mutex::new(State { stats, latencies, outcomes: 0, last: None, trouble: Trouble::default() });
        Self(Arc::new(Shared { config, clock, state }))
    }

    /// The numbers up to now.
    pub fn stats(&self) -> ExportStats {
        let Shared { config, clock, .. } = &*self.0;
        let state = self.state();
        let mut stats = state.stats.clone();
        let tally = state.latencies.tally(clock.monotonic());
        let outcomes = state.outcomes & ((1 << RATED) - 1);
        drop(state);
        stats.latency = LatencyStats {
            count: tally.count,
            average: tally.average(),
            p50: tally.percentile(50),
            p95: tally.percentile(95),
            p99: tally.percentile(99),
        };
        if config.track_success_rate && stats.exports > 0 {
            stats.rated = u32::try_from(stats.exports).unwrap_or(RATED).min(RATED);
            let rate = f64::from(outcomes.count_ones()) / f64::from(stats.rated);
            stats.success_rate_percent = Some(rate * 100.0);
        }
        stats
    }

    pub(crate) fn failures_in_a_row(&self) -> u32 {
        self.state().stats.failures_in_a_row
    }

    /// What the last export that ended came to; `None` before the first.
    pub fn last_result(&self) -> Option<LastResult> {
        self.state().last.clone()
    }

    /// What went wrong last with a signal, or with another where nothing ever did with this one.
    ///
    /// What decorators above make of an error tells no reason: this is the one they had.
    pub(crate) fn last_error(&self, signal: Signal) -> Option<LastError> {
        let state = self.state();
        state.trouble.of.get(signal).as_ref().or(state.trouble.last.as_ref()).cloned()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, batch: &Batch) -> UnderWay<'_> {
        let size = if self.0.config.track_export_size { (batch.len(), batch.byte_size()) } else { (0, 0) };
        UnderWay {
            monitor: self,
            signal: batch.signal(),
            size,
            began: self.0.clock.monotonic(),
            ended: false,
        }
    }

    fn end(&self, export: &UnderWay<'_>, outcome: Outcome) {
        let Shared { config, clock, .. } = &*self.0;
        let now = clock.monotonic();
        let took = now.saturating_sub(export.began);
        let success = outcome.error.is_none();
        let (records, bytes) = (export.size.0 as u64, export.size.1 as u64);
        let mut state = self.state();
        let State { stats, latencies, outcomes, last, trouble } = &mut *state;
        let signal = stats.signals.get_mut(export.signal);
        stats.exports += 1;
        signal.exports += 1;
        stats.successes += u64::from(success);
        signal.successes += u64::from(success);
        stats.cancelled += u64::from(outcome.cancelled);
        stats.failures_in_a_row = if outcome.is_out { stats.failures_in_a_row.saturating_add(1) } else { 0 };
        stats.records += records;
        signal.records += records;
        stats.bytes += bytes;
        signal.bytes += bytes;
        *outcomes = *outcomes << 1 | u128::from(success);
        if config.track_export_latency {
            signal.add_time(took);
            latencies.add(took, !success, now);
        }
        if config.track_error_types {
            outcome.kinds.iter().for_each(|kind| stats.errors.add(kind.as_str(), 1));
        }
        let Outcome { delivered, rejected, error, .. } = outcome;
        if error.is_some() {
            trouble.of.get_mut(export.signal).clone_from(&error);
            trouble.last.clone_from(&error);
        }
        let at = clock.at(now);
        *last = Some(LastResult { at, signal: export.signal, delivered, rejected, took, error });
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor").field("config", &self.0.config).field("stats", &self.stats()).finish()
    }
}

/// What an export came to.
#[derive(Default)]
struct Outcome {
    cancelled: bool,
    /// Whether it failed, and not for its content.
    is_out: bool,
    delivered: usize,
    rejected: usize,
    kinds: Vec<ErrorKind>,
    error: Option<LastError>,
}

impl Outcome {
    fn of(result: &Result<Receipt, Error>) -> Self {
        let (receipt, error) = match result {
            Ok(receipt) => (receipt, None),
            Err(error) => (error.settled(), Some(error)),
        };
        let rejections = receipt.rejected.iter().filter(|rejection| rejection.count > 0);
        let failure = error.map(|error| (error.kind(), error.message()));
        let mut troubles =
            failure.into_iter().chain(rejections.map(|rejection| (rejection.kind, &*rejection.reason)));
        let kinds = troubles.clone().map(|(kind, _)| kind).collect();
        let first = troubles.next();
        let error = first.map(|(kind, message)| LastError { kind: Some(kind), message: message.into() });
        let (delivered, rejected) = (receipt.delivered, receipt.rejected_count());
        let is_out = result.as_ref().is_err_and(|error| !error.kind().is_content());
        Self { cancelled: false, is_out, delivered, rejected, kinds, error }
    }

    fn cut_short() -> Self {
        let panicked = std::thread::panicking();
        let kind = panicked.then_some(ErrorKind::Panic);
        let message = if panicked { "the exporter panicked" } else { "given up before it ended" }.into();
        let error = Some(LastError { kind, message });
        Self {
            cancelled: !panicked,
            is_out: !panicked,
            kinds: kind.into_iter().collect(),
            error,
            ..Self::default()
        }
    }
}

/// An export that is under way; counted as cancelled where it is dropped before its end.
struct UnderWay<'a> {
    monitor: &'a Monitor,
    signal: Signal,
    size: (usize, usize),
    began: Duration,
    ended: bool,
}

impl UnderWay<'_> {
    fn end(mut self, result: &Result<Receipt, Error>) {
        self.ended = true;
        self.monitor.end(&self, Outcome::of(result));
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.monitor.end(self, Outcome::cut_short());
        }
    }
}

#[async_trait]
impl<E: Exporter> Exporter for Monitored<E> {
    fn descriptor(&self) -> &Descriptor {
        self.inner.descriptor()
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        if batch.is_empty() {
            return self.inner.export(batch).await;
        }
        let under_way = self.monitor.begin(batch);
        let result = self.inner.export(batch).await;
        under_way.end(&result);
        result
    }

    async fn check(&self) -> Health {
        self.inner.check().await
    }

    async fn flush(&self) -> Result<(), Error> {
        self.inner.flush().await
    }

    async fn shutdown(&self) -> Result<(), Error> {
        self.inner.shutdown().await
    }
}
