//! The place of the queue on a metric lane whose destination wants series.

use std::time::Duration;

use obs_aggregate::{AggregateConfig, Aggregator, ViewId};
use obs_core::{
    Batch, ByteSize, Diverted, ErrorKind, HistogramForm, Limits, Receipt, Records, Rejection, Temporality,
    Timestamp,
};

use crate::MetricsConfig;

/// Folds records, and offers views of the series until one is delivered whole.
#[derive(Debug)]
pub(super) struct Series {
    aggregator: Aggregator,
    /// Since when something waits.
    since: Option<Duration>,
    view: Option<View>,
}

/// A view on its way, cut into batches where it is larger than the limits.
#[derive(Debug)]
struct View {
    id: ViewId,
    points: usize,
    /// What became of its points so far.
    settled: Receipt,
    sent: usize,
    left: Batch,
}

impl Series {
    /// The series of one destination; its options are checked before.
    pub(super) fn new(
        config: &MetricsConfig,
        temporality: Temporality,
        form: HistogramForm,
        start: Timestamp,
    ) -> Self {
        let config = config.aggregate(temporality, form, start);
        debug_assert!(config.is_ok(), "{config:?}");
        let config =
            config.unwrap_or_else(|_| AggregateConfig::new(temporality, start).with_histogram_form(form));
        Self { aggregator: Aggregator::new(config), since: None, view: None }
    }

    /// Folds the records; what cannot be folded is rejected.
    pub(super) fn fold(&mut self, batch: &Batch, now: Duration) -> Receipt {
        let mut receipt = Receipt::default();
        let Batch::Metrics(metrics) = batch else { return receipt };
        for (at, metric) in metrics.iter().enumerate() {
            if let Err(refusal) = self.aggregator.fold(metric) {
                let reason = format!("{}: {refusal}", metric.name);
                let record = Batch::Metrics(metrics.slice(at..at + 1));
                receipt.rejected.push(Rejection::of(record, ErrorKind::Rejected, reason));
            }
        }
        if self.pending() > 0 {
            self.since.get_or_insert(now);
        }
        receipt
    }

    /// The next part of the view on its way, or of a new one.
    pub(super) fn peek(&mut self, limits: Limits, now: Timestamp) -> Option<Batch> {
        if self.view.is_none() && self.pending() > 0 {
            let view = self.aggregator.view(now);
            let left = Batch::Metrics(Records::from(view.metrics));
            self.view =
                Some(View { id: view.id, points: left.len(), settled: Receipt::default(), sent: 0, left });
        }
        let view = self.view.as_mut()?;
        let batch = view.left.slice(0..fitting(&view.left, limits));
        view.sent = batch.len();
        Some(batch)
    }

    /// Settles the part on its way but for `left`; returns what that means in records.
    ///
    /// A view of which nothing has settled is left to the next one; else its rest is tried again, since a part that
    /// arrived must not arrive twice.
    pub(super) fn commit(&mut self, receipt: Receipt, left: Batch, now: Duration) -> Receipt {
        let Some(mut view) = self.view.take() else { return Receipt::default() };
        view.settled.absorb(receipt);
        let tail = view.left.slice(view.sent..view.left.len());
        view.left = left;
        let joined = view.left.append(tail);
        debug_assert!(joined.is_ok(), "a view is of metrics");
        if view.left.is_empty() {
            self.since = None;
            let records = self.aggregator.commit(view.id);
            if self.pending() > 0 {
                self.since = Some(now);
            }
            return in_records(records, &view.settled);
        }
        if view.left.len() < view.points {
            self.view = Some(view);
        }
        Receipt::default()
    }

    /// How many folded records wait for their view to be delivered.
    pub(super) fn pending(&self) -> usize {
        self.aggregator.pending()
    }

    /// Whether a part of a view has settled, so that the rest must follow.
    pub(super) fn is_underway(&self) -> bool {
        self.view.is_some()
    }

    /// Since when something waits.
    pub(super) fn since(&self) -> Option<Duration> {
        self.since
    }
}

/// How many of the first points fit into one batch: at least one.
fn fitting(points: &Batch, limits: Limits) -> usize {
    let Batch::Metrics(metrics) = points else { return 1 };
    let sizes = metrics.iter().take(limits.items).map(ByteSize::byte_size);
    let sums = sizes.scan(0usize, |sum, size| {
        *sum = sum.saturating_add(size);
        Some(*sum)
    });
    sums.take_while(|sum| *sum <= limits.bytes).count().max(1)
}

/// What became of the points of a view, as shares of the records behind it: at least one record where any point did not
/// arrive, the rest delivered.
fn in_records(records: usize, points: &Receipt) -> Receipt {
    let (all, mut left) = (points.settled().max(1), records);
    let mut share = |points: usize| {
        let share = (records * points).div_ceil(all).min(left);
        left -= share;
        share
    };
    let mut receipt = Receipt::default();
    for rejection in points.rejected.iter().filter(|rejection| rejection.count > 0) {
        let count = share(rejection.count);
        let reason = format!("the backend refused points of the series: {}", rejection.reason).into();
        receipt.rejected.push(Rejection { records: None, count, reason, ..rejection.clone() });
    }
    receipt.dead_lettered = share(points.dead_lettered);
    for diverted in &points.diverted {
        let receipt_there = in_records(share(diverted.receipt.settled()), &diverted.receipt);
        receipt.diverted.push(Diverted { to: diverted.to.clone(), receipt: receipt_there });
    }
    receipt.queued = share(points.queued);
    receipt.delivered = left;
    receipt
}

#[cfg(test)]
mod tests {
    use obs_core::{ErrorKind, Signal};
    use proptest::prelude::*;

    use super::*;

    fn points(delivered: usize, dead_lettered: usize, rejected: usize) -> Receipt {
        let none = Rejection::of(Batch::empty(Signal::Metrics), ErrorKind::Rejected, "no");
        Receipt {
            delivered,
            dead_lettered,
            rejected: vec![Rejection { count: rejected, ..none }],
            ..Receipt::default()
        }
    }

    #[test]
    fn a_view_is_cut_by_items_and_by_bytes() {
        let points: Vec<_> = (0..10)
            .map(|_| obs_core::Metric::new(Timestamp::default(), "n", obs_core::MetricValue::Gauge(1.0)))
            .collect();
        let one = points[0].byte_size();
        let all = Batch::Metrics(Records::from(points));
        for (items, bytes, expected) in
            [(4, usize::MAX, 4), (20, usize::MAX, 10), (20, 3 * one + 1, 3), (20, 1, 1), (0, 0, 1)]
        {
            assert_eq!(fitting(&all, Limits { items, bytes }), expected, "{items} items, {bytes} bytes");
        }
    }

    proptest! {
        #[test]
        fn law_1_accounting_of_points_in_records(
            records in 0usize..1_000, here in (0usize..9, 0usize..9, 0usize..9), there in (0usize..9, 0usize..9, 0usize..9),
        ) {
            let mut all = points(here.0, here.1, here.2);
            all.diverted.push(Diverted { to: "there".into(), receipt: points(there.0, there.1, there.2) });
            let settled = in_records(records, &all);
            prop_assert_eq!(settled.settled(), records);
            prop_assert!(here.2 == 0 || records == 0 || settled.rejected_count() > 0);
        }
    }
}
