//! One series: what was delivered, what a view shows, and what came since.

use obs_core::{Labels, Metric, MetricValue, Str, Temporality, Timestamp};

use crate::identity::{Kind, MetricKey};
use crate::input::LastInput;
use crate::point::Point;

/// One series.
///
/// A record goes into `fresh`; a view moves `fresh` into `viewed`; a commit settles `viewed`.
/// So a view that is never committed leaves all of its content to the next.
#[derive(Debug)]
pub(crate) struct Series {
    /// When the count was zero.
    start: Timestamp,
    /// What committed views have shown; kept where points accumulate.
    settled: Option<Point>,
    viewed: Option<Point>,
    fresh: Option<Point>,
    /// The last cumulative point from elsewhere.
    pub(crate) last_input: Option<LastInput>,
}

impl Series {
    pub(crate) fn new(start: Timestamp) -> Self {
        Self { start, settled: None, viewed: None, fresh: None, last_input: None }
    }

    pub(crate) fn fold(&mut self, point: &Point) {
        merge(&mut self.fresh, point);
    }

    /// Folds a sample where there is a point already, without making one of it; else says `false`.
    pub(crate) fn observe(&mut self, sample: f64) -> bool {
        sample.is_finite() && self.fresh.as_mut().is_some_and(|fresh| fresh.observe(sample))
    }

    /// Shows what came since the last commit.
    pub(crate) fn view(&mut self) {
        if let Some(fresh) = self.fresh.take() {
            merge(&mut self.viewed, &fresh);
        }
    }

    /// The point that the view shows; `None` if there is nothing to tell.
    pub(crate) fn shown(&self, accumulates: bool, idle_too: bool) -> Option<Point> {
        match (&self.settled, &self.viewed) {
            (Some(settled), Some(viewed)) if accumulates => {
                let mut point = settled.clone();
                point.merge(viewed);
                Some(point)
            }
            (Some(settled), None) if idle_too => Some(settled.clone()),
            (_, viewed) => viewed.clone(),
        }
    }

    /// Settles what the view showed, and says whether there was or is anything to tell.
    pub(crate) fn commit(&mut self, accumulates: bool) -> bool {
        let Some(viewed) = self.viewed.take() else {
            return self.fresh.is_some() || self.last_input.is_some();
        };
        if accumulates {
            merge(&mut self.settled, &viewed);
        }
        true
    }

    pub(crate) fn start(&self) -> Timestamp {
        self.start
    }
}

fn merge(into: &mut Option<Point>, point: &Point) {
    match into {
        Some(known) => known.merge(point),
        None => *into = Some(point.clone()),
    }
}

/// The record of a point.
pub(crate) fn record(
    key: &MetricKey,
    labels: &Labels,
    point: Point,
    interval: (Timestamp, Timestamp),
    temporality: Temporality,
    description: Option<&Str>,
) -> Metric {
    let value = match point {
        Point::Sum(value) => MetricValue::Sum { value, monotonic: key.kind == Kind::Counter },
        Point::Gauge { value, .. } => MetricValue::Gauge(value),
        Point::Histogram(histogram) => MetricValue::Histogram(Box::new(histogram)),
    };
    let mut metric = Metric::new(interval.1, key.name.clone(), value);
    if key.kind != Kind::Gauge {
        metric.start = Some(interval.0);
        metric.temporality = Some(temporality);
    }
    metric.unit.clone_from(&key.unit);
    metric.description = description.cloned();
    metric.labels = labels.clone();
    metric
}
