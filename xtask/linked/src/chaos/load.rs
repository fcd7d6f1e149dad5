//! Load at a pace, and how long each call took.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use obs_core::{Error, Record, Signal};
use obs_pipeline::{Intake, Report, Terms};
use obs_queue::{DiskQueue, QueueConfig};
use quanta::{Clock, Instant};

use super::numbered;
use super::report::{Section, time};

/// How long single calls took.
#[derive(Debug, Default)]
pub(crate) struct Latencies(Vec<u64>);

impl Latencies {
    /// What a share of the calls did not exceed.
    pub(crate) fn quantile(&mut self, share: f64) -> Duration {
        self.0.sort_unstable();
        let at = (self.0.len() as f64 * share).ceil() as usize;
        Duration::from_nanos(self.0.get(at.saturating_sub(1)).copied().unwrap_or_default())
    }

    /// How many calls took longer than that.
    pub(crate) fn beyond(&self, limit: Duration) -> usize {
        self.0.iter().filter(|nanos| u128::from(**nanos) > limit.as_nanos()).count()
    }

    pub(crate) fn shown(&mut self) -> String {
        let [p50, p99, p999, max] = [0.5, 0.99, 0.999, 1.0].map(|share| time(self.quantile(share)));
        format!("p50 {p50}, p99 {p99}, p99.9 {p999}, max {max} of {} calls", self.0.len())
    }

    /// Tells them, the p99.9 with its limit.
    pub(crate) fn tell(&mut self, section: &mut Section, what: &str, limit: Duration) {
        let p999 = self.quantile(0.999);
        let beyond = self.beyond(limit);
        let shown = format!("{}; {beyond} beyond the limit", self.shown());
        section.goal(what, shown, format!("p99.9 ≤ {}", time(limit)), p999 <= limit);
    }
}

/// Records numbered events one after the other and times the calls.
#[derive(Debug)]
pub(crate) struct Recorder {
    intake: Intake,
    clock: Clock,
    pub(crate) next: u64,
    bytes: usize,
    signals: &'static [Signal],
    pub(crate) latencies: Latencies,
}

impl Recorder {
    /// From this number on, the signals in turns, with payloads of so many bytes.
    pub(crate) fn new(intake: Intake, next: u64, bytes: usize, signals: &'static [Signal]) -> Self {
        Self { intake, clock: Clock::new(), next, bytes, signals, latencies: Latencies::default() }
    }

    /// Records one and times the call.
    pub(crate) fn once(&mut self) {
        let record = self.make();
        let begin = self.clock.raw();
        numbered::put(&self.intake, record);
        self.latencies.0.push(self.clock.delta_as_nanos(begin, self.clock.raw()));
    }

    /// Records one; what is not timed takes no memory of ours.
    pub(crate) fn untimed(&mut self) {
        let record = self.make();
        numbered::put(&self.intake, record);
    }

    fn make(&mut self) -> Record {
        let signal = self.signals[self.next as usize % self.signals.len()];
        let record = numbered::record(self.next, signal, self.bytes, self.intake.clock().now());
        self.next += 1;
        record
    }

    /// Records so many a second and times the calls.
    pub(crate) fn paced(&mut self, rate: u64, lasting: Duration) {
        pace(rate, lasting, || self.once());
    }

    /// The same records at the same pace into a vector behind a mutex: the delays that are the machine's own.
    pub(crate) fn control(&mut self, rate: u64, lasting: Duration) -> Latencies {
        let room = (rate as f64 * lasting.as_secs_f64()) as usize;
        let (into, mut latencies) = (Mutex::new(Vec::with_capacity(room)), Latencies::default());
        pace(rate, lasting, || {
            let record = self.make();
            let begin = self.clock.raw();
            into.lock().unwrap_or_else(PoisonError::into_inner).push(record);
            latencies.0.push(self.clock.delta_as_nanos(begin, self.clock.raw()));
        });
        latencies
    }

    /// The latencies so far, to begin anew.
    pub(crate) fn take_latencies(&mut self) -> Latencies {
        std::mem::take(&mut self.latencies)
    }
}

/// Calls so often a second, in steps of a millisecond; what a busy machine delays is made up for.
pub(crate) fn pace(rate: u64, lasting: Duration, mut each: impl FnMut()) {
    let begin = Instant::now();
    let mut done = 0;
    loop {
        let passed = begin.elapsed().min(lasting);
        let due = (passed.as_secs_f64() * rate as f64) as u64;
        while done < due {
            each();
            done += 1;
        }
        if passed >= lasting {
            return;
        }
        pause(Duration::from_millis(1));
    }
}

/// Waits; nobody wakes a thread of ours sooner.
pub(crate) fn pause(lasting: Duration) {
    let begin = Instant::now();
    while let Some(left) = lasting.checked_sub(begin.elapsed()).filter(|left| !left.is_zero()) {
        std::thread::park_timeout(left);
    }
}

/// Waits until it is so, at most so long; returns how long it took.
pub(crate) fn until(at_most: Duration, mut so: impl FnMut() -> bool) -> Option<Duration> {
    let begin = Instant::now();
    loop {
        if so() {
            return Some(begin.elapsed());
        }
        if begin.elapsed() >= at_most {
            return None;
        }
        pause(Duration::from_millis(2));
    }
}

/// Opens a queue that a pipeline of this process may not have given back yet.
pub(crate) fn open_queue(config: &QueueConfig) -> Result<DiskQueue, Error> {
    let mut opened = DiskQueue::open(config.clone());
    until(Duration::from_secs(5), || {
        if opened.is_err() {
            opened = DiskQueue::open(config.clone());
        }
        opened.is_ok()
    });
    opened
}

/// The sum of a term over all signals of a destination.
pub(crate) fn total(report: &Report, destination: &str, term: impl Fn(&Terms) -> u64) -> u64 {
    let found = report.destination(destination);
    found.map_or(0, |found| found.signals.iter().map(|(_, terms)| term(terms)).sum())
}

/// How many records were made, and how many of them the intake had no room for.
pub(crate) fn recorded(report: &Report) -> (u64, u64) {
    let sums = report.intake.iter().map(|(_, terms)| (terms.recorded, terms.dropped.total()));
    sums.fold((0, 0), |(made, lost), (recorded, dropped)| (made + recorded, lost + dropped))
}
