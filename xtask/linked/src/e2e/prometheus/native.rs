//! Native histograms: Prometheus' own exponential ones, by remote write.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use obs_core::{Metric, MetricValue, Record, Signal};
use obs_grafana::Histograms;
use serde_json::Value;

use super::blank;
use super::expected::{Names, amount, identity};
use super::remote::{INSTANCE, exporter};
use super::samples::{key, labels, number};
use super::server::Server;
use crate::e2e::fact::{Fact, compare};
use crate::e2e::row::Row;
use crate::e2e::stage::VISIBLE;
use crate::e2e::{Scene, deliver, ledger};

/// Samples as native histograms into Prometheus.
pub(super) fn row(scene: &Scene, server: &Server) -> Result<Row> {
    let records: Vec<_> = scene.records.iter().filter(|record| is_sample(record)).cloned().collect();
    let mut row = blank(scene, "native histograms".to_owned(), "prometheus", "remote write".into());
    row.sent = records.len();
    let report = deliver(exporter(server, Histograms::Exponential)?, &records)?;
    scene.stage.settles(VISIBLE, async || {
        let found = found(&server.query("{__name__!=\"\"}").await?)?;
        row.compared =
            compare(&expected(&records, &found), &found.iter().map(Found::fact).collect::<Vec<_>>());
        Ok(row.compared.wrong.is_empty())
    })?;
    row.compared.wrong.extend(ledger(&report, Signal::Metrics));
    Ok(row)
}

fn is_sample(record: &Record) -> bool {
    matches!(record, Record::Metric(Metric { value: MetricValue::Sample(_), .. }))
}

/// A histogram as Prometheus tells it.
#[derive(Debug)]
struct Found {
    key: String,
    count: f64,
    sum: f64,
    /// Which bounds are inclusive, both bounds and the count.
    buckets: Vec<(u64, f64, f64, f64)>,
}

impl Found {
    fn fact(&self) -> Fact {
        let counts: Vec<_> = self.buckets.iter().map(|(.., count)| *count).collect();
        Fact::new("native histogram", &self.key)
            .with("count", self.count)
            .with("sum", self.sum)
            .with("buckets", counts)
    }
}

fn found(answer: &Value) -> Result<Vec<Found>> {
    let result = answer["data"]["result"].as_array().context("the answer has no result")?;
    let histograms = result.iter().filter(|one| one["histogram"].is_array());
    histograms
        .map(|one| {
            let mut of = labels(&one["metric"])?;
            let name = of.remove("__name__").unwrap_or_default();
            of.retain(|name, _| !INSTANCE.contains(&name.as_str()));
            let histogram = &one["histogram"][1];
            let buckets = histogram["buckets"].as_array().into_iter().flatten().map(|bucket| {
                let bound = |nth: usize| number(&bucket[nth]);
                Ok((bucket[0].as_u64().unwrap_or_default(), bound(1)?, bound(2)?, bound(3)?))
            });
            let buckets = buckets.collect::<Result<_>>()?;
            Ok(Found {
                key: key(&name, &of),
                count: number(&histogram["count"])?,
                sum: number(&histogram["sum"])?,
                buckets,
            })
        })
        .collect()
}

/// Whether a value is in a bucket: the first number says which bounds are inclusive.
fn holds(&(rule, low, high, _): &(u64, f64, f64, f64), value: f64) -> bool {
    match rule {
        0 => low < value && value <= high,
        1 => low <= value && value < high,
        2 => low < value && value < high,
        _ => low <= value && value <= high,
    }
}

/// The samples counted into the buckets that were found.
fn expected(records: &[Record], found: &[Found]) -> Vec<Fact> {
    let mut series = BTreeMap::<String, Vec<f64>>::new();
    for record in records {
        let Record::Metric(metric) = record else { continue };
        series.entry(identity(metric, Names::Compatible).0).or_default().push(amount(&metric.value));
    }
    let facts = series.into_iter().map(|(key, values)| {
        let there = found.iter().find(|there| there.key == key);
        let within = |bucket: &(u64, f64, f64, f64)| {
            values.iter().filter(|value| holds(bucket, **value)).count() as f64
        };
        let counts: Vec<_> =
            there.map(|there| there.buckets.iter().map(within).collect()).unwrap_or_default();
        Fact::new("native histogram", key)
            .with("count", values.len() as f64)
            .with("sum", values.iter().sum::<f64>())
            .with("buckets", counts)
    });
    facts.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn samples_are_counted_into_the_buckets_that_prometheus_tells() {
        let answer = |count: &str| {
            json!({ "data": { "result": [{ "metric": { "__name__": "d", "instance": "x" },
            "histogram": [1.0, { "count": "3", "sum": "8.5", "buckets": [[3, "-1e-128", "1e-128", "0"], [0, "0.5", "1", count], [0, "4", "8", "1"]] }] }] } })
        };
        let records: Vec<_> = [0.6, 0.9, 7.0]
            .map(|value| {
                Record::Metric(Metric::new(
                    obs_core::Timestamp::from_nanos(1),
                    "d",
                    MetricValue::Sample(value),
                ))
            })
            .into();
        for (count, equal) in [("2", 1), ("1", 0)] {
            let found = found(&answer(count)).unwrap();
            let facts: Vec<_> = found.iter().map(Found::fact).collect();
            assert_eq!(compare(&expected(&records, &found), &facts).equal, equal);
        }
    }
}
