//! Exemplars: the spans that Prometheus knows to have been measured.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use obs_core::{Exemplar, MetricValue, Record};
use serde_json::Value;

use super::expected::{Names, amount, identity};
use super::samples::{key, labels, number};
use super::server::Server;
use super::{TARGET, blank};
use crate::e2e::Scene;
use crate::e2e::fact::{Fact, compare};
use crate::e2e::row::Row;
use crate::e2e::stage::VISIBLE;

/// A measurement under a span: the trace, the span and the value.
type Measured = (String, String, String);

/// Every series that was measured under spans has some of them in Prometheus, and none that did not measure it.
pub(super) fn row(scene: &Scene, server: &Server, job: &str, names: Names) -> Result<Row> {
    let mut row = blank(scene, format!("{job} names, exemplars"), "prometheus", "scrape".into());
    let known = measured(&scene.records, names);
    let wanted: Vec<_> = known.keys().map(|key| fact(key, true)).collect();
    scene.stage.settles(VISIBLE, async || {
        let query = format!("{{job=\"{job}\"}}");
        let fields = [("query", query.as_str()), ("start", "1"), ("end", "4000000000")];
        let answer = server.api.ask("/api/v1/query_exemplars", &fields).await?;
        row.compared = compare(&wanted, &found(&answer, &known)?);
        Ok(row.compared.wrong.is_empty())
    })?;
    Ok(row)
}

fn fact(key: &str, known: bool) -> Fact {
    Fact::new("exemplars of series", key).with("all of spans that measured it", known)
}

/// The measurements under spans by series; gauges have none on a page.
fn measured(records: &[Record], names: Names) -> BTreeMap<String, BTreeSet<Measured>> {
    let mut all = BTreeMap::<_, BTreeSet<_>>::new();
    for record in records {
        let Record::Metric(metric) = record else { continue };
        let (own, value) = match &metric.value {
            MetricValue::Add(_) | MetricValue::Sample(_) | MetricValue::Sum { monotonic: true, .. } => {
                (metric.exemplar.as_slice(), amount(&metric.value))
            }
            MetricValue::Histogram(of) => (&*of.exemplars, f64::NAN),
            MetricValue::ExpHistogram(of) => (&*of.exemplars, f64::NAN),
            _ => continue,
        };
        let (key, over) = identity(metric, names);
        for exemplar in own {
            all.entry(key.clone()).or_default().insert(told(exemplar, value, over));
        }
    }
    all
}

fn told(exemplar: &Exemplar, value: f64, over: f64) -> Measured {
    let span = exemplar.span.span_id.map(|id| id.to_string()).unwrap_or_default();
    (exemplar.span.trace_id.to_string(), span, (exemplar.value.unwrap_or(value) / over).to_string())
}

/// What Prometheus has, a fact for each series that has any.
fn found(answer: &Value, known: &BTreeMap<String, BTreeSet<Measured>>) -> Result<Vec<Fact>> {
    let mut all = BTreeMap::<String, bool>::new();
    for series in answer["data"].as_array().context("the answer has no exemplars")? {
        let mut of = labels(&series["seriesLabels"])?;
        let name = of.remove("__name__").unwrap_or_default();
        of.retain(|name, _| !TARGET.contains(&name.as_str()) && name != "le");
        let key = key(name.strip_suffix("_bucket").unwrap_or(&name), &of);
        for exemplar in series["exemplars"].as_array().into_iter().flatten() {
            let text = |name: &str| exemplar["labels"][name].as_str().unwrap_or_default().to_owned();
            let measured = (text("trace_id"), text("span_id"), number(&exemplar["value"])?.to_string());
            let well = known.get(&key).is_some_and(|known| known.contains(&measured));
            let all_well = all.entry(key.clone()).or_insert(true);
            *all_well &= well;
        }
    }
    Ok(all.iter().map(|(key, known)| fact(key, *known)).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_exemplar_of_a_span_that_measured_nothing_is_seen() {
        let exemplar = |span: &str| json!({ "labels": { "trace_id": "t", "span_id": span }, "value": "0.5", "timestamp": 1.0 });
        let answer = |span: &str| {
            json!({ "data": [{ "seriesLabels": { "__name__": "d_bucket", "le": "1", "l": "x", "job": "j" },
                "exemplars": [exemplar("s"), exemplar(span)] }] })
        };
        let measured = ("t".to_owned(), "s".to_owned(), "0.5".to_owned());
        let known = BTreeMap::from([("d{\"l\":\"x\"}".to_owned(), BTreeSet::from([measured]))]);
        assert_eq!(found(&answer("s"), &known).unwrap(), [fact("d{\"l\":\"x\"}", true)]);
        assert_eq!(found(&answer("other"), &known).unwrap(), [fact("d{\"l\":\"x\"}", false)]);
    }
}
