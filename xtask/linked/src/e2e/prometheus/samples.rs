//! Samples as Prometheus and its kind have them, put together to series.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::e2e::fact::Fact;

/// One number of one series, whoever gave it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) value: f64,
}

/// The samples in the answer to a query.
pub(super) fn of_query(answer: &Value) -> Result<Vec<Sample>> {
    let result = answer["data"]["result"].as_array().context("the answer has no result")?;
    result
        .iter()
        .filter(|one| one["value"].is_array())
        .map(|one| sample(&one["metric"], &one["value"][1]))
        .collect()
}

/// A sample of these labels, the name among them.
pub(super) fn sample(labels: &Value, value: &Value) -> Result<Sample> {
    let mut labels = self::labels(labels)?;
    let name = labels.remove("__name__").context("a series has no name")?;
    Ok(Sample { name, labels, value: number(value)? })
}

pub(super) fn labels(labels: &Value) -> Result<BTreeMap<String, String>> {
    let labels = labels.as_object().context("labels are no object")?;
    Ok(labels
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect())
}

/// A number as JSON has it or, as Prometheus does, in quotes.
pub(super) fn number(value: &Value) -> Result<f64> {
    let number = value.as_f64().or_else(|| match value.as_str()? {
        "+Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        text => text.parse().ok(),
    });
    number.with_context(|| format!("{value} is no number"))
}

/// What Prometheus makes itself of every scrape, and what is told of a target.
fn is_beside(name: &str) -> bool {
    matches!(name, "up" | "target_info") || name.starts_with("scrape_")
}

/// A name with labels.
type Named = (String, BTreeMap<String, String>);

/// The series of these samples: histograms with all that belongs to them, and others; labels in `without` are left out.
pub(super) fn series(samples: &[Sample], without: &[&str]) -> Vec<Fact> {
    let mut all: BTreeMap<Named, f64> = BTreeMap::new();
    let mut twice = Vec::new();
    for sample in samples.iter().filter(|sample| !is_beside(&sample.name)) {
        let mut labels = sample.labels.clone();
        labels.retain(|name, _| !without.contains(&name.as_str()));
        if all.insert((sample.name.clone(), labels.clone()), sample.value).is_some() {
            twice.push(Fact::new("sample that is there twice", key(&sample.name, &labels)));
        }
    }
    let mut histograms: BTreeMap<Named, Vec<(f64, f64)>> = BTreeMap::new();
    for ((name, labels), value) in &all {
        if let (Some(base), Some(bound)) = (name.strip_suffix("_bucket"), labels.get("le")) {
            let mut labels = labels.clone();
            let bound = number(&json!(bound)).unwrap_or(f64::NAN);
            labels.remove("le");
            histograms.entry((base.to_owned(), labels)).or_default().push((bound, *value));
        }
    }
    let mut facts = twice;
    for ((name, labels), mut buckets) in histograms {
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut part = |suffix: &str| all.remove(&(format!("{name}{suffix}"), labels.clone()));
        let (count, sum) = (part("_count"), part("_sum"));
        facts.push(histogram(key(&name, &labels), count, sum, &buckets));
    }
    all.retain(|(name, labels), _| !(name.ends_with("_bucket") && labels.contains_key("le")));
    facts.extend(all.into_iter().map(|((name, labels), value)| scalar(key(&name, &labels), value)));
    facts
}

/// What a series is known by.
pub(super) fn key(name: &str, labels: &BTreeMap<String, String>) -> String {
    format!("{name}{}", json!(labels))
}

/// A counter or gauge.
pub(super) fn scalar(key: String, value: f64) -> Fact {
    Fact::new("series", key).with("value", shown(value))
}

