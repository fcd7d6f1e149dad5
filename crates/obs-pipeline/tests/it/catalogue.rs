//! The metrics that a pipeline makes of itself are those that it says it makes, and those that the documentation lists.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use obs_core::{Metric, MetricValue, Record, Signal};
use obs_pipeline::{SELF_METRICS, SelfMetric};
use obs_testkit::{Scripted, Step};

use crate::make::{PATIENCE, builder, record};

fn kind(metric: &Metric) -> &'static str {
    match metric.value {
        MetricValue::Add(_) => "counter",
        MetricValue::Gauge(_) => "gauge",
        MetricValue::Histogram(_) => "histogram",
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn every_self_metric_is_as_the_catalogue_says() {
    let there = Scripted::new([]);
    let pipeline = builder()
        .to_named("here", Scripted::new([Step::Reject(vec![1])]))
        .to_named("there", Arc::clone(&there))
        .self_metrics("there", Duration::from_secs(1))
        .build()
        .unwrap();
    (0..10).for_each(|at| record(&pipeline.intake(), Signal::Logs, at));
    assert!(pipeline.flush(PATIENCE).complete);
    pipeline.shutdown(PATIENCE);
    let mut seen = BTreeSet::new();
    for told in there.records() {
        let Record::Metric(metric) = told else { continue };
        let known: Vec<&SelfMetric> = SELF_METRICS.iter().filter(|known| metric.name == known.name).collect();
        let [known] = &*known else { panic!("{} is not in the catalogue once", metric.name) };
        assert_eq!((kind(&metric), metric.unit.as_deref()), (known.kind, Some(known.unit)), "{}", known.name);
        assert_eq!(metric.description.as_deref(), Some(known.description));
        assert!(metric.labels.iter().all(|(label, _)| known.labels.contains(&label.as_str())), "{metric:?}");
        seen.insert(known.name);
    }
    assert_eq!(seen, SELF_METRICS.iter().map(|metric| metric.name).collect());
}

#[test]
fn the_documentation_has_a_row_for_every_self_metric_and_for_no_other() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `obs.")).collect();
    let expected = SELF_METRICS.map(|SelfMetric { name, kind, unit, labels, description, .. }| {
        let labels = labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        format!("| `{name}` | {kind} | `{unit}` | {labels} | {description} |")
    });
    assert_eq!(rows, expected);
}
