//! Metrics into the series of Prometheus.

use std::borrow::Cow;
use std::collections::BTreeMap;

use obs_core::{Exemplar, Histogram, Metric, MetricValue, Resource, Temporality};

use crate::labels::{self, Labels, NAME};
use crate::naming::{self, SeriesKind as Kind};
use crate::native::Native;

/// The label that holds the upper bound of a bucket.
const BOUND: &str = "le";
/// Labels of our own; one of the user's of the same name is renamed.
const OWN: [&str; 5] = ["instance", "job", BOUND, "otel_scope_name", "otel_scope_version"];
/// The most labels of `target_info`, as Mimir's default has it; more would have every request refused.
const TARGET_LABELS: usize = 30;
/// Which bits are not a number and not the mark of a series that has ended.
const NAN: u64 = 0x7ff8_0000_0000_0001;

/// One sample of one series.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Point {
    pub(crate) labels: Labels,
    pub(crate) millis: i64,
    pub(crate) value: PointValue,
    pub(crate) exemplars: Vec<ExemplarPoint>,
}

/// What a sample holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PointValue {
    Number(f64),
    Native(Box<Native>),
}

/// A measurement that stands for a sample, with the ids of its span.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ExemplarPoint {
    pub(crate) labels: Labels,
    pub(crate) value: f64,
    pub(crate) millis: i64,
}

/// What is told of a metric beside its samples.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Family {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) help: String,
    pub(crate) unit: String,
}

/// The samples of one record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    pub(crate) family: Family,
    pub(crate) points: Vec<Point>,
}

/// The samples of a metric of this target; `native` says whether the server takes native histograms.
///
/// # Errors
/// Why remote write has no form for it.
pub(crate) fn of(metric: &Metric, target: &Resource, native: bool) -> Result<Told, String> {
    let kind = kind(metric)?;
    let name = naming::series_name(&metric.name, metric.unit.as_deref(), kind).ok_or_else(|| {
        format!("of the name {:?} nothing can stand in Prometheus's names", metric.name.as_str())
    })?;
    let base = base(metric, target, kind);
    let at = Place { name: &name, base: &base, millis: millis(metric.time) };
    let points = match &metric.value {
        MetricValue::Histogram(histogram) => classic(&at, metric, histogram)?,
        MetricValue::ExpHistogram(histogram) if native => {
            let value = PointValue::Native(Box::new(Native::of(histogram)?));
            let exemplars =
                histogram.exemplars.iter().filter_map(|one| exemplar(metric, one, None)).collect();
            vec![Point { exemplars, ..at.point("", None, value) }]
        }
        MetricValue::ExpHistogram(_) => {
            return Err(
                "an exponential histogram; set histograms = \"base2_exponential_bucket_histogram\" where the \
                        server takes native histograms"
                    .to_owned(),
            );
        }
        MetricValue::Sum { value, .. } | MetricValue::Gauge(value) => {
            let exemplar_of = metric.exemplar.iter().filter(|_| kind == Kind::Counter);
            let exemplars = exemplar_of.filter_map(|one| exemplar(metric, one, Some(*value))).collect();
            vec![Point { exemplars, ..at.point("", None, number(*value)) }]
        }
        MetricValue::Add(_) | MetricValue::UpDown(_) | MetricValue::Sample(_) => Vec::new(),
    };
    let help = metric.description.as_deref().unwrap_or_default().to_owned();
    let unit = metric.unit.as_deref().unwrap_or_default().to_owned();
    Ok(Told { family: Family { name, kind, help, unit }, points })
}

/// What the metric is to Prometheus.
fn kind(metric: &Metric) -> Result<Kind, String> {
    let kind = match &metric.value {
        MetricValue::Gauge(_) => return Ok(Kind::Gauge),
        MetricValue::Sum { monotonic: true, .. } => Kind::Counter,
        MetricValue::Sum { monotonic: false, .. } => Kind::Gauge,
        MetricValue::Histogram(_) | MetricValue::ExpHistogram(_) => Kind::Histogram,
        MetricValue::Add(_) | MetricValue::UpDown(_) | MetricValue::Sample(_) => {
            return Err(
                "a single measurement, where remote write has series: export through a pipeline, which \
                        makes series of them"
                    .to_owned(),
            );
        }
    };
    match metric.temporality {
        Some(Temporality::Cumulative) => Ok(kind),
        Some(Temporality::Delta) => {
            Err("a point since the one before, where remote write has those since the \
                                         beginning alone: ask for cumulative ones"
                .to_owned())
        }
        None => Err("a point that does not say since when it counts: set its temporality".to_owned()),
    }
}

/// The labels that all series of a metric have.
fn base(metric: &Metric, target: &Resource, kind: Kind) -> BTreeMap<String, String> {
    let own = metric.labels.iter().map(|(name, value)| (name.as_str(), Cow::Borrowed(value.as_str())));
    let reserved: Vec<&str> =
        OWN.into_iter().filter(|name| *name != BOUND || kind == Kind::Histogram).collect();
    let mut base = labels::clean(own, &reserved);
    base.extend(labels::target(target).into_iter().map(|(name, value)| (name.to_owned(), value)));
    if let Some(scope) = &metric.resource.scope {
        let version = scope.version.as_deref().unwrap_or_default();
        for (name, value) in [("otel_scope_name", &*scope.name), ("otel_scope_version", version)] {
            let mut value = value.to_owned();
            labels::shorten(&mut value);
            base.insert(name.to_owned(), value);
        }
    }
    base.retain(|_, value| !value.is_empty());
    base
}

