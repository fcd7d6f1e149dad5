//! Renders Grafana's dashboard of the metrics that obs makes: of itself, and of spans, scores and feedback.

use anyhow::{Context, Result};
use obs_grafana::{SeriesKind, series_name};
use obs_instrument::{AUTOMATIC_METRICS, AutomaticMetric, DEFAULT_PREFIX};
use obs_pipeline::{SELF_METRICS, SelfMetric};
use serde_json::{Value, json};

use crate::files;

/// The rendered file.
const PAGE: &str = "docs/grafana/obs-dashboard.json";
const COMMAND: &str = "cargo xtask dashboard";

/// How wide a panel is, of 24, and how high.
const SIZE: (usize, usize) = (12, 8);

/// What is shown of a distribution.
const QUANTILES: [(&str, &str); 3] = [("0.5", "p50"), ("0.95", "p95"), ("0.99", "p99")];

/// The rows of automatic metrics: how their names go on behind the prefix, and what the row is called.
const ROWS: [(&[&str], &str); 5] = [
    (&["agent_"], "Agents"),
    (&["model_"], "Models"),
    (&["tool_"], "Tools"),
    (&["workflow_"], "Workflows"),
    (&["errors_", "scores_", "feedback_"], "Errors, scores and feedback"),
];

/// A metric of either catalogue.
#[derive(Debug, Clone, Copy)]
struct Shown {
    name: &'static str,
    kind: &'static str,
    unit: &'static str,
    labels: &'static [&'static str],
    description: &'static str,
    /// Which of its series are shown.
    chosen: &'static str,
}

impl From<&SelfMetric> for Shown {
    fn from(metric: &SelfMetric) -> Self {
        let SelfMetric { name, kind, unit, labels, description, .. } = *metric;
        Self {
            name,
            kind,
            unit,
            labels,
            description,
            chosen: "{job=~\"$job\", destination=~\"$destination\"}",
        }
    }
}

impl From<&AutomaticMetric> for Shown {
    fn from(metric: &AutomaticMetric) -> Self {
        let AutomaticMetric { name, kind, unit, labels, description, .. } = *metric;
        Self { name, kind, unit, labels, description, chosen: "{job=~\"$job\"}" }
    }
}

/// Writes the dashboard, or compares it.
pub(crate) fn run(check: bool) -> Result<()> {
    files::settle_by(check, &files::root(), PAGE, &text()?, COMMAND)
}

fn text() -> Result<String> {
    Ok(serde_json::to_string_pretty(&dashboard()?)? + "\n")
}

/// The rows in their order, each with its metrics.
fn rows() -> Vec<(&'static str, Vec<Shown>)> {
    let of = |heads: &[&str]| {
        let is_of = |metric: &&AutomaticMetric| {
            let rest = metric.name.strip_prefix(DEFAULT_PREFIX).unwrap_or(metric.name);
            heads.iter().any(|head| rest.starts_with(head))
        };
        AUTOMATIC_METRICS.iter().filter(is_of).map(Shown::from).collect()
    };
    let automatic = ROWS.iter().map(|(heads, title)| (*title, of(heads)));
    automatic.chain([("Delivery", SELF_METRICS.iter().map(Shown::from).collect())]).collect()
}

fn dashboard() -> Result<Value> {
    let any = SELF_METRICS.first().context("no metrics to show")?;
    let any = name(&any.into())?;
    Ok(json!({
        "uid": "obs-pipeline",
        "title": "obs",
        "description": format!("Rendered by `{COMMAND}` from the catalogues in obs-instrument and obs-pipeline; edit those."),
        "tags": ["obs"],
        "schemaVersion": 39,
        "editable": true,
        "time": { "from": "now-1h", "to": "now" },
        "refresh": "30s",
        "templating": { "list": [
            { "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus" },
            prefix(),
            variable("job", &format!("label_values({{__name__=~\"{any}|${{prefix:raw}}.+\"}}, job)")),
            variable("destination", &format!("label_values({any}{{job=~\"$job\"}}, destination)")),
        ]},
        "panels": panels()?,
    }))
}

/// What the application lets the names of automatic metrics begin with, to be changed in Grafana.
fn prefix() -> Value {
    let current = json!({ "text": DEFAULT_PREFIX, "value": DEFAULT_PREFIX });
    json!({
        "name": "prefix", "label": "Prefix", "type": "textbox", "query": DEFAULT_PREFIX, "current": current,
        "options": [current],
    })
}

fn variable(name: &str, query: &str) -> Value {
    json!({
        "name": name,
        "label": name,
        "type": "query",
        "datasource": source(),
        "query": { "query": query, "refId": name },
        "refresh": 2,
        "includeAll": true,
        "multi": true,
        "allValue": ".*",
        "current": { "text": "All", "value": "$__all" },
    })
}

fn source() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

/// All panels, row by row from the top.
fn panels() -> Result<Vec<Value>> {
    let (width, height) = SIZE;
    let across = 24 / width;
    let mut panels = Vec::new();
    let mut top = 0;
    for (title, metrics) in rows() {
        panels.push(json!({
            "id": panels.len() + 1,
            "type": "row",
            "title": title,
            "collapsed": false,
            "panels": [],
            "gridPos": { "x": 0, "y": top, "w": 24, "h": 1 },
        }));
        top += 1;
        for (nth, metric) in metrics.iter().enumerate() {
            let place = json!({ "x": nth % across * width, "y": top + nth / across * height, "w": width, "h": height });
            panels.push(panel(panels.len() + 1, &place, metric)?);
        }
        top += metrics.len().div_ceil(across) * height;
    }
    Ok(panels)
}

