//! The fixtures as a lane would hand them to an exporter.

use obs_core::{Batch, Descriptor, Metric, MetricForm, MetricValue, SpanRecord, Temporality};

/// A batch as the pipeline hands it to an exporter of this descriptor.
///
/// Starts of spans are left out where they are not wanted, and where series are wanted, single measurements are.
pub fn input(batch: &Batch, descriptor: &Descriptor) -> Batch {
    match batch {
        Batch::Traces(spans) if !descriptor.wants_started() => {
            let ended = |record: &&SpanRecord| record.ended().is_some();
            Batch::Traces(spans.iter().filter(ended).cloned().collect())
        }
        Batch::Metrics(metrics) => match descriptor.metric_form() {
            MetricForm::Records => batch.clone(),
            MetricForm::Delta => {
                Batch::Metrics(metrics.iter().filter_map(|m| series(m, Temporality::Delta)).collect())
            }
            MetricForm::Cumulative => {
                Batch::Metrics(metrics.iter().filter_map(|m| series(m, Temporality::Cumulative)).collect())
            }
        },
        _ => batch.clone(),
    }
}

/// The batch in pieces within the descriptor's limits; a record that is larger stands alone.
pub fn cut(batch: &Batch, descriptor: &Descriptor) -> Vec<Batch> {
    let limits = descriptor.limits(batch.signal());
    let (mut pieces, mut from, mut bytes) = (Vec::new(), 0, 0usize);
    for at in 0..batch.len() {
        let size = batch.slice(at..at + 1).byte_size();
        if at > from && (at - from >= limits.items || bytes.saturating_add(size) > limits.bytes) {
            pieces.push(batch.slice(from..at));
            (from, bytes) = (at, 0);
        }
        bytes = bytes.saturating_add(size);
    }
    if from < batch.len() {
        pieces.push(batch.slice(from..batch.len()));
    }
    pieces
}

/// A point of a series with this temporality; a gauge is one as it stands.
fn series(metric: &Metric, temporality: Temporality) -> Option<Metric> {
    let mut point = metric.clone();
    match metric.value {
        MetricValue::Add(_) | MetricValue::UpDown(_) | MetricValue::Sample(_) => return None,
        MetricValue::Gauge(_) => {}
        MetricValue::Sum { .. } | MetricValue::Histogram(_) | MetricValue::ExpHistogram(_) => {
            point.temporality = Some(temporality);
        }
    }
    Some(point)
}
