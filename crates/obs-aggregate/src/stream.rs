//! All series of one metric.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use obs_core::{Labels, Metric, MetricValue, Resource, Str, Temporality, Timestamp};

use crate::Refusal;
use crate::bounds::Shape;
use crate::identity::{Kind, MetricKey, sorted};
use crate::series::{Series, record};

/// The label, with the value `true`, of the series that takes what has no place of its own.
pub const OVERFLOW_LABEL: &str = "otel.metric.overflow";

static OVERFLOW: LazyLock<Labels> = LazyLock::new(|| Labels::from([(OVERFLOW_LABEL, "true")]));

/// All series of one metric.
#[derive(Debug)]
pub(crate) struct Stream {
    resource: Arc<Resource>,
    description: Option<Str>,
    shape: Shape,
    series: HashMap<Labels, Series>,
}

/// The interval that a view covers, and how its reader wants it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Interval {
    /// The end of the last committed view.
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) temporality: Temporality,
}

impl Stream {
    pub(crate) fn new(resource: &Arc<Resource>, shape: Shape) -> Self {
        Self { resource: Arc::clone(resource), description: None, shape, series: HashMap::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.series.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// Folds a record into its series; a new series counts from `since`.
    pub(crate) fn fold(&mut self, metric: &Metric, since: Timestamp, max: usize) -> Result<(), Refusal> {
        let labels = sorted(&metric.labels);
        match self.series.get_mut(labels.as_ref()) {
            Some(series) => series.take(metric, &self.shape, is_cumulative(metric)?, since)?,
            None => self.fold_new(metric, &labels, since, max)?,
        }
        if self.description.is_none() {
            self.description.clone_from(&metric.description);
        }
        Ok(())
    }

    /// Folds the first record of its labels: into a series of their own, or into the overflow.
    fn fold_new(
        &mut self,
        metric: &Metric,
        labels: &Labels,
        since: Timestamp,
        max: usize,
    ) -> Result<(), Refusal> {
        let cumulative = is_cumulative(metric)?;
        let overflows = *labels != *OVERFLOW && self.regular() + 1 >= max;
        if overflows && cumulative {
            return Err(Refusal::TooManySeries);
        }
        let labels = if overflows { &OVERFLOW } else { labels };
        if let Some(known) = self.series.get_mut(labels) {
            return known.take(metric, &self.shape, cumulative, since);
        }
        let mut series = Series::new(starts(metric, cumulative, since));
        series.take(metric, &self.shape, cumulative, since)?;
        self.series.insert(labels.clone(), series);
        Ok(())
    }

    /// Series but that of the overflow.
    fn regular(&self) -> usize {
        self.series.len() - usize::from(self.series.contains_key(&*OVERFLOW))
    }

    /// Appends the points that a view shows, by their labels, each with how many unsettled records it has.
    pub(crate) fn view(&mut self, key: &MetricKey, interval: Interval, out: &mut Vec<(Metric, usize)>) {
        let accumulates = accumulates(key.kind, interval.temporality);
        let idle_too = interval.temporality == Temporality::Cumulative;
        let temporality = if accumulates { Temporality::Cumulative } else { Temporality::Delta };
        let from = out.len();
        for (labels, series) in &mut self.series {
            series.view();
            let Some(point) = series.shown(accumulates, idle_too) else { continue };
            let records = point.records();
            let start = if accumulates { series.start() } else { interval.start };
            let span = (start.min(interval.end), interval.end);
            let mut metric = record(key, labels, point, span, temporality, self.description.as_ref());
            metric.resource = Arc::clone(&self.resource);
            out.push((metric, records));
        }
        out[from..].sort_by(|(a, _), (b, _)| a.labels.cmp(&b.labels));
    }

    /// Settles what the view showed, and forgets series that a whole interval had no record for.
    pub(crate) fn commit(&mut self, kind: Kind, temporality: Temporality, end: Timestamp) {
        let accumulates = accumulates(kind, temporality);
        let keeps = accumulates && !(kind == Kind::Gauge && temporality == Temporality::Delta);
        self.series.retain(|_, series| series.commit(accumulates, end) || keeps);
    }
}

/// Whether points of the kind count from the beginning for a reader of this temporality.
///
/// An up-down sum always does, as OpenTelemetry has it: a change alone says nothing of the level.
/// A gauge keeps its last value, so that a reading that comes late does not replace a newer one.
fn accumulates(kind: Kind, temporality: Temporality) -> bool {
    temporality == Temporality::Cumulative || matches!(kind, Kind::UpDown | Kind::Gauge)
}

/// Whether the record is an aggregated point that counts from the beginning.
fn is_cumulative(metric: &Metric) -> Result<bool, Refusal> {
    match (&metric.value, metric.temporality) {
        (MetricValue::Sum { .. } | MetricValue::Histogram(_) | MetricValue::ExpHistogram(_), temporality) => {
            temporality
                .map(|temporality| temporality == Temporality::Cumulative)
                .ok_or(Refusal::NoTemporality)
        }
        _ => Ok(false),
    }
}

/// When the count of a new series was zero: at the view before it, or where its first record says an earlier time.
fn starts(metric: &Metric, cumulative: bool, since: Timestamp) -> Timestamp {
    match metric.start {
        Some(start) if cumulative => start.min(since),
        _ => since,
    }
}
