//! Prometheus: its page scraped and read, its Pushgateway, and remote write.

mod exemplars;
mod expected;
mod gateway;
mod native;
mod page;
mod remote;
mod samples;
mod server;

use std::net::SocketAddr;

use anyhow::{Context, Result, anyhow};
use obs_core::{Record, Signal};
use obs_http::Request;
use obs_pipeline::DestinationSpec;
use obs_prometheus::{MetricNames, PrometheusConfig, PrometheusExporter};

use super::api::Api;
use super::fact::{Compared, compare};
use super::install::Program;
use super::row::Row;
use super::stage::VISIBLE;
use super::{Scene, Sent, ledger};
use expected::{Names, expected};
use samples::{Sample, series};
use server::Server;

pub(crate) use gateway::push;
pub(crate) use remote::write;

/// A style of names: what the job is called, the option, the rules, and what promtool has against the names.
const STYLES: [(&str, MetricNames, Names, &[&str]); 2] = [
    ("idiomatic", MetricNames::Idiomatic, Names::Idiomatic, &[]),
    (
        "recorded",
        MetricNames::Recorded,
        Names::Recorded,
        &[
            "mastra_agent_duration_ms metric names should not contain abbreviated units",
            "mastra_model_duration_ms metric names should not contain abbreviated units",
            "mastra_model_time_to_first_token_ms metric names should not contain abbreviated units",
            "mastra_tool_duration_ms metric names should not contain abbreviated units",
            "mastra_workflow_duration_ms metric names should not contain abbreviated units",
        ],
    ),
];

/// What Prometheus adds to what it scrapes.
const TARGET: &[&str] = &["job", "instance"];

/// The page of an exporter that runs.
#[derive(Debug)]
struct Page {
    sent: Sent,
    names: Names,
    /// What it shows.
    records: Vec<Record>,
    address: SocketAddr,
}

impl Page {
    fn open(style: MetricNames, names: Names, records: &[Record]) -> Result<Self> {
        let records: Vec<_> = records.iter().filter(|record| !clashes(record, names)).cloned().collect();
        let config = PrometheusConfig::pull().with_metrics_port(0).with_metric_names(style);
        let exporter = PrometheusExporter::new(config).map_err(|error| anyhow!("{error}"))?;
        let address = exporter.local_addr().context("the page has no listener")?;
        Ok(Self { sent: Sent::new(DestinationSpec::new(exporter), &records)?, names, records, address })
    }

    fn text(&self, scene: &Scene, accept: &str) -> Result<String> {
        let request = Request::get("/metrics").with_header("accept", accept);
        scene.stage.block_on(Api::on(self.address.port())?.text(request)).context("the page")
    }
}

/// Whether a record has the name of another one of the fixtures once both are counters of their recorded names; a page has
/// one of them and refuses the other.
fn clashes(record: &Record, names: Names) -> bool {
    names == Names::Recorded && matches!(record, Record::Metric(metric) if metric.name == "requests.total")
}

/// A real Prometheus scrapes the page, promtool and Prometheus' client for Python read it.
pub(crate) fn pull(scene: &Scene) -> Result<Vec<Row>> {
    let mut pages = Vec::new();
    for (job, style, names, _) in STYLES {
        pages.push((job, Page::open(style, names, &scene.records)?));
    }
    let jobs: Vec<_> = pages.iter().map(|(job, page)| (*job, page.address)).collect();
    let server = Server::prometheus(scene, &jobs, "exemplar-storage")?;
    let mut rows = Vec::new();
    for ((job, page), (_, _, names, excused)) in pages.into_iter().zip(STYLES) {
        rows.push(scraped(scene, &server, job, &page)?);
        if names == Names::Idiomatic {
            rows.push(exemplars::row(scene, &server, job, names)?);
        }
        rows.push(linted(scene, &page, job, excused)?);
        for (format, accept) in FORMATS {
            rows.push(read(scene, &page, job, (format, accept))?);
        }
        let report = page.sent.end();
        if let Some(row) = rows.last_mut() {
            row.compared.wrong.extend(ledger(&report, Signal::Metrics));
        }
    }
    Ok(rows)
}

const FORMATS: [(&str, &str); 2] =
    [("text", "text/plain;version=0.0.4"), ("openmetrics", "application/openmetrics-text;version=1.0.0")];

fn blank(scene: &Scene, what: String, backend: &'static str, transport: String) -> Row {
    let sent = scene.records.iter().filter(|record| record.signal() == Signal::Metrics).count();
    Row { what, backend, transport, sent, requests: None, compared: Compared::default() }
}

/// What was found, held against the records.
fn held(records: &[Record], names: Names, samples: &[Sample], without: &[&str]) -> Compared {
    let found = series(samples, without);
    compare(&expected(records, names, &found), &found)
}

fn scraped(scene: &Scene, server: &Server, job: &str, page: &Page) -> Result<Row> {
    let mut row = blank(scene, format!("{job} names"), "prometheus", "scrape".into());
    scene.stage.settles(VISIBLE, async || {
        let samples = server.samples(&format!("{{job=\"{job}\"}}")).await?;
        row.compared = held(&page.records, page.names, &samples, TARGET);
        let told = samples
            .iter()
            .any(|sample| sample.name == "target_info" && sample.labels.contains_key("service_version"));
        if !told {
            row.compared.wrong.push("target_info does not tell the service's version".into());
        }
        Ok(row.compared.wrong.is_empty())
    })?;
    Ok(row)
}

fn linted(scene: &Scene, page: &Page, job: &str, excused: &[&str]) -> Result<Row> {
    let text = page.text(scene, FORMATS[0].1)?;
    let mut row = blank(scene, format!("{job} names"), "promtool", "check metrics".into());
    let families: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let lint = page::lint(scene.shelf.path(Program::Promtool)?, &text)?;
    let wrong = page::unexcused(&lint, excused);
    row.compared =
        Compared { expected: families.len(), equal: families.len().saturating_sub(wrong.len()), wrong };
    Ok(row)
}

fn read(scene: &Scene, page: &Page, job: &str, (format, accept): (&str, &str)) -> Result<Row> {
    let text = page.text(scene, accept)?;
    let samples = page::read(scene.shelf.path(Program::Reader)?, format, &text)?;
    let mut row = blank(scene, format!("{job} names"), "prometheus_client", format.to_owned());
    row.compared = held(&page.records, page.names, &samples, &[]);
    Ok(row)
}
