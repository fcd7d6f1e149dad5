//! Shows some metrics as Prometheus gets them: on a page, or at the Pushgateway of `PROMETHEUS_PUSHGATEWAY_URL`.

use std::time::{SystemTime, UNIX_EPOCH};

use obs_core::{Batch, Exporter, Metric, MetricValue, Resource, Timestamp};
use obs_prometheus::{PrometheusConfig, PrometheusExporter};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let exporter = PrometheusExporter::new(PrometheusConfig::from_env()?)?;
    println!("ready: {:?}", exporter.check().await);

    let time = now()?;
    let metrics = [
        labelled(Metric::new(time, "mastra_agent_runs_started", MetricValue::Add(1.0))),
        labelled(Metric::new(time, "mastra_agent_duration_ms", MetricValue::Sample(1_250.0))),
        labelled(Metric::new(time, "queue.size", MetricValue::Gauge(3.0))),
    ];
    let receipt = exporter.export(&Batch::Metrics(metrics.into_iter().collect())).await?;
    println!("{} delivered", receipt.delivered);

    print!("{}", exporter.render("application/openmetrics-text").body);
    exporter.shutdown().await?;
    Ok(())
}

/// The metric as one of an agent of a service.
fn labelled(mut metric: Metric) -> Metric {
    metric.labels = [("agent", "support")].into();
    metric.resource = Resource::service("shop").into();
    metric
}

#[expect(clippy::disallowed_methods, reason = "an example is an application: it brings the time")]
fn now() -> Result<Timestamp, Box<dyn std::error::Error>> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(Timestamp::from_nanos(u64::try_from(since.as_nanos())?))
}