/// Where the series of a metric stand.
struct Place<'a> {
    name: &'a str,
    base: &'a BTreeMap<String, String>,
    millis: i64,
}

impl Place<'_> {
    fn point(&self, suffix: &str, bound: Option<String>, value: PointValue) -> Point {
        let mut labels = self.base.clone();
        labels.insert(NAME.to_owned(), format!("{}{suffix}", self.name));
        if let Some(bound) = bound {
            labels.insert(BOUND.to_owned(), bound);
        }
        Point { labels: labels.into_iter().collect(), millis: self.millis, value, exemplars: Vec::new() }
    }
}

/// A histogram as Prometheus has always had them: a counter for each bound, each with all that is below it.
fn classic(at: &Place<'_>, metric: &Metric, histogram: &Histogram) -> Result<Vec<Point>, String> {
    let Histogram { count, sum, bounds, counts, .. } = histogram;
    let whole = counts.is_empty() && bounds.is_empty();
    if !whole && counts.len() != bounds.len() + 1 {
        return Err(format!(
            "{} buckets for {} bounds; there is one more of them",
            counts.len(),
            bounds.len()
        ));
    }
    if bounds.iter().any(|bound| bound.is_nan()) || !bounds.is_sorted_by(|a, b| a < b) {
        return Err("bounds that do not ascend".to_owned());
    }
    if bounds.first() == Some(&f64::NEG_INFINITY) {
        return Err("a first bound of -Inf, which no sample can be below; leave it out".to_owned());
    }
    if !whole {
        fits_total(*count, counts)?;
    }
    let mut points = Vec::with_capacity(bounds.len() + 3);
    let mut below = 0u64;
    // A last bound without end is the bucket that all samples are in, which follows.
    for (bound, in_bucket) in bounds.iter().zip(counts).filter(|(bound, _)| bound.is_finite()) {
        below += *in_bucket;
        points.push(at.point("_bucket", Some(labels::float(*bound)), number(below as f64)));
    }
    points.push(at.point("_bucket", Some("+Inf".to_owned()), number(*count as f64)));
    for one in &histogram.exemplars {
        let Some(value) = one.value else { continue };
        let bucket =
            bounds.iter().filter(|bound| bound.is_finite()).take_while(|bound| value > **bound).count();
        points[bucket].exemplars.extend(exemplar(metric, one, None));
    }
    points.push(at.point("_count", None, number(*count as f64)));
    points.push(at.point("_sum", None, number(*sum)));
    Ok(points)
}

/// Checks that a histogram's buckets hold what it says; none of their sums overflows then.
pub(crate) fn fits_total<'a>(count: u64, buckets: impl IntoIterator<Item = &'a u64>) -> Result<(), String> {
    match buckets.into_iter().try_fold(0u64, |sum, more| sum.checked_add(*more)) {
        Some(sum) if sum == count => Ok(()),
        Some(sum) => Err(format!("a count of {count}, and buckets with {sum}")),
        None => Err(format!("a count of {count}, and buckets with more than there are numbers for")),
    }
}

/// A number; what is none has bits that no server takes for the end of a series.
fn number(value: f64) -> PointValue {
    PointValue::Number(if value.is_nan() { f64::from_bits(NAN) } else { value })
}

/// What stands for a sample; `own` is the sample's own value, for an exemplar that has none.
fn exemplar(metric: &Metric, one: &Exemplar, own: Option<f64>) -> Option<ExemplarPoint> {
    let value = one.value.or(own)?;
    let mut labels = vec![("trace_id".to_owned(), one.span.trace_id.to_string())];
    if let Some(span_id) = one.span.span_id {
        labels.insert(0, ("span_id".to_owned(), span_id.to_string()));
    }
    value.is_finite().then(|| ExemplarPoint {
        labels,
        value,
        millis: millis(one.time.unwrap_or(metric.time)),
    })
}

/// The series that tells what is known of a target, if something is beside its name.
pub(crate) fn target_info(resource: &Resource) -> Option<Labels> {
    let target = labels::target(resource);
    let known = ["service.name", "service.namespace", "service.instance.id"];
    let others = resource.attributes.iter().filter(|(name, _)| !known.contains(&name.as_str()));
    let others = labels::clean(others.map(|(name, value)| (name.as_str(), labels::text(value))), &OWN[..2]);
    if target.is_empty() || others.is_empty() {
        return None;
    }
    let room = TARGET_LABELS - 1 - target.len();
    let mut all: BTreeMap<String, String> = others.into_iter().take(room).collect();
    all.extend(target.into_iter().map(|(name, value)| (name.to_owned(), value)));
    all.insert(NAME.to_owned(), "target_info".to_owned());
    Some(all.into_iter().collect())
}

/// Prometheus's time.
pub(crate) fn millis(time: obs_core::Timestamp) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
