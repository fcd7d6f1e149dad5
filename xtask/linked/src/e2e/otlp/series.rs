//! What metric records are to be as series, by rules that no exporter and no aggregator shares.

use std::collections::BTreeMap;

use obs_core::{Exemplar, ExpBuckets, Metric, MetricValue, Record, Temporality, Timestamp};
use serde_json::{Value, json};

use super::found::{SERIES, series_key};
use super::normal::of_float;
use super::spans::beside;
use crate::e2e::fact::Fact;

/// When the points of a run were made, and how they count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) since: Timestamp,
    pub(super) until: Timestamp,
    pub(super) temporality: Temporality,
}

/// The names of what is not compared as it is, but held against the window.
const TIMES: [&str; 2] = ["start", "time"];

/// One fact for each series and for what is none, made of its points; and what is wrong with their times.
///
/// Of points that accumulate the last one tells all; others are added up, and each begins where the one before it ended.
pub(super) fn merged(points: Vec<Fact>, window: Window) -> (Vec<Fact>, Vec<String>) {
    let mut wrong = Vec::new();
    let mut series = BTreeMap::<String, Vec<Fact>>::new();
    let (points, mut facts): (Vec<_>, Vec<_>) = points.into_iter().partition(|point| point.kind == SERIES);
    for mut point in points {
        wrong.extend(out_of_window(&point, window));
        if let Some(Value::Array(counts)) =
            point.fields.get("counts").filter(|_| point.fields["kind"] == "histogram")
        {
            let sum = counts.iter().filter_map(Value::as_u64).sum::<u64>();
            if Some(sum) != number(&point, "count") {
                wrong.push(format!(
                    "series {}: its buckets hold {sum}, and it counts {}",
                    point.key, point.fields["count"]
                ));
            }
        }
        if let Some(Value::Array(exemplars)) = point.fields.get_mut("exemplars") {
            exemplars.sort_by_key(ToString::to_string);
        }
        let identity = ["kind", "unit", "monotonic", "temporality", "scope"]
            .map(|field| point.fields[field].to_string());
        series.entry(format!("{} {identity:?} {:?}", point.key, point.attributes)).or_default().push(point);
    }
    for mut points in series.into_values() {
        points.sort_by_key(|point| number(point, "time"));
        wrong.extend(points.windows(2).filter_map(|pair| gap(&pair[0], &pair[1])));
        let Some(mut fact) = points.into_iter().reduce(|before, after| joined(&before, after)) else {
            continue;
        };
        for time in TIMES {
            fact.fields.remove(time);
        }
        facts.push(fact);
    }
    (facts, wrong)
}

fn number(fact: &Fact, field: &str) -> Option<u64> {
    fact.fields.get(field).and_then(Value::as_u64)
}

const DELTA: u64 = 1;
const CUMULATIVE: u64 = 2;

/// A point is of this run; one of a gauge has no start.
fn out_of_window(point: &Fact, window: Window) -> Option<String> {
    let (start, time) = (number(point, "start")?, number(point, "time")?);
    let (since, until) = (window.since.as_nanos(), window.until.as_nanos());
    let gauge = point.fields["kind"] == "gauge";
    // What was aggregated elsewhere may have begun before the run.
    let well = if gauge { start == 0 } else { 0 < start && start <= time } && (since..=until).contains(&time);
    (!well).then(|| format!("series {}: from {start} to {time} is not within {since} to {until}", point.key))
}

/// What is wrong between two points of a series.
fn gap(before: &Fact, after: &Fact) -> Option<String> {
    let [(began, ended), (begins, _)] =
        [before, after].map(|point| (number(point, "start"), number(point, "time")));
    let well = match number(before, "temporality") {
        Some(DELTA) => begins == ended,
        Some(CUMULATIVE) => begins == began,
        _ => true,
    };
    (!well).then(|| {
        format!("series {}: a point begins at {begins:?}, after one from {began:?} to {ended:?}", before.key)
    })
}

