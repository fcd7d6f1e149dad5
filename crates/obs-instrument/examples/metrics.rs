//! Measured once: series go to an OpenTelemetry collector, and stand on a page that Prometheus scrapes.

use std::time::Duration;

use obs_instrument::Observability;
use obs_otel::{OtelConfig, OtelExporter};
use obs_prometheus::{PrometheusConfig, PrometheusExporter};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let obs = Observability::builder("support-bot")
        .to(OtelExporter::new(OtelConfig::from_env()?)?)
        .to(PrometheusExporter::new(PrometheusConfig::pull().with_metrics_port(9464))?)
        .build()?;

    let meter = obs.meter();
    let answers = meter.counter("support.answers").with_unit("{answer}");
    let waiting = meter.histogram("support.wait").with_unit("s");
    answers.add(1.0, [("model", "gpt-4o"), ("outcome", "ok")]);
    waiting.record(0.82, [("model", "gpt-4o")]);

    println!("{}", obs.flush(Duration::from_secs(5)));
    Ok(())
}
