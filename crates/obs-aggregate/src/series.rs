//! One series: what was delivered, what a view shows, and what came since.

use std::time::Duration;

use obs_core::{Labels, Metric, MetricValue, Str, Temporality, Timestamp};

use crate::Refusal;
use crate::bounds::Shape;
use crate::exemplars::Exemplars;
use crate::identity::{Kind, MetricKey};
use crate::input::{LastInput, increment};
use crate::point::{Point, Totals};

/// How long after its last cumulative point a delta reader's series is remembered, so that the next one counts from that.
///
/// It is longer than writers pause, since what comes back later counts whole, and short enough for the series of sources
/// that are gone to make room.
const MEMORY: Duration = Duration::from_hours(1);

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
    /// The view before that point came.
    heard: Timestamp,
}

/// A point, and the measurements that stand for it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Gathered {
    point: Point,
    exemplars: Exemplars,
    /// How many records are in it that no commit has settled.
    records: usize,
}

impl Gathered {
    /// A point that stands for what was told before.
    fn told(point: Point) -> Self {
        Self { point, exemplars: Exemplars::default(), records: 0 }
    }

    /// How many records are in it that no commit has settled.
    pub(crate) fn records(&self) -> usize {
        self.records
    }

    fn merge(&mut self, more: &Self) {
        self.point.merge(&more.point);
        self.exemplars.thin(&self.point);
        self.exemplars.merge(&more.exemplars, &self.point);
        self.records += more.records;
    }
}

impl Series {
    pub(crate) fn new(start: Timestamp) -> Self {
        Self { start, settled: None, viewed: None, fresh: None, last_input: None, heard: start }
    }

    /// Takes a record in after the view at `since`, whole or not at all; `cumulative` is one that counts from the beginning.
    pub(crate) fn take(
        &mut self,
        metric: &Metric,
        shape: &Shape,
        cumulative: bool,
        since: Timestamp,
    ) -> Result<(), Refusal> {
        if let (MetricValue::Sample(sample), Some(_)) = (&metric.value, &self.fresh) {
            self.check_room(Totals { count: 1, sum: *sample })?;
            self.observe(*sample, metric);
            return Ok(());
        }
        let point = Point::of(metric.time, &metric.value, shape)?;
        if cumulative {
            let monotonic = !matches!(metric.value, MetricValue::Sum { monotonic: false, .. });
            let told = self.last_input.as_ref().map(LastInput::time);
            let input = LastInput::new(metric.start, metric.time, point);
            let (grown, last) = increment(self.last_input.as_ref(), input, monotonic);
            self.check_room(grown.totals())?;
            self.last_input = last.or(self.last_input.take());
            self.heard = since;
            self.fold(grown, metric, told);
        } else {
            self.check_room(point.totals())?;
            self.fold(point, metric, None);
        }
        Ok(())
    }

    /// Whether the series has room for so much more, in whatever order views and commits then add it up.
    fn check_room(&self, more: Totals) -> Result<(), Refusal> {
        let of = |gathered: &Option<Gathered>| {
            gathered.as_ref().map_or(Totals::default(), |gathered| gathered.point.totals())
        };
        let settled = self.settled.as_ref().map_or(Totals::default(), Point::totals);
        let (viewed, fresh) = (of(&self.viewed), of(&self.fresh).plus(more)?);
        settled.plus(viewed.plus(fresh)?)?;
        settled.plus(viewed)?.plus(fresh)?;
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
            fresh => fresh.insert(Gathered::told(point)),
        };
        fresh.records += 1;
        fresh.exemplars.add_of(metric, since, &fresh.point);
    }

    /// Folds a finite sample where there is a point already, without making one of it.
    fn observe(&mut self, sample: f64, metric: &Metric) {
        let Some(fresh) = &mut self.fresh else { return };
        fresh.records += 1;
        if fresh.point.observe(sample) {
            fresh.exemplars.thin(&fresh.point);
        }
        fresh.exemplars.add_of(metric, None, &fresh.point);
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
                let mut all = Gathered::told(settled.clone());
                all.merge(viewed);
                Some(all)
            }
            (Some(settled), None) if idle_too => Some(Gathered::told(settled.clone())),
            (_, viewed) => viewed.clone(),
        }
    }

    /// Settles what the view showed that ended at `end`, and says whether there is anything to tell or to remember.
    pub(crate) fn commit(&mut self, accumulates: bool, end: Timestamp) -> bool {
        let Some(viewed) = self.viewed.take() else {
            let remembers = self.last_input.is_some() && end.since(self.heard) < MEMORY;
            return self.fresh.is_some() || remembers;
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
    Gathered { point, exemplars, .. }: Gathered,
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
