//! What obs tells of itself, where it is asked to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use obs_core::{Batch, Histogram, Labels, Metric, MetricValue, Signal, Str, Temporality, Timestamp};

use crate::collector::{Lanes, Sealed};
use crate::destination::Destination;
use crate::{BreakerState, DestinationReport, DestinationStats, Intake, SignalStats, Terms};

/// What a metric of [`SELF_METRICS`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SelfMetric {
    /// Its name.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// Its unit, in UCUM as OpenTelemetry has it.
    pub unit: &'static str,
    /// Its labels; one without a value is left out.
    pub labels: &'static [&'static str],
    /// What it measures.
    pub description: &'static str,
}

impl SelfMetric {
    const fn new(
        name: &'static str,
        kind: &'static str,
        unit: &'static str,
        labels: &'static [&'static str],
        description: &'static str,
    ) -> Self {
        Self { name, kind, unit, labels, description }
    }

    fn metric(&self, now: Timestamp, value: MetricValue, labels: Labels) -> Metric {
        let mut metric = Metric::new(now, self.name, value);
        metric.unit = Some(self.unit.into());
        metric.description = Some(self.description.into());
        metric.labels = labels;
        metric
    }
}

const RECORDS: SelfMetric = SelfMetric::new(
    "obs.destination.records",
    "counter",
    "{record}",
    &["destination", "signal", "outcome", "reason"],
    "What became of a destination's records.",
);
const EXPORT_DURATION: SelfMetric = SelfMetric::new(
    "obs.destination.export.duration",
    "histogram",
    "s",
    &["destination", "signal"],
    "How long one call of a destination's exporter takes.",
);
const QUEUE_RECORDS: SelfMetric = SelfMetric::new(
    "obs.destination.queue.records",
    "gauge",
    "{record}",
    &["destination"],
    "Records that wait for a destination.",
);
const QUEUE_BYTES: SelfMetric = SelfMetric::new(
    "obs.destination.queue.bytes",
    "gauge",
    "By",
    &["destination"],
    "Memory that the waiting records take.",
);
const BREAKER_STATE: SelfMetric = SelfMetric::new(
    "obs.destination.breaker.state",
    "gauge",
    "1",
    &["destination"],
    "The circuit breaker of a destination: 0 closed, 1 half open, 2 open.",
);

/// Every metric that a pipeline makes of itself, where it is asked to by [`crate::PipelineBuilder::self_metrics`].
pub const SELF_METRICS: [SelfMetric; 5] =
    [RECORDS, EXPORT_DURATION, QUEUE_RECORDS, QUEUE_BYTES, BREAKER_STATE];

/// Measures the destinations of a pipeline now and then, for one of them.
#[derive(Debug)]
pub(crate) struct SelfMetrics {
    /// The place among the destinations of the one that is told.
    to: usize,
    interval: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    due: Duration,
    /// When was told last.
    since: Option<Timestamp>,
    /// What was told of each count so far.
    counts: BTreeMap<Key, u64>,
    /// What was told of each distribution of times so far, by destination and signal.
    times: BTreeMap<(Box<str>, Signal), Histogram>,
}

