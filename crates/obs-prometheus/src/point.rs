//! What a record adds to its series.

use std::sync::Arc;

use obs_aggregate::Refusal;
use obs_core::{Exemplar, ExpHistogram, Histogram, Metric, MetricValue, SpanRef, Temporality, Timestamp};

use crate::exponential::{self, ascending};
use crate::units::Scale;

/// What kind of series a record belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Counter,
    UpDown,
    Gauge,
    Histogram,
    Exponential,
}

impl Kind {
    pub(crate) fn of(value: &MetricValue) -> Self {
        match value {
            MetricValue::Add(_) | MetricValue::Sum { monotonic: true, .. } => Self::Counter,
            MetricValue::UpDown(_) | MetricValue::Sum { monotonic: false, .. } => Self::UpDown,
            MetricValue::Gauge(_) => Self::Gauge,
            MetricValue::Sample(_) | MetricValue::Histogram(_) => Self::Histogram,
            MetricValue::ExpHistogram(_) => Self::Exponential,
        }
    }

    /// The kind that a family has: its histograms are shown as one, whatever they count in.
    pub(crate) fn of_family(self) -> Self {
        if self == Self::Exponential { Self::Histogram } else { self }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::UpDown => "up-down counter",
            Self::Gauge => "gauge",
            Self::Histogram | Self::Exponential => "histogram",
        }
    }
}

/// A value, how it joins its series, and when it was.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Point {
    pub(crate) value: Value,
    pub(crate) feed: Feed,
    pub(crate) time: Timestamp,
}

/// How points join their series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feed {
    /// Each adds to what is there: measurements and deltas.
    Adds,
    /// The latest stands for all before it: gauges and cumulative points.
    Replaces,
}

/// What a series holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Number {
        value: f64,
        exemplar: Option<Sampled>,
    },
    Histogram(Buckets),
    /// It is shown under explicit bounds.
    Exponential(Box<ExpHistogram>),
}

/// Buckets with explicit upper bounds, one more count than bounds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Buckets {
    pub(crate) bounds: Arc<[f64]>,
    pub(crate) counts: Vec<u64>,
    pub(crate) sum: f64,
    /// At most one a bucket.
    pub(crate) exemplars: Vec<Sampled>,
}

/// A measurement that stands for others, with the span it was made under.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sampled {
    pub(crate) value: f64,
    pub(crate) time: Timestamp,
    pub(crate) span: SpanRef,
}

impl Sampled {
    fn of(exemplar: &Exemplar, metric: &Metric, own: Option<f64>) -> Option<Self> {
        let value = exemplar.value.or(own).filter(|value| value.is_finite())?;
        Some(Self { value, time: exemplar.time.unwrap_or(metric.time), span: exemplar.span })
    }
}

impl Point {
    /// The point of a record; `bounds` are those of a sample's histogram.
    pub(crate) fn of(metric: &Metric, bounds: impl FnOnce() -> Arc<[f64]>) -> Result<Self, Refusal> {
        let feed = match &metric.value {
            MetricValue::Gauge(_) => Feed::Replaces,
            MetricValue::Add(_) | MetricValue::UpDown(_) | MetricValue::Sample(_) => Feed::Adds,
            _ => match metric.temporality {
                Some(Temporality::Cumulative) => Feed::Replaces,
                Some(Temporality::Delta) => Feed::Adds,
                None => return Err(Refusal::NoTemporality),
            },
        };
        Ok(Self { value: value(metric, feed, bounds)?, feed, time: metric.time })
    }
}

