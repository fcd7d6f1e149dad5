//! The place of the queue on a metric lane whose destination wants series.

use std::time::Duration;

use obs_aggregate::{AggregateConfig, Aggregator, ViewId};
use obs_core::{
    Batch, ByteSize, ErrorKind, HistogramForm, Limits, Receipt, Records, Rejection, Temporality, Timestamp,
};

use super::shares::Shares;
use crate::MetricsConfig;

/// The finest time of backends: two points of a series at one such time are refused by some.
const MILLISECOND: Duration = Duration::from_millis(1);

/// Folds records, and offers views of the series until one is delivered whole.
#[derive(Debug)]
pub(super) struct Series {
    aggregator: Aggregator,
    /// Since when something waits.
    since: Option<Duration>,
    view: Option<View>,
    /// When the last view ended.
    ended: Option<Timestamp>,
    /// How long after that the series are shown again without a new record.
    heartbeat: Option<Duration>,
    /// When the last attempt to deliver a view came back.
    shown: Option<Duration>,
}

/// A view on its way, cut into batches where it is larger than the limits.
#[derive(Debug)]
struct View {
    id: ViewId,
    points: usize,
    /// How many records are in the points that have settled.
    settled: usize,
    sent: usize,
    left: Batch,
    /// How many records each point that is left has.
    shares: Vec<usize>,
}

impl View {
    /// Settles the part on its way but for `left`; returns what that means in records.
    fn settle(&mut self, receipt: &Receipt, left: Batch) -> Receipt {
        let tail = self.left.slice(self.sent..self.left.len());
        let sent = std::mem::replace(&mut self.left, left);
        if receipt.settled() == 0 {
            self.left.join(tail);
            return Receipt::default();
        }
        let of_tail = self.shares.split_off(self.sent);
        let mut shares = Shares::of(&sent, &self.shares);
        self.shares = shares.take_left(&self.left);
        self.shares.extend(of_tail);
        self.left.join(tail);
        let (receipt, rest) = shares.in_records(receipt);
        if let Some(first) = self.shares.first_mut() {
            *first += rest;
        }
        self.settled += receipt.settled();
        receipt
    }
}

impl Series {
    /// The series of one destination, shown every `heartbeat` though there is nothing new; its options are checked before.
    pub(super) fn new(
        config: &MetricsConfig,
        temporality: Temporality,
        form: HistogramForm,
        heartbeat: Option<Duration>,
        start: Timestamp,
    ) -> Self {
        let config = config.aggregate(temporality, form, start);
        debug_assert!(config.is_ok(), "{config:?}");
        let config =
            config.unwrap_or_else(|_| AggregateConfig::new(temporality, start).with_histogram_form(form));
        let aggregator = Aggregator::new(config);
        Self { aggregator, since: None, view: None, ended: None, heartbeat, shown: None }
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

    /// The next part of the view on its way, or of a new one; `None` where there is no series at all.
    pub(super) fn peek(&mut self, limits: Limits, now: Timestamp) -> Option<Batch> {
        if self.view.is_none() {
            let now = self.ended.map_or(now, |ended| now.max(ended.saturating_add(MILLISECOND)));
            self.ended = Some(now);
            let view = self.aggregator.view(now);
            let left = Batch::Metrics(Records::from(view.metrics));
            let (points, shares) = (left.len(), view.shares);
            self.view = Some(View { id: view.id, points, settled: 0, sent: 0, left, shares });
        }
        self.view.take_if(|view| view.left.is_empty());
        let view = self.view.as_mut()?;
        let batch = view.left.slice(0..fitting(&view.left, limits));
        view.sent = batch.len();
        Some(batch)
    }

    /// Settles the part on its way but for `left`; returns what that means in records.
    ///
    /// A view of which nothing has settled is left to the next one; else its rest is tried again, since a part that
    /// arrived must not arrive twice.
    pub(super) fn commit(&mut self, receipt: &Receipt, left: Batch, now: Duration) -> Receipt {
        let Some(mut view) = self.view.take() else { return Receipt::default() };
        self.shown = Some(now);
        let settled = view.settle(receipt, left);
        if view.left.is_empty() {
            let records = self.aggregator.commit(view.id);
            debug_assert_eq!(records, view.settled, "every record of a view settles with its point");
            self.since = (self.pending() > 0).then_some(now);
        } else if view.left.len() < view.points {
            self.view = Some(view);
        }
        settled
    }

    /// Gives everything up: the points that have records nobody was told of, and how many records those are.
    pub(super) fn give_up(&mut self, now: Timestamp) -> (Batch, usize) {
        let records = self.pending();
        let mut points = Vec::new();
        let mut collect = |batch: &Batch, shares: &[usize]| {
            let Batch::Metrics(metrics) = batch else { return };
            let told = metrics.iter().zip(shares).filter(|(_, share)| **share > 0);
            points.extend(told.map(|(point, _)| point.clone()));
        };
        if let Some(view) = self.view.take() {
            collect(&view.left, &view.shares);
            self.aggregator.commit(view.id);
        }
        if self.aggregator.pending() > 0 {
            let now = self.ended.map_or(now, |ended| now.max(ended.saturating_add(MILLISECOND)));
            let view = self.aggregator.view(now);
            collect(&Batch::Metrics(Records::from(view.metrics)), &view.shares);
            self.aggregator.commit(view.id);
        }
        self.since = None;
        (Batch::Metrics(Records::from(points)), records)
    }

    /// How many folded records wait for their point to be delivered.
    pub(super) fn pending(&self) -> usize {
        self.aggregator.pending() - self.view.as_ref().map_or(0, |view| view.settled)
    }

    /// Whether a part of a view has settled, so that the rest must follow.
    pub(super) fn is_underway(&self) -> bool {
        self.view.is_some()
    }

    /// Since when something waits.
    pub(super) fn since(&self) -> Option<Duration> {
        self.since
    }

    /// When the series are shown again though nothing waits: no more often than they are where something does.
    pub(super) fn beats_at(&self, interval: Duration) -> Option<Duration> {
        let heartbeat = self.heartbeat?.max(interval);
        Some(self.shown?.saturating_add(heartbeat))
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
