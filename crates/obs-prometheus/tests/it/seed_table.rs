//! The metrics of the first design, under both kinds of names.

use obs_core::MetricValue;
use obs_prometheus::{MetricNames, PrometheusConfig};

use crate::bench::{OPEN, delivered, exporter, metric, open_page, page};

const COUNTERS: &[(&str, &[&str])] = &[
    ("mastra_agent_runs_started", &["agent", "env", "service"]),
    ("mastra_agent_runs_ended", &["agent", "status", "env", "service"]),
    ("mastra_model_requests_started", &["model", "provider", "agent"]),
    ("mastra_model_requests_ended", &["model", "provider", "agent", "status"]),
    ("mastra_model_input_tokens", &["model", "provider", "agent"]),
    ("mastra_model_output_tokens", &["model", "provider", "agent"]),
    ("mastra_model_cache_read_tokens", &["model", "provider", "agent"]),
    ("mastra_model_cache_write_tokens", &["model", "provider", "agent"]),
    ("mastra_tool_calls_started", &["tool", "agent", "env"]),
    ("mastra_tool_calls_ended", &["tool", "agent", "status", "env"]),
    ("mastra_workflow_runs_started", &["workflow", "env"]),
    ("mastra_workflow_runs_ended", &["workflow", "status", "env"]),
    ("mastra_scores_total", &["scorer", "entity_type", "experiment"]),
    ("mastra_feedback_total", &["feedback_type", "source", "entity_type", "experiment"]),
];

const HISTOGRAMS: &[(&str, &[&str])] = &[
    ("mastra_agent_duration_ms", &["agent", "status", "env", "service"]),
    ("mastra_model_duration_ms", &["model", "provider", "agent"]),
    ("mastra_tool_duration_ms", &["tool", "agent", "env"]),
    ("mastra_workflow_duration_ms", &["workflow", "status", "env"]),
];

#[tokio::test]
async fn every_metric_of_the_first_design_has_its_place() {
    for (names, duration, factor) in
        [(MetricNames::Recorded, "_duration_ms", 1.0), (MetricNames::Idiomatic, "_duration_seconds", 0.001)]
    {
        let exporter = exporter(PrometheusConfig::pull().with_metric_names(names));
        let of = |(name, labels): &(&'static str, &'static [&'static str]), value| {
            let mut metric = metric(name, value);
            metric.labels = labels.iter().map(|label| (*label, "x")).collect();
            metric
        };
        let counters = COUNTERS.iter().map(|row| of(row, MetricValue::Add(3.0)));
        let histograms = HISTOGRAMS.iter().map(|row| of(row, MetricValue::Sample(1_500.0)));
        delivered(&exporter, counters.chain(histograms).collect()).await;

        let (text, open) = (page(&exporter), open_page(&exporter, OPEN));
        for (name, labels) in COUNTERS {
            let base = name.strip_suffix("_total").unwrap_or(name);
            let sample = &text[&format!("{base}_total")].samples[0];
            assert_eq!((sample.value, sample.labels.len()), (3.0, labels.len()), "{name}");
            assert_eq!(open[base].samples[0].name, format!("{base}_total"));
        }
        for (name, _) in HISTOGRAMS {
            let family = &text[&name.replace("_duration_ms", duration)];
            let sum = family.samples.iter().find(|sample| sample.name.ends_with("_sum")).unwrap();
            assert_eq!((&*family.ty, sum.value), ("histogram", 1_500.0 * factor), "{name}");
        }
    }
}