/// A count: the destination, its signal, what became of the records, and why.
type Key = (Box<str>, Signal, &'static str, Box<str>);

impl SelfMetrics {
    pub(crate) fn new(to: usize, interval: Duration) -> Self {
        Self { to, interval: interval.max(Duration::from_secs(1)), state: Mutex::default() }
    }
}

impl Lanes {
    /// How long until the next measurement.
    pub(crate) fn until_self_metrics(&self, intake: &Intake) -> Duration {
        let Some(own) = &self.self_metrics else { return Duration::MAX };
        let due = own.state.lock().unwrap_or_else(PoisonError::into_inner).due;
        due.saturating_sub(intake.clock().monotonic()).max(Duration::from_millis(1))
    }

    /// Offers a measurement if it is time for one; `last` makes it so.
    pub(crate) fn tell_self_metrics(&self, intake: &Intake, last: bool) {
        let Some(own) = &self.self_metrics else { return };
        let now = intake.clock().monotonic();
        let mut state = own.state.lock().unwrap_or_else(PoisonError::into_inner);
        if now < state.due && !last {
            return;
        }
        state.due = now.saturating_add(own.interval);
        let metrics = state.measure(&self.destinations, intake.clock().at(now));
        drop(state);
        if let (Some(destination), false) = (self.destinations.get(own.to), metrics.is_empty()) {
            let books = intake.books();
            destination.offer_own(&Sealed::of(Batch::Metrics(metrics.into())), now);
            drop(books);
        }
    }
}

impl State {
    /// What has changed since the last measurement, and how things are now.
    fn measure(&mut self, destinations: &[Arc<Destination>], now: Timestamp) -> Vec<Metric> {
        let mut metrics = Vec::new();
        for destination in destinations {
            for report in destination.report() {
                self.counts(&report, now, &mut metrics);
            }
            let stats = destination.stats();
            gauges(&stats, now, &mut metrics);
            self.times(&stats, now, &mut metrics);
        }
        self.since = Some(now);
        metrics
    }

    fn counts(&mut self, report: &DestinationReport, now: Timestamp, metrics: &mut Vec<Metric>) {
        for (signal, terms) in report.signals.iter() {
            for (outcome, reason, count) in outcomes(terms) {
                let key = (report.name.clone(), signal, outcome, Box::from(reason));
                let told = self.counts.entry(key).or_default();
                let grown = count.saturating_sub(std::mem::replace(told, count));
                if grown == 0 {
                    continue;
                }
                let value = MetricValue::Add(grown as f64);
                let more = [("signal", signal.as_str()), ("outcome", outcome), ("reason", reason)];
                metrics.push(RECORDS.metric(now, value, labels(&report.name, &more)));
            }
        }
    }

    fn times(&mut self, stats: &DestinationStats, now: Timestamp, metrics: &mut Vec<Metric>) {
        for (signal, total) in stats.export.signals.iter().map(|(signal, of)| (signal, histogram(of))) {
            let told = self.times.entry((stats.name.clone(), signal)).or_default();
            let counts = total.counts.iter().enumerate();
            let grown = counts.map(|(at, count)| count - told.counts.get(at).copied().unwrap_or_default());
            let delta = Histogram {
                count: total.count - told.count,
                sum: total.sum - told.sum,
                min: None,
                max: None,
                bounds: total.bounds.clone(),
                counts: grown.collect(),
                exemplars: Vec::new(),
            };
            *told = total;
            if delta.count == 0 {
                continue;
            }
            let value = MetricValue::Histogram(Box::new(delta));
            let labels = labels(&stats.name, &[("signal", signal.as_str())]);
            let mut metric = EXPORT_DURATION.metric(now, value, labels);
            metric.start = Some(self.since.unwrap_or(now));
            metric.temporality = Some(Temporality::Delta);
            metrics.push(metric);
        }
    }
}

/// What became of records, and why, and how many.
fn outcomes(terms: &Terms) -> impl Iterator<Item = (&'static str, &str, u64)> {
    let plain = [
        ("offered", terms.offered),
        ("recovered", terms.recovered),
        ("delivered", terms.delivered),
        ("rejected", terms.rejected),
        ("dead_lettered", terms.dead_lettered),
        ("diverted", terms.diverted),
    ];
    let plain = plain.into_iter().map(|(outcome, count)| (outcome, "", count));
    let dropped = terms.dropped.iter().map(|(reason, count)| ("dropped", reason, count));
    let filtered = terms.filtered.iter().map(|(reason, count)| ("filtered", reason, count));
    plain.chain(dropped).chain(filtered)
}

fn histogram(of: &SignalStats) -> Histogram {
    Histogram {
        count: of.buckets.iter().sum(),
        sum: of.time.as_secs_f64(),
        min: None,
        max: None,
        bounds: Arc::from(SignalStats::BOUNDARIES.as_slice()),
        counts: of.buckets.to_vec(),
        exemplars: Vec::new(),
    }
}

fn gauges(stats: &DestinationStats, now: Timestamp, metrics: &mut Vec<Metric>) {
    let breaker = match stats.breaker {
        BreakerState::Closed => 0.0,
        BreakerState::HalfOpen => 1.0,
        BreakerState::Open { .. } => 2.0,
    };
    for (of, value) in [
        (QUEUE_RECORDS, stats.queue_records as f64),
        (QUEUE_BYTES, stats.queue_bytes as f64),
        (BREAKER_STATE, breaker),
    ] {
        metrics.push(of.metric(now, MetricValue::Gauge(value), labels(&stats.name, &[])));
    }
}

/// The destination's label and further ones, but for those without a value.
fn labels(destination: &str, more: &[(&'static str, &str)]) -> Labels {
    let all = std::iter::once(("destination", destination)).chain(more.iter().copied());
    all.filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name, Str::copied(value))).collect()
}
