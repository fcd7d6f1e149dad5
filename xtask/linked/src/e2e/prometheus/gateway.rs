//! The Pushgateway: what it keeps of pushes that replace, add and delete.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow, ensure};
use obs_core::{Metric, MetricValue, Record, Resource, Signal};
use obs_pipeline::{Clock, DestinationSpec};
use obs_prometheus::{PrometheusConfig, PrometheusExporter, PushMethod};
use serde_json::Value;

use super::expected::Names;
use super::samples::{Sample, labels, number};
use super::{blank, held};
use crate::e2e::api::Api;
use crate::e2e::install::Program;
use crate::e2e::row::Row;
use crate::e2e::stage::free_ports;
use crate::e2e::{Scene, deliver, ledger};

const JOB: &str = "obs";

/// What a gateway adds to what it is given.
const GROUP: &[&str] = &["job", "instance"];

/// Pushes, one after the other into the same group: what is pushed, how, whether the group is deleted at the end, and what is
/// there then.
struct Step<'a> {
    name: &'static str,
    records: &'a [Record],
    method: PushMethod,
    delete: bool,
    there: Vec<Record>,
}

/// Pushes that replace, add and delete, each read back.
pub(crate) fn push(scene: &Scene) -> Result<Vec<Row>> {
    let [port] = free_ports()?;
    let name = Program::Pushgateway.name();
    // Debian's keeps what it has in a place of its own unless it is told another.
    let words = ["--persistence.file=data".to_owned(), format!("--web.listen-address=127.0.0.1:{port}")];
    scene.stage.start(name, scene.shelf.path(Program::Pushgateway)?, &words, &[])?;
    let api = Api::on(port)?;
    scene.stage.ready(name, async || api.answers("/-/ready").await)?;
    let (few, more) = ([counted("e2e.few", 3.0)], [counted("e2e.more", 4.0)]);
    let step = |name, records, method, delete, there| Step { name, records, method, delete, there };
    let steps = [
        step("push", &scene.records[..], PushMethod::Put, false, scene.records.clone()),
        step("replace with fewer, PUT", &few, PushMethod::Put, false, few.to_vec()),
        step("add, POST", &more, PushMethod::Post, false, [few.clone(), more.clone()].concat()),
        step("delete on shutdown", &few, PushMethod::Put, true, Vec::new()),
    ];
    steps.iter().map(|step| made(scene, &api, step)).collect()
}

fn counted(name: &'static str, amount: f64) -> Record {
    let mut metric = Metric::new(Clock::system().now(), name, MetricValue::Add(amount));
    metric.resource = Resource::service("e2e").into();
    Record::Metric(metric)
}

fn made(scene: &Scene, api: &Api, step: &Step<'_>) -> Result<Row> {
    let config = PrometheusConfig::push(api.base(), JOB)
        .with_instance_label("one")
        .with_method(step.method)
        .with_delete_on_shutdown(step.delete);
    let exporter = PrometheusExporter::new(config).map_err(|error| anyhow!("{error}"))?;
    let report = deliver(DestinationSpec::new(exporter), step.records)?;
    let mut row = blank(scene, step.name.to_owned(), "pushgateway", "push".into());
    row.sent = step.records.iter().filter(|record| record.signal() == Signal::Metrics).count();
    let samples = samples(&scene.stage.block_on(api.json("/api/v1/metrics"))?)?;
    row.compared = held(&step.there, Names::Idiomatic, &samples, GROUP);
    let grouped =
        samples.iter().all(|sample| sample.labels.get("instance").is_some_and(|name| name == "one"));
    if !grouped {
        row.compared.wrong.push("not all of it is in the group `instance=one`".into());
    }
    row.compared.wrong.extend(ledger(&report, Signal::Metrics));
    Ok(row)
}

/// The samples of all groups, but those that the gateway makes itself.
fn samples(answer: &Value) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for group in answer["data"].as_array().context("the gateway has no groups")? {
        ensure!(
            group["last_push_successful"] == true,
            "the gateway did not like the last push: {group:.300}"
        );
        let families = group.as_object().into_iter().flatten();
        let families =
            families.filter(|(name, family)| family["metrics"].is_array() && !name.starts_with("push_"));
        for (name, family) in families {
            for metric in family["metrics"].as_array().into_iter().flatten() {
                put(name, metric, &mut samples)?;
            }
        }
    }
    Ok(samples)
}

fn put(name: &str, metric: &Value, samples: &mut Vec<Sample>) -> Result<()> {
    let labels = labels(&metric["labels"])?;
    let mut add = |suffix: &str, value: &Value, labels: BTreeMap<String, String>| {
        number(value).map(|value| samples.push(Sample { name: format!("{name}{suffix}"), labels, value }))
    };
    let Some(buckets) = metric["buckets"].as_object() else { return add("", &metric["value"], labels) };
    for (bound, count) in buckets {
        let labels = labels.clone().into_iter().chain([("le".to_owned(), bound.clone())]).collect();
        add("_bucket", count, labels)?;
    }
    add("_count", &metric["count"], labels.clone())?;
    add("_sum", &metric["sum"], labels)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_gateways_families_become_samples() {
        let answer = json!({ "data": [{ "labels": { "job": "obs" }, "last_push_successful": true,
            "push_time_seconds": { "metrics": [{ "labels": {}, "value": "1" }] },
            "a_total": { "metrics": [{ "labels": { "job": "obs" }, "value": "3" }] },
            "d": { "metrics": [{ "labels": {}, "buckets": { "1": "2", "+Inf": "3" }, "count": "3", "sum": "4.5" }] } }] });
        let mut names: Vec<_> =
            samples(&answer).unwrap().into_iter().map(|sample| (sample.name, sample.value)).collect();
        names.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let wanted =
            [("a_total", 3.0), ("d_bucket", 2.0), ("d_bucket", 3.0), ("d_count", 3.0), ("d_sum", 4.5)];
        assert_eq!(names, wanted.map(|(name, value)| (name.to_owned(), value)));
        let refused = json!({ "data": [{ "last_push_successful": false }] });
        assert!(samples(&refused).is_err());
    }
}
