//! The place of the queue on a metric lane whose destination wants series.

use std::time::Duration;

use obs_aggregate::{AggregateConfig, Aggregator, ViewId};
use obs_core::{Batch, ErrorKind, Limits, Receipt, Records, Rejection, Temporality, Timestamp};

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
    rejected: usize,
    sent: usize,
    left: Batch,
}

impl Series {
    pub(super) fn new(temporality: Temporality, start: Timestamp) -> Self {
        let aggregator = Aggregator::new(AggregateConfig::new(temporality, start));
        Self { aggregator, since: None, view: None }
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
            self.view = Some(View { id: view.id, points: left.len(), rejected: 0, sent: 0, left });
        }
        let view = self.view.as_mut()?;
        let batch = view.left.slice(0..limits.items.max(1));
        view.sent = batch.len();
        Some(batch)
    }

    /// Settles the part on its way but for `left`; returns what that means in records.
    ///
    /// A view of which nothing has settled is left to the next one; else its rest is tried again, since a part that
    /// arrived must not arrive twice.
    pub(super) fn commit(&mut self, receipt: &Receipt, left: Batch, now: Duration) -> Receipt {
        let Some(mut view) = self.view.take() else { return Receipt::default() };
        view.rejected += receipt.rejected_count();
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
            return in_records(records, view.points, view.rejected);
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

/// Rejected points as a share of the records behind the view, at least one where any point was rejected.
fn in_records(records: usize, points: usize, rejected: usize) -> Receipt {
    let rejected = (records * rejected).div_ceil(points.max(1)).min(records);
    let mut receipt = Receipt::delivered(records - rejected);
    if rejected > 0 {
        let empty = Batch::Metrics(Records::new());
        let reason = "the backend refused points of the series";
        let rejection = Rejection::of(empty, ErrorKind::Rejected, reason);
        receipt.rejected.push(Rejection { records: None, count: rejected, ..rejection });
    }
    receipt
}