fn value(metric: &Metric, feed: Feed, bounds: impl FnOnce() -> Arc<[f64]>) -> Result<Value, Refusal> {
    match &metric.value {
        MetricValue::Gauge(value) => Ok(Value::Number { value: *value, exemplar: None }),
        MetricValue::Add(value) | MetricValue::Sum { value, monotonic: true } => {
            if value.is_nan() || feed == Feed::Adds && value.is_infinite() {
                return Err(Refusal::NotFinite);
            }
            if *value < 0.0 {
                return Err(Refusal::Negative);
            }
            let own = matches!(metric.value, MetricValue::Add(_)).then_some(*value);
            let exemplar = metric.exemplar.as_ref().and_then(|found| Sampled::of(found, metric, own));
            Ok(Value::Number { value: *value, exemplar })
        }
        MetricValue::UpDown(value) | MetricValue::Sum { value, monotonic: false } => {
            let fits = if feed == Feed::Adds { value.is_finite() } else { !value.is_nan() };
            fits.then_some(Value::Number { value: *value, exemplar: None }).ok_or(Refusal::NotFinite)
        }
        MetricValue::Sample(value) => {
            if !value.is_finite() {
                return Err(Refusal::NotFinite);
            }
            let bounds = bounds();
            let mut counts = vec![0; bounds.len() + 1];
            counts[bounds.partition_point(|upper| upper < value)] = 1;
            let found = metric.exemplar.as_ref();
            let exemplars = found.and_then(|found| Sampled::of(found, metric, Some(*value)));
            Ok(Value::Histogram(Buckets {
                bounds,
                counts,
                sum: *value,
                exemplars: exemplars.into_iter().collect(),
            }))
        }
        MetricValue::Histogram(histogram) => explicit(metric, histogram).map(Value::Histogram),
        MetricValue::ExpHistogram(histogram) => exponential(metric, histogram),
    }
}

/// An exponential histogram whose parts fit together.
fn exponential(metric: &Metric, histogram: &ExpHistogram) -> Result<Value, Refusal> {
    if exponential::explicit(histogram).is_none() {
        return Err(Refusal::Malformed);
    }
    if histogram.sum.is_nan() {
        return Err(Refusal::NotFinite);
    }
    let mut histogram = histogram.clone();
    for exemplar in &mut histogram.exemplars {
        exemplar.time = exemplar.time.or(Some(metric.time));
    }
    Ok(Value::Exponential(Box::new(histogram)))
}

/// The buckets of a histogram whose counts, bounds and total fit together.
fn explicit(metric: &Metric, histogram: &Histogram) -> Result<Buckets, Refusal> {
    let Histogram { count, sum, bounds, counts, exemplars, .. } = histogram;
    let total = counts.iter().try_fold(0u64, |total, count| total.checked_add(*count));
    let mut counts = counts.clone();
    if counts.is_empty() && bounds.is_empty() {
        counts.push(*count);
    } else if total != Some(*count) || counts.len() != bounds.len() + 1 {
        return Err(Refusal::Malformed);
    }
    let mut bounds = Arc::clone(bounds);
    // An infinite last bound is the bucket without one, which every histogram has.
    if let Some((last, before)) = bounds.split_last()
        && *last == f64::INFINITY
    {
        bounds = before.into();
        let beyond = counts.pop().unwrap_or_default();
        if let Some(last) = counts.last_mut() {
            *last += beyond;
        }
    }
    buckets(metric, bounds, counts, *sum, exemplars)
}

fn buckets(
    metric: &Metric,
    bounds: Arc<[f64]>,
    counts: Vec<u64>,
    sum: f64,
    exemplars: &[Exemplar],
) -> Result<Buckets, Refusal> {
    let ascend = bounds.windows(2).all(|pair| pair[0] < pair[1]);
    if !ascend || !bounds.iter().all(|bound| bound.is_finite()) {
        return Err(Refusal::Malformed);
    }
    if sum.is_nan() {
        return Err(Refusal::NotFinite);
    }
    let mut buckets = Buckets { bounds, counts, sum, exemplars: Vec::new() };
    for exemplar in exemplars.iter().filter_map(|exemplar| Sampled::of(exemplar, metric, None)) {
        buckets.keep(exemplar);
    }
    Ok(buckets)
}

