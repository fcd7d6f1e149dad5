//! Counters that add up in place, for what is counted so often that a record each is too much.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use obs_core::{Labels, Metric, MetricValue, Signal, Signals};
use obs_pipeline::{Emit, Intake, Processor, Segment, Tick};

use crate::Counter;

/// A [`Counter`] whose labels are settled and whose increments are added up in place; see [`Counter::bind_summed`].
#[derive(Debug, Clone)]
pub struct SummedCounter(Arc<Cell>);

#[derive(Debug)]
struct Cell {
    intake: Intake,
    count: AtomicU64,
    counter: Counter,
    labels: Labels,
}

impl Counter {
    /// The counter with its labels settled, and its increments added up where they are made: a few nanoseconds each.
    ///
    /// Every few milliseconds, and for a flush, what has come together is recorded as one measurement; while nothing else
    /// is recorded, that may take ten seconds.
    /// So it has no trace, no exemplar and no time of its own, which [`Counter::bind`] keeps, and it counts whole numbers.
    pub fn bind_summed(&self, labels: impl Into<Labels>) -> SummedCounter {
        let meter = self.meter();
        let cell = Cell {
            intake: meter.intake.clone(),
            count: AtomicU64::new(0),
            counter: self.clone(),
            labels: labels.into(),
        };
        let cell = Arc::new(cell);
        meter.sums.cells().push(Arc::clone(&cell));
        SummedCounter(cell)
    }
}

impl SummedCounter {
    /// Adds to the count; nothing is counted while recording is off, or where nobody takes metrics.
    #[inline]
    pub fn add(&self, count: u64) {
        if self.0.intake.wants().contains(Signal::Metrics) {
            self.0.count.fetch_add(count, Ordering::Relaxed);
        }
    }
}

impl Cell {
    /// What has come together since the last time.
    fn drain(&self) -> Option<Metric> {
        let count = self.count.swap(0, Ordering::Relaxed);
        let value = MetricValue::Add(count as f64);
        (count > 0).then(|| self.counter.measurement(self.intake.clock().now(), value, self.labels.clone()))
    }
}

/// The counters of an instance that add up in place.
#[derive(Debug, Default)]
pub(crate) struct Sums(Mutex<Vec<Arc<Cell>>>);

impl Sums {
    fn cells(&self) -> MutexGuard<'_, Vec<Arc<Cell>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Records what has come together, at each pass of the collector.
#[derive(Debug)]
pub(crate) struct RecordSums(pub(crate) Arc<Sums>);

impl Processor for RecordSums {
    #[expect(clippy::unnecessary_literal_bound, reason = "the signature of the trait")]
    fn name(&self) -> &str {
        "summed_counters"
    }

    fn needs(&self) -> Signals {
        Signals::NONE
    }

    fn process(&mut self, _: &mut Segment, _: &mut Emit) {}

    fn tick(&mut self, _: &Tick, emit: &mut Emit) {
        self.0.cells().retain(|cell| {
            // Whoever drops a handle has counted before: what is seen as dropped first loses nothing when it is drained after.
            let is_held = Arc::strong_count(cell) > 1;
            if let Some(metric) = cell.drain() {
                emit.metric(metric);
            }
            is_held
        });
    }
}
