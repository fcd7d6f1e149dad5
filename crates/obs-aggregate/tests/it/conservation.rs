//! Law 1 for folded records: sums, counts and records are conserved.

use std::collections::{BTreeMap, BTreeSet};

use obs_aggregate::{AggregateConfig, Aggregator, ViewId};
use obs_core::{ExpBuckets, ExpHistogram, Histogram, Labels, Metric, MetricValue, Temporality, Timestamp};
use proptest::prelude::*;

use crate::buckets;

#[derive(Debug, Clone)]
enum Step {
    Fold { series: u8, amount: i16 },
    View,
    Commit,
    CommitAgain,
    CommitStale,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0u8..12, -300i16..300).prop_map(|(series, amount)| Step::Fold { series, amount }),
        3 => Just(Step::View),
        3 => Just(Step::Commit),
        1 => Just(Step::CommitAgain),
        1 => Just(Step::CommitStale),
    ]
}

const NAMES: [&str; 4] = ["counter", "open", "latency", "size"];
const LABELS: [&str; 3] = ["a", "b", "c"];

fn record(time: u64, series: u8, amount: i16) -> Metric {
    let value = match series % 4 {
        0 => MetricValue::Add(amount.into()),
        1 => MetricValue::UpDown(amount.into()),
        2 if amount % 3 == 0 => MetricValue::Histogram(Box::new(pair(amount))),
        3 if amount % 3 == 0 => MetricValue::ExpHistogram(Box::new(exponential_pair(amount))),
        _ => MetricValue::Sample(amount.into()),
    };
    let name = NAMES[usize::from(series % 4)];
    let mut metric = Metric::new(Timestamp::from_nanos(time), name, value);
    metric.labels = Labels::from([("l", LABELS[usize::from(series / 4)])]);
    if matches!(metric.value, MetricValue::Histogram(_) | MetricValue::ExpHistogram(_)) {
        metric.temporality = Some(Temporality::Delta);
    }
    metric
}

/// Two samples that somebody had counted with bounds of their own.
fn pair(amount: i16) -> Histogram {
    let bounds = if amount % 2 == 0 { [5.0, 100.0] } else { [0.0, 100.0] };
    let at = bounds.partition_point(|bound| *bound < f64::from(amount));
    let mut counts = vec![0; 3];
    counts[at] = 2;
    Histogram {
        count: 2,
        sum: 2.0 * f64::from(amount),
        bounds: bounds.into(),
        counts,
        ..Histogram::default()
    }
}

/// Two samples that somebody had counted at another scale: in the bucket above 1, or as zeros.
fn exponential_pair(amount: i16) -> ExpHistogram {
    let own = ExpHistogram { count: 2, sum: 2.0 * f64::from(amount), ..ExpHistogram::default() };
    let buckets = ExpBuckets { offset: i32::from(amount).rem_euclid(9), counts: vec![2] };
    match amount {
        0 => ExpHistogram { zero_count: 2, ..own },
        1.. => ExpHistogram { scale: i32::from(amount % 7), positive: buckets, ..own },
        _ => ExpHistogram { scale: i32::from(amount % 7), negative: buckets, ..own },
    }
}

/// Sum and count by series.
type Totals = BTreeMap<(String, String), (f64, u64)>;

fn add(totals: &mut Totals, metric: &Metric) {
    let key = (metric.name.to_string(), metric.labels[0].1.to_string());
    let (sum, count) = sum_and_count(&metric.value);
    let total = totals.entry(key).or_default();
    if metric.temporality == Some(Temporality::Cumulative) {
        *total = (sum, count);
    } else {
        *total = (total.0 + sum, total.1 + count);
    }
}

/// The totals of each metric, whatever series its records went to.
fn by_name(totals: &Totals) -> BTreeMap<&str, (f64, u64)> {
    let mut all: BTreeMap<&str, (f64, u64)> = BTreeMap::new();
    for ((name, _), (sum, count)) in totals {
        let total = all.entry(name).or_default();
        *total = (total.0 + sum, total.1 + count);
    }
    all
}

fn sum_of(value: &MetricValue) -> f64 {
    sum_and_count(value).0
}

fn sum_and_count(value: &MetricValue) -> (f64, u64) {
    match value {
        MetricValue::Add(value) | MetricValue::UpDown(value) | MetricValue::Sum { value, .. } => (*value, 0),
        MetricValue::Sample(value) => (*value, 1),
        MetricValue::Histogram(histogram) => {
            assert_eq!(histogram.counts.iter().sum::<u64>(), histogram.count);
            (histogram.sum, histogram.count)
        }
        MetricValue::ExpHistogram(histogram) => {
            let of = |buckets: &ExpBuckets| buckets.counts.iter().sum::<u64>();
            let all = of(&histogram.positive) + of(&histogram.negative) + histogram.zero_count;
            assert_eq!(all, histogram.count);
            (histogram.sum, histogram.count)
        }
        MetricValue::Gauge(_) => panic!("no gauge is recorded"),
    }
}

fn config(temporality: Temporality) -> AggregateConfig {
    AggregateConfig::new(temporality, Timestamp::default())
        .with_exponential("size")
        .expect("it has no bounds")
}

#[derive(Default)]
struct Run {
    /// All that was folded.
    folded: Totals,
    /// All that reached the reader in committed views.
    delivered: Totals,
    /// Where the committed delta of each series ended, and the last cumulative point of each.
    ends: BTreeMap<(String, String), Timestamp>,
    points: BTreeMap<(String, String), MetricValue>,
    records: usize,
    settled: usize,
    open: Option<(ViewId, Vec<Metric>)>,
    old: Vec<ViewId>,
}

