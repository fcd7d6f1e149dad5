//! Remote write, into two servers that are not ours.

use anyhow::{Result, anyhow};
use obs_core::{MetricValue, Record, Signal};
use obs_grafana::{GrafanaConfig, GrafanaExporter, Histograms, MetricsVia};
use obs_pipeline::DestinationSpec;

use super::expected::Names;
use super::server::Server;
use super::{blank, held, native};
use crate::e2e::row::Row;
use crate::e2e::stage::VISIBLE;
use crate::e2e::{Scene, deliver, ledger};

/// Each process makes an instance for itself.
pub(super) const INSTANCE: &[&str] = &["instance"];

/// Series into VictoriaMetrics and into Prometheus.
pub(crate) fn write(scene: &Scene) -> Result<Vec<Row>> {
    let victoria = Server::victoria(scene)?;
    let mut rows = vec![classic(scene, &victoria, "victoria-metrics")?];
    let prometheus = Server::prometheus(scene, &[], "native-histograms")?;
    rows.push(classic(scene, &prometheus, "prometheus")?);
    rows.push(native::row(scene, &prometheus)?);
    Ok(rows)
}

pub(super) fn exporter(server: &Server, histograms: Histograms) -> Result<DestinationSpec> {
    let config = GrafanaConfig::self_hosted()
        .with_metrics(MetricsVia::RemoteWrite)
        .with_mimir_endpoint(server.write.clone())
        .with_histograms(histograms);
    GrafanaExporter::new(config).map(DestinationSpec::new).map_err(|error| anyhow!("{error}"))
}

fn classic(scene: &Scene, server: &Server, backend: &'static str) -> Result<Row> {
    // An exponential histogram has no classic form; that it is refused is the exporter's own test.
    let classic = |record: &&Record| !matches!(record, Record::Metric(metric) if matches!(metric.value, MetricValue::ExpHistogram(_)));
    let records: Vec<_> = scene.records.iter().filter(classic).cloned().collect();
    let mut row = blank(scene, "compatible names".to_owned(), backend, "remote write".into());
    row.sent = records.iter().filter(|record| record.signal() == Signal::Metrics).count();
    let report = deliver(exporter(server, Histograms::Explicit)?, &records)?;
    scene.stage.settles(VISIBLE, async || {
        let samples = server.samples("{__name__!=\"\"}").await?;
        row.compared = held(&records, Names::Compatible, &samples, INSTANCE);
        Ok(row.compared.wrong.is_empty())
    })?;
    row.compared.wrong.extend(ledger(&report, Signal::Metrics));
    Ok(row)
}
