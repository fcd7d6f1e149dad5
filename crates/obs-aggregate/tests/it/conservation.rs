//! Law 1 for folded records: sums, counts and records are conserved.

use std::collections::BTreeMap;

use obs_aggregate::{AggregateConfig, Aggregator, ViewId};
use obs_core::{Labels, Metric, MetricValue, Temporality, Timestamp};
use proptest::prelude::*;

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
        6 => (0u8..9, -300i16..300).prop_map(|(series, amount)| Step::Fold { series, amount }),
        3 => Just(Step::View),
        3 => Just(Step::Commit),
        1 => Just(Step::CommitAgain),
        1 => Just(Step::CommitStale),
    ]
}

const NAMES: [&str; 3] = ["counter", "open", "latency"];
const LABELS: [&str; 3] = ["a", "b", "c"];

fn record(time: u64, series: u8, amount: i16) -> Metric {
    let value = match series % 3 {
        0 => MetricValue::Add(amount.into()),
        1 => MetricValue::UpDown(amount.into()),
        _ => MetricValue::Sample(amount.into()),
    };
    let name = NAMES[usize::from(series % 3)];
    let mut metric = Metric::new(Timestamp::from_nanos(time), name, value);
    metric.labels = Labels::from([("l", LABELS[usize::from(series / 3)])]);
    metric
}

/// Sum and count by series.
type Totals = BTreeMap<(String, String), (f64, u64)>;

fn add(totals: &mut Totals, metric: &Metric) {
    let key = (metric.name.to_string(), metric.labels[0].1.to_string());
    let (sum, count) = match &metric.value {
        MetricValue::Add(value) | MetricValue::UpDown(value) | MetricValue::Sum { value, .. } => (*value, 0),
        MetricValue::Sample(value) => (*value, 1),
        MetricValue::Histogram(histogram) => {
            assert_eq!(histogram.counts.iter().sum::<u64>(), histogram.count);
            (histogram.sum, histogram.count)
        }
        other => panic!("{other:?}"),
    };
    let total = totals.entry(key).or_default();
    if metric.temporality == Some(Temporality::Cumulative) {
        *total = (sum, count);
    } else {
        *total = (total.0 + sum, total.1 + count);
    }
}

#[derive(Default)]
struct Run {
    /// All that was folded.
    folded: Totals,
    /// All that reached the reader in committed views.
    delivered: Totals,
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
            }
            self.old.push(id);
        }
    }

    fn take(&mut self, series: &mut Aggregator, time: u64, step: &Step) {
        match step {
            Step::Fold { series: which, amount } => {
                let metric = record(time, *which, *amount);
                let accepted = series.fold(&metric).is_ok();
                assert_eq!(accepted, which % 3 != 0 || *amount >= 0);
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
        steps in prop::collection::vec(step(), 0..60), cumulative in any::<bool>(), max in 2usize..9,
    ) {
        let temporality = if cumulative { Temporality::Cumulative } else { Temporality::Delta };
        let config = AggregateConfig::new(temporality, Timestamp::default()).with_max_series(9);
        let mut series = Aggregator::new(config);
        let mut run = Run::default();
        for (time, step) in steps.iter().enumerate() {
            run.take(&mut series, time as u64 / max as u64, step);
        }
        run.take(&mut series, 100, &Step::View);
        run.take(&mut series, 100, &Step::Commit);
        prop_assert_eq!(&run.delivered, &run.folded);
        prop_assert_eq!((run.settled, series.pending()), (run.records, 0));
    }

    #[test]
    fn sums_and_counts_survive_the_overflow(steps in prop::collection::vec((0u8..9, 0i16..300), 0..40)) {
        let config = AggregateConfig::new(Temporality::Delta, Timestamp::default()).with_max_series(2);
        let mut series = Aggregator::new(config);
        let (mut folded, mut delivered) = (0.0, 0.0);
        for (which, amount) in steps {
            series.fold(&record(1, which, amount)).unwrap();
            folded += f64::from(amount);
        }
        prop_assert!(series.series() <= 6);
        for metric in series.view(Timestamp::from_nanos(2)).metrics {
            delivered += match metric.value {
                MetricValue::Sum { value, .. } => value,
                MetricValue::Histogram(histogram) => histogram.sum,
                other => panic!("{other:?}"),
            };
        }
        prop_assert_eq!(folded, delivered);
    }
}
