//! One series: what was delivered, what a view shows, and what came since.

use obs_core::{Labels, Metric, MetricValue, Str, Temporality, Timestamp};

use crate::Refusal;
use crate::bounds::Shape;
use crate::exemplars::Exemplars;
use crate::identity::{Kind, MetricKey};
use crate::input::{LastInput, increment};
use crate::point::Point;

/// One series.
///
/// A record goes into `fresh`; a view moves `fresh` into `viewed`; a commit settles `viewed`.
/// So a view that is never committed leaves all of its content to the next.
/// What is settled has no exemplars: those of a view were measured since the last commit.
#[derive(Debug)]
pub(crate) struct Series {
    /// When the count was zero.
    start: Timestamp,
    /// What committed views have shown; kept where points accumulate.
    settled: Option<Point>,
    viewed: Option<Gathered>,
    fresh: Option<Gathered>,
    /// The last cumulative point from elsewhere.
    last_input: Option<LastInput>,
}

/// A point, and the measurements that stand for it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Gathered {
    point: Point,
    exemplars: Exemplars,
}

impl Gathered {
    fn merge(&mut self, more: &Self) {
        self.point.merge(&more.point);
        self.exemplars.thin(&self.point);
        self.exemplars.merge(&more.exemplars, &self.point);
    }
}

impl Series {
    pub(crate) fn new(start: Timestamp) -> Self {
        Self { start, settled: None, viewed: None, fresh: None, last_input: None }
    }

    /// Takes a record in, whole or not at all; `cumulative` is one that counts from the beginning.
    pub(crate) fn take(&mut self, metric: &Metric, shape: &Shape, cumulative: bool) -> Result<(), Refusal> {
        if let MetricValue::Sample(sample) = metric.value
            && self.observe(sample, metric)
        {
            return Ok(());
        }
        let point = Point::of(metric.time, &metric.value, shape)?;
        if cumulative {
            let monotonic = !matches!(metric.value, MetricValue::Sum { monotonic: false, .. });
            let told = self.last_input.as_ref().map(LastInput::time);
            let grown = increment(&mut self.last_input, metric.start, metric.time, point, monotonic);
            self.fold(grown, metric, told);
        } else {
            self.fold(point, metric, None);
        }
        Ok(())
    }

    /// Folds the point of a record, and those exemplars of it that were made after `since`.
    fn fold(&mut self, point: Point, metric: &Metric, since: Option<Timestamp>) {
        let fresh = match &mut self.fresh {
            Some(fresh) => {
                fresh.point.merge(&point);
                if !matches!(point, Point::Sum(_) | Point::Gauge { .. }) {
                    fresh.exemplars.thin(&fresh.point);
                }
                fresh
            }
            fresh => fresh.insert(Gathered { point, exemplars: Exemplars::default() }),
        };
        fresh.exemplars.add_of(metric, since, &fresh.point);
    }

    /// Folds a sample where there is a point already, without making one of it; else says `false`.
    fn observe(&mut self, sample: f64, metric: &Metric) -> bool {
        let Some(fresh) = self.fresh.as_mut().filter(|_| sample.is_finite()) else { return false };
        if fresh.point.observe(sample) {
            fresh.exemplars.thin(&fresh.point);
        }
        fresh.exemplars.add_of(metric, None, &fresh.point);
        true
    }

    /// Shows what came since the last commit.
    pub(crate) fn view(&mut self) {
        match (&mut self.viewed, self.fresh.take()) {
            (Some(viewed), Some(fresh)) => viewed.merge(&fresh),
            (viewed @ None, fresh) => *viewed = fresh,
            (Some(_), None) => {}
        }
    }

    /// The point that the view shows; `None` if there is nothing to tell.
    pub(crate) fn shown(&self, accumulates: bool, idle_too: bool) -> Option<Gathered> {
        match (&self.settled, &self.viewed) {
            (Some(settled), Some(viewed)) if accumulates => {
                let mut all = Gathered { point: settled.clone(), exemplars: Exemplars::default() };
                all.merge(viewed);
                Some(all)
            }
            (Some(settled), None) if idle_too => {
                Some(Gathered { point: settled.clone(), exemplars: Exemplars::default() })
            }
            (_, viewed) => viewed.clone(),
        }
    }

    /// Settles what the view showed, and says whether there was or is anything to tell.
    pub(crate) fn commit(&mut self, accumulates: bool) -> bool {
        let Some(viewed) = self.viewed.take() else {
            return self.fresh.is_some() || self.last_input.is_some();
        };
        if accumulates {
            match &mut self.settled {
                Some(settled) => settled.merge(&viewed.point),
                settled => *settled = Some(viewed.point),
            }
        }
        true
    }

    pub(crate) fn start(&self) -> Timestamp {
        self.start
    }
}

/// The record of a point.
pub(crate) fn record(
    key: &MetricKey,
    labels: &Labels,
    Gathered { point, exemplars }: Gathered,
    interval: (Timestamp, Timestamp),
    temporality: Temporality,
    description: Option<&Str>,
) -> Metric {
    let mut exemplars = exemplars.into_vec();
    let value = match point {
        Point::Sum(value) => MetricValue::Sum { value, monotonic: key.kind == Kind::Counter },
        Point::Gauge { value, .. } => MetricValue::Gauge(value),
        Point::Histogram(mut histogram) => {
            histogram.exemplars = std::mem::take(&mut exemplars);
            MetricValue::Histogram(Box::new(histogram))
        }
        Point::Exponential(mut histogram) => {
            histogram.exemplars = std::mem::take(&mut exemplars);
            MetricValue::ExpHistogram(Box::new(histogram))
        }
    };
    let mut metric = Metric::new(interval.1, key.name.clone(), value);
    metric.exemplar = exemplars.pop();
    if key.kind != Kind::Gauge {
        metric.start = Some(interval.0);
        metric.temporality = Some(temporality);
    }
    metric.unit.clone_from(&key.unit);
    metric.description = description.cloned();
    metric.labels = labels.clone();
    metric
}