/// Two points of a series as one.
fn joined(before: &Fact, mut after: Fact) -> Fact {
    let mut exemplars = before.fields["exemplars"].as_array().cloned().unwrap_or_default();
    exemplars.extend(after.fields["exemplars"].as_array().cloned().unwrap_or_default());
    if number(before, "temporality") == Some(DELTA) {
        for field in ["value", "count", "sum", "zeros"] {
            if let (Some(a), Some(b)) = (before.fields.get(field), after.fields.get(field)) {
                let whole = a.as_u64().zip(b.as_u64()).map(|(a, b)| Value::from(a + b));
                let sum = whole.unwrap_or_else(|| {
                    of_float(a.as_f64().unwrap_or(f64::NAN) + b.as_f64().unwrap_or(f64::NAN))
                });
                after.fields.insert(field, sum);
            }
        }
        for (field, pick) in [("min", f64::min as fn(f64, f64) -> f64), ("max", f64::max)] {
            if let (Some(a), Some(b)) = (
                before.fields.get(field).and_then(Value::as_f64),
                after.fields.get(field).and_then(Value::as_f64),
            ) {
                after.fields.insert(field, of_float(pick(a, b)));
            }
        }
        if let (Some(a), Some(b)) = (
            before.fields.get("counts").and_then(Value::as_array),
            after.fields.get("counts").and_then(Value::as_array),
        ) {
            let sums: Vec<_> =
                a.iter().zip(b).map(|(a, b)| a.as_u64().unwrap_or(0) + b.as_u64().unwrap_or(0)).collect();
            after.fields.insert("counts", sums.into());
        }
    }
    exemplars.sort_by_key(ToString::to_string);
    after.with("exemplars", exemplars)
}

/// What the records are to be as series for a reader of this temporality.
///
/// The bounds of histograms are advice, so that samples are counted into those that were found; all else is from the records.
pub(super) fn expected(records: &[Record], temporality: Temporality, found: &[Fact]) -> Vec<Fact> {
    let mut series = BTreeMap::<String, Vec<&Metric>>::new();
    for record in records {
        let Record::Metric(metric) = record else { continue };
        let identity = (kind(&metric.value), &metric.unit, &metric.resource);
        series.entry(format!("{} {identity:?}", key(metric))).or_default().push(metric);
    }
    series.into_values().map(|metrics| one(&metrics, temporality, found)).collect()
}

fn labels(metric: &Metric) -> Value {
    let labels: BTreeMap<_, _> =
        metric.labels.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    json!(labels)
}

fn key(metric: &Metric) -> String {
    series_key(&metric.name, &labels(metric))
}

/// The kind of a series and whether it only grows.
fn kind(value: &MetricValue) -> (&'static str, bool) {
    match value {
        MetricValue::Add(_) | MetricValue::Sum { monotonic: true, .. } => ("sum", true),
        MetricValue::UpDown(_) | MetricValue::Sum { monotonic: false, .. } => ("sum", false),
        MetricValue::Gauge(_) => ("gauge", false),
        MetricValue::Sample(_) | MetricValue::Histogram(_) => ("histogram", false),
        MetricValue::ExpHistogram(_) => ("exponential_histogram", false),
    }
}

/// The series of these records, of which there is at least one.
fn one(metrics: &[&Metric], temporality: Temporality, found: &[Fact]) -> Fact {
    let first = metrics[0];
    let (kind, monotonic) = kind(&first.value);
    let accumulates = temporality == Temporality::Cumulative || (kind, monotonic) == ("sum", false);
    let fact = Fact::new(SERIES, key(first))
        .with("kind", kind)
        .with("unit", first.unit.as_deref().unwrap_or_default())
        .with("description", first.description.as_deref().unwrap_or_default())
        .with("monotonic", monotonic)
        .with(
            "temporality",
            match (kind, accumulates) {
                ("gauge", _) => 0,
                (_, false) => DELTA,
                (_, true) => CUMULATIVE,
            },
        )
        .with("labels", labels(first))
        .with("flags", 0);
    let fact = beside(fact, &first.resource);
    let bounds =
        found.iter().filter(|there| there.key == fact.key && there.fields["kind"] == kind).find_map(bounds);
    let (fact, exemplars) = amounts(fact, metrics, bounds.as_deref().unwrap_or_default());
    let mut exemplars: Vec<_> = exemplars.iter().map(Kept::told).collect();
    exemplars.sort_by_key(ToString::to_string);
    fact.with("exemplars", exemplars)
}

fn bounds(found: &Fact) -> Option<Vec<f64>> {
    found.fields.get("bounds")?.as_array()?.iter().map(Value::as_f64).collect()
}

/// A measurement under a span that stands for others.
#[derive(Debug, Clone)]
struct Kept {
    exemplar: Exemplar,
    value: f64,
    time: Timestamp,
}

impl Kept {
    /// The record's own, where it has one.
    fn of(metric: &Metric, value: f64) -> Option<Self> {
        let exemplar = metric.exemplar.clone()?;
        Some(Self {
            value: exemplar.value.unwrap_or(value),
            time: exemplar.time.unwrap_or(metric.time),
            exemplar,
        })
    }