/// A histogram, each bucket with all that is no more than its bound.
///
/// OpenMetrics has neither sum nor count where there are buckets below zero; the last bucket is the count all the same.
pub(super) fn histogram(key: String, count: Option<f64>, sum: Option<f64>, buckets: &[(f64, f64)]) -> Fact {
    let all = buckets.last().filter(|(bound, _)| *bound == f64::INFINITY).map(|(_, count)| *count);
    let well = buckets.windows(2).all(|pair| pair[0].1 <= pair[1].1)
        && all.is_some()
        && (count.is_none() || count == all);
    let buckets: Vec<_> =
        buckets.iter().map(|(bound, count)| json!([shown(*bound), shown(*count)])).collect();
    Fact::new("series", key)
        .with("count", count.or(all).map(shown))
        .with("sum", sum.map(shown))
        .with("buckets", buckets)
        .with("buckets grow up to the count", well)
}

/// Whether a histogram that was found has no sum, as it may where there are buckets below zero.
pub(super) fn has_no_sum(found: &Fact) -> bool {
    bounds(found).iter().any(|bound| *bound < 0.0) && found.fields.get("sum").is_none_or(Value::is_null)
}

/// The bounds of a histogram that was found.
pub(super) fn bounds(found: &Fact) -> Vec<f64> {
    let buckets = found.fields.get("buckets").and_then(Value::as_array);
    buckets.into_iter().flatten().filter_map(|bucket| number(&bucket[0]).ok()).collect()
}

/// A number in one form, with names for those that JSON has not.
///
/// It has 15 digits, since VictoriaMetrics keeps decimals and so loses what is behind them.
fn shown(value: f64) -> Value {
    if value.is_finite() {
        json!(format!("{value:.14e}").parse().unwrap_or(value))
    } else {
        json!(if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "+Inf"
        } else {
            "-Inf"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, labels: &[(&str, &str)], value: f64) -> Sample {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Sample { name: name.into(), labels, value }
    }

    #[test]
    fn numbers_are_told_apart_to_fifteen_digits() {
        assert_eq!(shown(0.000_888_699_000_000_000_1), shown(0.000_888_699));
        assert_ne!(shown(0.000_888_699_000_001), shown(0.000_888_699));
        assert_eq!((shown(3.0), shown(0.0)), (json!(3.0), json!(0.0)));
    }

    #[test]
    fn samples_come_together_to_series() {
        let buckets = [("1.0", 2.0), ("+Inf", 3.0)]
            .map(|(le, value)| one("a_bucket", &[("le", le), ("l", "x")], value));
        let rest = [
            one("a_sum", &[("l", "x")], 4.5),
            one("a_count", &[("l", "x")], 3.0),
            one("b_count", &[], 7.0),
            one("up", &[], 1.0),
        ];
        let facts = series(&[&buckets[..], &rest].concat(), &["job"]);
        let labels = BTreeMap::from([("l".to_owned(), "x".to_owned())]);
        let wanted = histogram(key("a", &labels), Some(3.0), Some(4.5), &[(1.0, 2.0), (f64::INFINITY, 3.0)]);
        assert_eq!(facts, [wanted, scalar("b_count{}".into(), 7.0)]);
        assert_eq!(facts[0].fields["buckets grow up to the count"], true);
        assert_eq!(bounds(&facts[0]), [1.0, f64::INFINITY]);
    }

    #[test]
    fn buckets_that_shrink_and_series_that_are_there_twice_are_seen() {
        let shrunk = histogram("a".into(), Some(3.0), Some(1.0), &[(1.0, 4.0), (f64::INFINITY, 3.0)]);
        let short = histogram("a".into(), Some(3.0), Some(1.0), &[(1.0, 3.0)]);
        for wrong in [shrunk, short] {
            assert_eq!(wrong.fields["buckets grow up to the count"], false);
        }
        let facts = series(&[one("a", &[("job", "x")], 1.0), one("a", &[("job", "y")], 1.0)], &["job"]);
        assert_eq!(facts[0].kind, "sample that is there twice");
    }

    #[test]
    fn a_querys_answer_is_read() {
        let answer = json!({ "data": { "result": [{ "metric": { "__name__": "a", "l": "x" }, "value": [1.5, "+Inf"] }] } });
        assert_eq!(of_query(&answer).unwrap(), [one("a", &[("l", "x")], f64::INFINITY)]);
        assert!(of_query(&json!({ "status": "error" })).is_err());
    }
}
