//! Buckets of one's own, for one metric at one destination.

use std::time::Duration;

use obs_instrument::Observability;
use obs_instrument::pipeline::{DestinationSpec, LaneConfig, MetricsConfig};
use obs_prometheus::{PrometheusConfig, PrometheusExporter};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bounds = [("support.wait".to_owned(), vec![0.1, 0.5, 1.0, 5.0])].into();
    let metrics = MetricsConfig { bounds, interval: Some(Duration::from_secs(5)), ..MetricsConfig::DEFAULT };
    let page = PrometheusExporter::new(PrometheusConfig::pull().with_metrics_port(9464))?;
    let page = DestinationSpec::new(page).with_config(LaneConfig { metrics, ..LaneConfig::DEFAULT });
    let obs = Observability::builder("support-bot").to(page).build()?;

    obs.meter().histogram("support.wait").with_unit("s").record(0.82, [("model", "gpt-4o")]);
    println!("{}", obs.flush(Duration::from_secs(5)));
    Ok(())
}