    fn told(&self) -> Value {
        json!({ "trace": self.exemplar.span.trace_id.to_string(),
            "span": self.exemplar.span.span_id.map(|id| id.to_string()).unwrap_or_default(),
            "value": of_float(self.value), "time": self.time.as_nanos() })
    }
}

/// The amounts of a series, and the measurements that stand for them: the last one, in histograms the last of each bucket.
fn amounts(fact: Fact, metrics: &[&Metric], bounds: &[f64]) -> (Fact, Vec<Kept>) {
    let last = |kept: Vec<Kept>| kept.into_iter().max_by_key(|kept| kept.time).into_iter().collect();
    match &metrics[0].value {
        MetricValue::Add(_) | MetricValue::UpDown(_) | MetricValue::Sum { .. } => {
            let values = metrics.iter().map(|metric| match metric.value {
                MetricValue::Add(value) | MetricValue::UpDown(value) | MetricValue::Sum { value, .. } => {
                    value
                }
                _ => f64::NAN,
            });
            let values: Vec<_> = values.collect();
            let kept =
                metrics.iter().zip(&values).filter_map(|(metric, value)| Kept::of(metric, *value)).collect();
            (fact.with("value", of_float(values.iter().sum())), last(kept))
        }
        MetricValue::Gauge(_) => {
            let latest = metrics.iter().max_by_key(|metric| metric.time).map(|metric| &metric.value);
            let value = if let Some(MetricValue::Gauge(value)) = latest { *value } else { f64::NAN };
            let kept = metrics.iter().filter_map(|metric| Kept::of(metric, value)).collect();
            (fact.with("value", of_float(value)), last(kept))
        }
        MetricValue::Sample(_) => samples(fact, metrics, bounds),
        MetricValue::Histogram(of) => {
            let fact = totals(fact, of.count, of.sum, of.min, of.max);
            let floats: Vec<_> = of.bounds.iter().map(|bound| of_float(*bound)).collect();
            (
                fact.with("bounds", floats).with("counts", of.counts.clone()),
                of.exemplars.iter().filter_map(own).collect(),
            )
        }
        MetricValue::ExpHistogram(of) => {
            let buckets = |side: &ExpBuckets| json!({ "offset": side.offset, "counts": side.counts });
            let fact = totals(fact, of.count, of.sum, of.min, of.max)
                .with("scale", of.scale)
                .with("zeros", of.zero_count)
                .with("threshold", of_float(of.zero_threshold))
                .with("positive", buckets(&of.positive))
                .with("negative", buckets(&of.negative));
            (fact, of.exemplars.iter().filter_map(own).collect())
        }
    }
}

/// An exemplar that says all itself.
fn own(exemplar: &Exemplar) -> Option<Kept> {
    Some(Kept { value: exemplar.value?, time: exemplar.time?, exemplar: exemplar.clone() })
}

fn totals(fact: Fact, count: u64, sum: f64, min: Option<f64>, max: Option<f64>) -> Fact {
    fact.with("count", count)
        .with("sum", of_float(sum))
        .with("min", min.map_or(Value::Null, of_float))
        .with("max", max.map_or(Value::Null, of_float))
}

/// Samples counted into buckets, whose upper bounds are inclusive.
fn samples(fact: Fact, metrics: &[&Metric], bounds: &[f64]) -> (Fact, Vec<Kept>) {
    let values = metrics.iter().map(|metric| match metric.value {
        MetricValue::Sample(value) => value,
        _ => f64::NAN,
    });
    let values: Vec<_> = values.collect();
    let mut counts = vec![0_u64; bounds.len() + 1];
    let mut kept: Vec<Option<Kept>> = vec![None; counts.len()];
    for (metric, value) in metrics.iter().zip(&values) {
        let at = bounds.iter().filter(|bound| *value > **bound).count();
        counts[at] += 1;
        let later = |new: &Kept| kept[at].as_ref().is_none_or(|old| old.time <= new.time);
        if let Some(new) = Kept::of(metric, *value).filter(later) {
            kept[at] = Some(new);
        }
    }
    let (min, max) = (values.iter().copied().reduce(f64::min), values.iter().copied().reduce(f64::max));
    let floats: Vec<_> = bounds.iter().map(|bound| of_float(*bound)).collect();
    let fact = totals(fact, values.len() as u64, values.iter().sum(), min, max);
    (fact.with("bounds", floats).with("counts", counts), kept.into_iter().flatten().collect())
}