fn panel(id: usize, place: &Value, metric: &Shown) -> Result<Value> {
    let targets: Vec<Value> = queries(metric)?
        .into_iter()
        .enumerate()
        .map(|(nth, (query, legend))| {
            let id = char::from(b'A' + nth as u8).to_string();
            json!({ "refId": id, "datasource": source(), "expr": query, "legendFormat": legend, "range": true })
        })
        .collect();
    Ok(json!({
        "id": id,
        "type": "timeseries",
        "title": metric.name,
        "description": metric.description,
        "datasource": source(),
        "gridPos": place,
        "fieldConfig": { "defaults": { "unit": unit(metric), "min": 0 }, "overrides": [] },
        "options": { "legend": { "displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"] } },
        "targets": targets,
    }))
}

/// What a panel asks for, and what its lines are called.
fn queries(metric: &Shown) -> Result<Vec<(String, String)>> {
    let (name, chosen) = (name(metric)?, metric.chosen);
    let by = metric.labels.join(", ");
    let legend = metric.labels.iter().map(|label| format!("{{{{{label}}}}}")).collect::<Vec<_>>().join(" ");
    Ok(match kind(metric)? {
        SeriesKind::Counter => {
            vec![(format!("sum by ({by}) (rate({name}{chosen}[$__rate_interval]))"), legend)]
        }
        // Amounts of several processes add up; of states, which have no unit, the worst one is shown.
        SeriesKind::Gauge => {
            let of = if metric.unit == "1" { "max" } else { "sum" };
            vec![(format!("{of} by ({by}) ({name}{chosen})"), legend)]
        }
        SeriesKind::Histogram => QUANTILES
            .iter()
            .map(|(quantile, shown)| {
                let rate = format!("rate({name}_bucket{chosen}[$__rate_interval])");
                let query = format!("histogram_quantile({quantile}, sum by (le, {by}) ({rate}))");
                (query, format!("{shown} {legend}"))
            })
            .collect(),
    })
}

/// What the metric is called in Grafana; in place of the default prefix stands the one that is chosen there.
fn name(metric: &Shown) -> Result<String> {
    let name = series_name(metric.name, Some(metric.unit), kind(metric)?)
        .with_context(|| format!("{} has no name in Prometheus", metric.name))?;
    Ok(match name.strip_prefix(DEFAULT_PREFIX) {
        Some(rest) => format!("${{prefix:raw}}{rest}"),
        None => name,
    })
}

fn kind(metric: &Shown) -> Result<SeriesKind> {
    match metric.kind {
        "counter" => Ok(SeriesKind::Counter),
        "gauge" => Ok(SeriesKind::Gauge),
        "histogram" => Ok(SeriesKind::Histogram),
        other => anyhow::bail!("{}: the dashboard has no panel for the kind `{other}`", metric.name),
    }
}

/// Grafana's name of a unit.
fn unit(metric: &Shown) -> &'static str {
    match metric.unit {
        "s" => "s",
        "ms" => "ms",
        "By" => "bytes",
        _ => "short",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Shown> {
        AUTOMATIC_METRICS.iter().map(Shown::from).chain(SELF_METRICS.iter().map(Shown::from)).collect()
    }

    #[test]
    fn every_metric_of_the_catalogues_has_one_panel_that_asks_for_its_name() {
        let read: Value = serde_json::from_str(&text().unwrap()).unwrap();
        let panels = read["panels"].as_array().unwrap();
        for metric in all() {
            let of_it: Vec<_> = panels.iter().filter(|panel| panel["title"] == metric.name).collect();
            assert_eq!(of_it.len(), 1, "{}", metric.name);
            let (query, name) = (of_it[0]["targets"][0]["expr"].as_str().unwrap(), name(&metric).unwrap());
            assert!(query.contains(&format!("({name}")), "{query}");
        }
        assert_eq!(panels.len(), all().len() + rows().len());
    }

    #[test]
    fn no_panel_covers_another() {
        let mut taken = std::collections::HashSet::new();
        for panel in panels().unwrap() {
            let at = |field: &str| panel["gridPos"][field].as_u64().unwrap();
            for x in at("x")..at("x") + at("w") {
                for y in at("y")..at("y") + at("h") {
                    assert!(x < 24 && taken.insert((x, y)), "{}", panel["title"]);
                }
            }
        }
    }

    #[test]
    fn queries_follow_from_the_kind() {
        let of = |name: &str| {
            let metric = all().into_iter().find(|metric| metric.name == name).unwrap();
            queries(&metric).unwrap().into_iter().map(|(query, _)| query).collect::<Vec<_>>()
        };
        assert_eq!(
            of("obs.destination.records"),
            [
                "sum by (destination, signal, outcome, reason) (rate(obs_destination_records_total{job=~\"$job\", \
              destination=~\"$destination\"}[$__rate_interval]))"
            ]
        );
        let times = of("obs.destination.export.duration");
        assert!(times[1].starts_with("histogram_quantile(0.95, sum by (le, destination, signal) (rate(obs_destination_export_duration_seconds_bucket{"));
        assert!(of("obs.destination.queue.bytes")[0].contains("(obs_destination_queue_bytes{"));
        assert_eq!(
            of("mastra_tool_calls_ended"),
            [
                "sum by (tool, agent, status, env) (rate(${prefix:raw}tool_calls_ended_total{job=~\"$job\"}[$__rate_interval]))"
            ]
        );
        assert!(
            of("mastra_agent_duration_ms")[0]
                .contains("(rate(${prefix:raw}agent_duration_ms_milliseconds_bucket{job")
        );
    }
}