impl Value {
    /// Adds what came since, or what another source of the same series has; says `false` where the sum of both is none.
    pub(crate) fn add(&mut self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number { value, exemplar }, Self::Number { value: more, exemplar: newer }) => {
                *value += more;
                if newer.is_some() {
                    exemplar.clone_from(newer);
                }
            }
            (Self::Histogram(buckets), Self::Histogram(more)) => buckets.add(more),
            (Self::Exponential(known), Self::Exponential(more)) => match exponential::merged(known, more) {
                Some(merged) => **known = merged,
                None => return false,
            },
            _ => return false,
        }
        true
    }

    /// The value in another unit.
    pub(crate) fn scaled(&self, scale: Scale) -> Self {
        let sampled = |found: &Sampled| Sampled { value: scale.apply(found.value), ..found.clone() };
        match self {
            Self::Number { value, exemplar } => {
                Self::Number { value: scale.apply(*value), exemplar: exemplar.as_ref().map(sampled) }
            }
            Self::Exponential(histogram) => Self::Histogram(Buckets::of(histogram)).scaled(scale),
            Self::Histogram(buckets) => {
                let uppers = buckets.bounds.iter().map(|bound| scale.apply(*bound)).chain([f64::INFINITY]);
                let (bounds, counts) = ascending(uppers.zip(buckets.counts.iter().copied()));
                let (sum, exemplars) = (scale.apply(buckets.sum), buckets.exemplars.iter().map(sampled));
                Self::Histogram(Buckets { bounds, counts, sum, exemplars: exemplars.collect() })
            }
        }
    }
}

impl Buckets {
    /// An exponential histogram under explicit bounds.
    pub(crate) fn of(histogram: &ExpHistogram) -> Self {
        let (bounds, counts) =
            exponential::explicit(histogram).unwrap_or_else(|| ([].into(), vec![histogram.count]));
        let mut buckets = Self { bounds, counts, sum: histogram.sum, exemplars: Vec::new() };
        for Exemplar { span, value, time } in &histogram.exemplars {
            if let Some(value) = value.filter(|value| value.is_finite()) {
                buckets.keep(Sampled { value, time: time.unwrap_or_default(), span: *span });
            }
        }
        buckets
    }

    /// How many values there are.
    fn total(&self) -> u64 {
        self.counts.iter().fold(0, |total, count| total.saturating_add(*count))
    }

    /// The bucket that a value falls in.
    fn bucket(&self, value: f64) -> usize {
        self.bounds.partition_point(|upper| *upper < value)
    }

    /// Keeps an exemplar, the latest of its bucket.
    fn keep(&mut self, exemplar: Sampled) {
        let at = self.bucket(exemplar.value);
        match self.exemplars.iter().position(|known| self.bucket(known.value) == at) {
            Some(known) if self.exemplars[known].time > exemplar.time => {}
            Some(known) => self.exemplars[known] = exemplar,
            None => self.exemplars.push(exemplar),
        }
    }

    /// The exemplar of a bucket.
    pub(crate) fn exemplar(&self, at: usize) -> Option<&Sampled> {
        self.exemplars.iter().find(|exemplar| self.bucket(exemplar.value) == at)
    }

    /// Whether the sum can only grow, as far as the buckets tell.
    pub(crate) fn sum_is_counter(&self) -> bool {
        self.sum >= 0.0 && self.bounds.first().is_none_or(|first| *first >= 0.0)
    }

    /// Adds another histogram; of different bounds those stay that both have, which is exact.
    fn add(&mut self, other: &Self) {
        if self.bounds != other.bounds {
            if other.total() == 0 {
                return;
            }
            let common: Arc<[f64]> = if self.total() == 0 {
                Arc::clone(&other.bounds)
            } else {
                self.bounds.iter().copied().filter(|bound| other.bounds.contains(bound)).collect()
            };
            self.counts = coarser(&self.bounds, &self.counts, &common);
            self.bounds = common;
            let exemplars = std::mem::take(&mut self.exemplars);
            for exemplar in exemplars {
                self.keep(exemplar);
            }
        }
        let more = coarser(&other.bounds, &other.counts, &self.bounds);
        for (count, more) in self.counts.iter_mut().zip(more) {
            *count = count.saturating_add(more);
        }
        self.sum += other.sum;
        for exemplar in &other.exemplars {
            self.keep(exemplar.clone());
        }
    }
}

/// The counts under fewer bounds.
fn coarser(bounds: &[f64], counts: &[u64], kept: &[f64]) -> Vec<u64> {
    let mut out = vec![0u64; kept.len() + 1];
    for (at, count) in counts.iter().enumerate() {
        let to = bounds.get(at).map_or(kept.len(), |upper| kept.partition_point(|kept| kept < upper));
        out[to] = out[to].saturating_add(*count);
    }
    out
}
