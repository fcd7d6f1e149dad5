//! What metric records are to be as Prometheus' series, by rules that no exporter shares.

use std::collections::BTreeMap;

use obs_core::{Metric, MetricValue, Record, Value as Held};

use super::samples::{bounds, has_no_sum, histogram, key, scalar};
use crate::e2e::fact::Fact;

/// How an exporter names things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// Base units behind the names, and the service as a label.
    Idiomatic,
    /// As they were recorded, and the service as a label.
    Recorded,
    /// By OpenTelemetry's rules for Prometheus: any unit behind the names, the service as the job, and the scope.
    Compatible,
}

/// What a unit is called, and how many of it one of that is; in base units, and not.
const UNITS: [(&str, (&str, f64), &str); 4] = [
    ("s", ("seconds", 1.0), "seconds"),
    ("ms", ("seconds", 1_000.0), "milliseconds"),
    ("By", ("bytes", 1.0), "bytes"),
    ("Cel", ("celsius", 1.0), "celsius"),
];

/// A series and the records that it is made of.
#[derive(Debug)]
struct Series<'a> {
    key: String,
    over: f64,
    metrics: Vec<&'a Metric>,
}

/// What the records are to be.
///
/// The bounds of histograms are advice, so that samples are counted into those that were found; all else is from the records.
pub(super) fn expected(records: &[Record], names: Names, found: &[Fact]) -> Vec<Fact> {
    let mut series = BTreeMap::<String, Series<'_>>::new();
    for record in records {
        let Record::Metric(metric) = record else { continue };
        let (key, over) = identity(metric, names);
        let of = series.entry(key.clone()).or_insert_with(|| Series { key, over, metrics: Vec::new() });
        of.metrics.push(metric);
    }
    series.into_values().map(|series| one(&series, found)).collect()
}

/// What a record's series is known by, and how many of its unit one of the series' is.
pub(super) fn identity(metric: &Metric, names: Names) -> (String, f64) {
    let (name, over) = named(metric, names);
    (key(&name, &labels(metric, names)), over)
}

fn named(metric: &Metric, names: Names) -> (String, f64) {
    let counter = matches!(metric.value, MetricValue::Add(_) | MetricValue::Sum { monotonic: true, .. });
    let name: String = metric.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let name = if counter { name.strip_suffix("_total").unwrap_or(&name) } else { &name };
    // A name that ends in milliseconds and has no unit beside says it itself.
    let said = metric
        .unit
        .as_deref()
        .or_else(|| (names == Names::Idiomatic && name.ends_with("_ms")).then_some("ms"));
    let unit = UNITS.iter().find(|(unit, ..)| Some(*unit) == said);
    let (name, over) = match (names, unit) {
        (Names::Idiomatic, Some((_, (word, over), _))) => {
            (format!("{}_{word}", name.strip_suffix("_ms").unwrap_or(name)), *over)
        }
        (Names::Compatible, Some((.., word))) => (format!("{name}_{word}"), 1.0),
        _ => (name.to_owned(), 1.0),
    };
    let name = if over == 1.0 && name.ends_with("_bytes_bytes") {
        name.trim_end_matches("_bytes").to_owned() + "_bytes"
    } else {
        name
    };
    (if counter { format!("{name}_total") } else { name }, over)
}

fn labels(metric: &Metric, names: Names) -> BTreeMap<String, String> {
    let mut labels: BTreeMap<_, _> = metric
        .labels
        .iter()
        .map(|(name, value)| (name.replace(['.', '-'], "_"), value.to_string()))
        .collect();
    let service = match metric.resource.attributes.get("service.name") {
        Some(Held::Str(name)) => name.to_string(),
        _ => String::new(),
    };
    match (names, &metric.resource.scope) {
        (Names::Compatible, Some(scope)) => {
            labels.insert("job".into(), service);
            labels.insert("otel_scope_name".into(), scope.name.to_string());
            labels
                .insert("otel_scope_version".into(), scope.version.as_deref().unwrap_or_default().to_owned());
        }
        (Names::Compatible, None) => drop(labels.insert("job".into(), service)),
        _ => drop(labels.insert("service_name".into(), service)),
    }
    // To Prometheus, a label without a value is none.
    labels.retain(|_, value| !value.is_empty());
    labels
}

