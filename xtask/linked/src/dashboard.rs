//! Renders Grafana's dashboard of the metrics that obs makes of itself, from their catalogue.

use anyhow::{Context, Result};
use obs_grafana::{SeriesKind, series_name};
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

/// Writes the dashboard, or compares it.
pub(crate) fn run(check: bool) -> Result<()> {
    files::settle_by(check, &files::root(), PAGE, &text(&SELF_METRICS)?, COMMAND)
}

fn text(metrics: &[SelfMetric]) -> Result<String> {
    let dashboard = dashboard(metrics)?;
    Ok(serde_json::to_string_pretty(&dashboard)? + "\n")
}

fn dashboard(metrics: &[SelfMetric]) -> Result<Value> {
    let panels: Vec<Value> =
        metrics.iter().enumerate().map(|(nth, metric)| panel(nth, metric)).collect::<Result<_>>()?;
    let any = metrics.first().context("no metrics to show")?;
    let any = name(any)?;
    Ok(json!({
        "uid": "obs-pipeline",
        "title": "obs: delivery",
        "description": format!("Rendered by `{COMMAND}` from the catalogue in obs-pipeline; edit that."),
        "tags": ["obs"],
        "schemaVersion": 39,
        "editable": true,
        "time": { "from": "now-1h", "to": "now" },
        "refresh": "30s",
        "templating": { "list": [
            { "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus" },
            variable("job", &format!("label_values({any}, job)")),
            variable("destination", &format!("label_values({any}{{job=~\"$job\"}}, destination)")),
        ]},
        "panels": panels,
    }))
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

fn panel(nth: usize, metric: &SelfMetric) -> Result<Value> {
    let targets: Vec<Value> = queries(metric)?
        .into_iter()
        .enumerate()
        .map(|(nth, (query, legend))| {
            let id = char::from(b'A' + nth as u8).to_string();
            json!({ "refId": id, "datasource": source(), "expr": query, "legendFormat": legend, "range": true })
        })
        .collect();
    let (width, height) = SIZE;
    let across = 24 / width;
    Ok(json!({
        "id": nth + 1,
        "type": "timeseries",
        "title": metric.name,
        "description": metric.description,
        "datasource": source(),
        "gridPos": { "x": nth % across * width, "y": nth / across * height, "w": width, "h": height },
        "fieldConfig": { "defaults": { "unit": unit(metric), "min": 0 }, "overrides": [] },
        "options": { "legend": { "displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"] } },
        "targets": targets,
    }))
}

/// What a panel asks for, and what its lines are called.
fn queries(metric: &SelfMetric) -> Result<Vec<(String, String)>> {
    const CHOSEN: &str = "{job=~\"$job\", destination=~\"$destination\"}";
    let name = name(metric)?;
    let by = metric.labels.join(", ");
    let legend = metric.labels.iter().map(|label| format!("{{{{{label}}}}}")).collect::<Vec<_>>().join(" ");
    Ok(match kind(metric)? {
        SeriesKind::Counter => {
            vec![(format!("sum by ({by}) (rate({name}{CHOSEN}[$__rate_interval]))"), legend)]
        }
        // Amounts of several processes add up; of states, which have no unit, the worst one is shown.
        SeriesKind::Gauge => {
            let of = if metric.unit == "1" { "max" } else { "sum" };
            vec![(format!("{of} by ({by}) ({name}{CHOSEN})"), legend)]
        }
        SeriesKind::Histogram => QUANTILES
            .iter()
            .map(|(quantile, shown)| {
                let rate = format!("rate({name}_bucket{CHOSEN}[$__rate_interval])");
                let query = format!("histogram_quantile({quantile}, sum by (le, {by}) ({rate}))");
                (query, format!("{shown} {legend}"))
            })
            .collect(),
    })
}

/// What the metric is called in Grafana.
fn name(metric: &SelfMetric) -> Result<String> {
    series_name(metric.name, Some(metric.unit), kind(metric)?)
        .with_context(|| format!("{} has no name in Prometheus", metric.name))
}

fn kind(metric: &SelfMetric) -> Result<SeriesKind> {
    match metric.kind {
        "counter" => Ok(SeriesKind::Counter),
        "gauge" => Ok(SeriesKind::Gauge),
        "histogram" => Ok(SeriesKind::Histogram),
        other => anyhow::bail!("{}: the dashboard has no panel for the kind `{other}`", metric.name),
    }
}

/// Grafana's name of a unit.
fn unit(metric: &SelfMetric) -> &'static str {
    match metric.unit {
        "s" => "s",
        "By" => "bytes",
        _ => "short",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_of_the_catalogue_has_a_panel_that_asks_for_its_name() {
        let text = text(&SELF_METRICS).unwrap();
        for metric in &SELF_METRICS {
            assert!(text.contains(&format!("\"title\": \"{}\"", metric.name)));
            let name = name(metric).unwrap();
            assert!(text.contains(&format!("({name}")), "{name}");
        }
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["panels"].as_array().map(Vec::len), Some(SELF_METRICS.len()));
    }

    #[test]
    fn queries_follow_from_the_kind() {
        let of = |name: &str| {
            let metric = SELF_METRICS.iter().find(|metric| metric.name == name).unwrap();
            queries(metric).unwrap().into_iter().map(|(query, _)| query).collect::<Vec<_>>()
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
    }
}