impl Run {
    fn commit(&mut self, series: &mut Aggregator) {
        if let Some((id, metrics)) = self.open.take() {
            self.settled += series.commit(id);
            for metric in &metrics {
                add(&mut self.delivered, metric);
                self.follow(metric);
            }
            self.old.push(id);
        }
    }

    /// Holds a delivered point against the one of its series before.
    fn follow(&mut self, metric: &Metric) {
        let key = (metric.name.to_string(), metric.labels[0].1.to_string());
        let start = metric.start.expect("a sum or histogram has a start");
        assert!(start <= metric.time);
        let before = self.ends.insert(key.clone(), metric.time);
        if metric.temporality == Some(Temporality::Delta) {
            assert!(before.is_none_or(|end| end <= start), "deltas of {key:?} overlap");
        } else if let Some(before) = self.points.insert(key, metric.value.clone()) {
            buckets::never_fall(&before, &metric.value);
        }
    }

    fn take(&mut self, series: &mut Aggregator, time: u64, step: &Step) {
        match step {
            Step::Fold { series: which, amount } => {
                let metric = record(time, *which, *amount);
                let accepted = series.fold(&metric).is_ok();
                assert_eq!(accepted, which % 4 != 0 || *amount >= 0);
                if accepted {
                    add(&mut self.folded, &metric);
                    self.records += 1;
                }
            }
            Step::View => {
                let view = series.view(Timestamp::from_nanos(time));
                assert_eq!(view.records, series.pending());
                self.old.extend(self.open.take().map(|open| open.0));
                self.open = Some((view.id, view.metrics));
            }
            Step::Commit => self.commit(series),
            Step::CommitAgain => assert!(self.old.last().is_none_or(|id| series.commit(*id) == 0)),
            Step::CommitStale => assert!(self.old.first().is_none_or(|id| series.commit(*id) == 0)),
        }
        assert_eq!(self.records, self.settled + series.pending(), "after {step:?}");
    }
}

proptest! {
    #[test]
    fn law_1_accounting_sums_counts_and_records_survive_any_interleaving(
        steps in prop::collection::vec(step(), 0..60), cumulative in any::<bool>(), pace in 2u64..9,
        max in 1usize..6,
    ) {
        let temporality = if cumulative { Temporality::Cumulative } else { Temporality::Delta };
        let mut series = Aggregator::new(config(temporality).with_max_series(max));
        let mut run = Run::default();
        for (time, step) in steps.iter().enumerate() {
            run.take(&mut series, time as u64 / pace, step);
        }
        run.take(&mut series, 100, &Step::View);
        run.take(&mut series, 100, &Step::Commit);
        if max > LABELS.len() {
            prop_assert_eq!(&run.delivered, &run.folded);
        }
        prop_assert_eq!(by_name(&run.delivered), by_name(&run.folded));
        prop_assert!(series.series() <= NAMES.len() * max);
        prop_assert_eq!((run.settled, series.pending()), (run.records, 0));
    }

    #[test]
    fn law_1_accounting_sums_survive_the_overflow(steps in prop::collection::vec((0u8..12, 0i16..300), 0..40)) {
        let mut series = Aggregator::new(config(Temporality::Delta).with_max_series(2));
        let (mut folded, mut delivered) = (0.0, 0.0);
        for (which, amount) in steps {
            let record = record(1, which, amount);
            series.fold(&record).unwrap();
            folded += sum_of(&record.value);
        }
        prop_assert!(series.series() <= 8);
        for metric in series.view(Timestamp::from_nanos(2)).metrics {
            delivered += sum_of(&metric.value);
        }
        prop_assert_eq!(folded, delivered);
    }

    #[test]
    fn a_gauge_shows_the_latest_reading_by_its_own_time_whatever_was_delivered(
        steps in prop::collection::vec((0u8..8, 0u64..20), 0..60), cumulative in any::<bool>(),
    ) {
        let temporality = if cumulative { Temporality::Cumulative } else { Temporality::Delta };
        let mut series = Aggregator::new(config(temporality));
        let mut latest: BTreeMap<String, (u64, f64)> = BTreeMap::new();
        // Those with a reading that no commit has settled, those with one since the last view, and that view.
        let (mut fresh, mut later, mut open) = (BTreeSet::new(), BTreeSet::new(), None);
        for (at, (what, time)) in steps.into_iter().enumerate() {
            if let Some(label) = LABELS.get(usize::from(what)) {
                let value = at as f64;
                let mut reading =
                    Metric::new(Timestamp::from_nanos(time), "depth", MetricValue::Gauge(value));
                reading.labels = Labels::from([("l", *label)]);
                series.fold(&reading).unwrap();
                let known = latest.entry((*label).to_owned()).or_insert((time, value));
                if time >= known.0 {
                    *known = (time, value);
                }
                fresh.insert((*label).to_owned());
                later.insert((*label).to_owned());
            } else if what < 6 {
                let view = series.view(Timestamp::from_nanos(at as u64));
                let shown: BTreeMap<String, MetricValue> =
                    view.metrics.into_iter().map(|m| (m.labels[0].1.to_string(), m.value)).collect();
                let is_shown = |label: &&String| cumulative || fresh.contains(*label);
                let expected = latest.iter().filter(|(label, _)| is_shown(label));
                let expected: BTreeMap<String, MetricValue> =
                    expected.map(|(label, known)| (label.clone(), MetricValue::Gauge(known.1))).collect();
                prop_assert_eq!(shown, expected);
                open = Some(view.id);
                later.clear();
            } else if let Some(id) = open.take() {
                series.commit(id);
                // A delta reader forgets what a whole interval had no reading of.
                latest.retain(|label, _| cumulative || fresh.contains(label));
                fresh.clone_from(&later);
            }
        }
    }
}