fn one(series: &Series<'_>, found: &[Fact]) -> Fact {
    let Series { key, over, metrics } = series;
    let key = key.clone();
    let there: Vec<f64> = found.iter().find(|there| there.key == key).map(bounds).unwrap_or_default();
    match &metrics[0].value {
        MetricValue::Add(_) | MetricValue::UpDown(_) | MetricValue::Sum { .. } => {
            let sum: f64 = metrics.iter().map(|metric| amount(&metric.value)).sum();
            scalar(key, sum / over)
        }
        MetricValue::Gauge(_) => {
            let latest = metrics.iter().max_by_key(|metric| metric.time).map(|metric| amount(&metric.value));
            scalar(key, latest.unwrap_or(f64::NAN) / over)
        }
        MetricValue::Sample(_) => {
            let values: Vec<_> = metrics.iter().map(|metric| amount(&metric.value)).collect();
            let within = |bound: f64| values.iter().filter(|value| **value / over <= bound).count() as f64;
            let buckets: Vec<_> = there.iter().map(|bound| (*bound, within(*bound))).collect();
            histogram(key, Some(values.len() as f64), Some(values.iter().sum::<f64>() / over), &buckets)
        }
        MetricValue::Histogram(of) => {
            let bounds = of.bounds.iter().map(|bound| bound / over).chain([f64::INFINITY]);
            let counts = of.counts.iter().scan(0, |sum, count| {
                *sum += count;
                Some(*sum as f64)
            });
            let buckets: Vec<_> = bounds.zip(counts).collect();
            histogram(key, Some(of.count as f64), Some(of.sum / over), &buckets)
        }
        MetricValue::ExpHistogram(of) => {
            // Its buckets become others, which are held against nothing but the count.
            let there = found.iter().find(|there| there.key == key);
            let sum = Some(of.sum / over).filter(|_| !there.is_some_and(has_no_sum));
            let buckets = there.and_then(|there| there.fields.get("buckets")).cloned().unwrap_or_default();
            histogram(key, Some(of.count as f64), sum, &[])
                .with("buckets", buckets)
                .with("buckets grow up to the count", true)
        }
    }
}

/// A record's number; not a number for what holds many.
pub(super) fn amount(value: &MetricValue) -> f64 {
    match value {
        MetricValue::Add(value)
        | MetricValue::UpDown(value)
        | MetricValue::Gauge(value)
        | MetricValue::Sample(value)
        | MetricValue::Sum { value, .. } => *value,
        MetricValue::Histogram(_) | MetricValue::ExpHistogram(_) => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use obs_core::Timestamp;

    use super::*;

    fn metric(name: &'static str, unit: &'static str, value: MetricValue) -> Metric {
        let mut metric = Metric::new(Timestamp::from_nanos(1), name, value);
        metric.unit = Some(unit).filter(|unit| !unit.is_empty()).map(Into::into);
        metric.resource = obs_core::Resource::service("shop").into();
        metric
    }

    #[test]
    fn names_follow_the_rules_of_each_exporter() {
        let named = |metric: &Metric| {
            [Names::Idiomatic, Names::Recorded, Names::Compatible].map(|names| named(metric, names))
        };
        let same = |names: [&str; 3]| names.map(|name| (name.to_owned(), 1.0));
        let add = || MetricValue::Add(1.0);
        assert_eq!(named(&metric("a.b", "{run}", add())), same(["a_b_total", "a_b_total", "a_b_total"]));
        let wanted = same(["a_seconds_total", "a_total", "a_seconds_total"]);
        assert_eq!(named(&metric("a.total", "s", add())), wanted);
        let duration = named(&metric("a_duration_ms", "", MetricValue::Sample(1.0)));
        assert_eq!(duration[0], ("a_duration_seconds".to_owned(), 1_000.0));
        assert_eq!(duration[1..], same(["", "a_duration_ms", "a_duration_ms"])[1..]);
        assert_eq!(named(&metric("p.bytes", "By", MetricValue::Gauge(1.0)))[2].0, "p_bytes");
    }

    #[test]
    fn records_come_together_to_what_is_queried() {
        let samples =
            [0.5, 1.0, 7.0].map(|value| Record::Metric(metric("d", "s", MetricValue::Sample(value))));
        let labels = BTreeMap::from([("service_name".to_owned(), "shop".to_owned())]);
        let wanted =
            histogram(key("d_seconds", &labels), Some(3.0), Some(8.5), &[(1.0, 2.0), (f64::INFINITY, 3.0)]);
        assert_eq!(expected(&samples, Names::Idiomatic, std::slice::from_ref(&wanted)), [wanted]);
        let gauges = [2.0, 3.0].map(|value| Record::Metric(metric("g", "", MetricValue::Gauge(value))));
        assert_eq!(expected(&gauges, Names::Recorded, &[]), [scalar(key("g", &labels), 3.0)]);
    }
}
