//! The exporters, each with the place it sends to and the ids that its form has room for.

use anyhow::{Result, anyhow};
use obs_console::{ConsoleConfig, ConsoleExporter};
use obs_core::{Signal, SpanId};
use obs_datadog::{DatadogConfig, DatadogExporter};
use obs_file::{FileConfig, FileExporter};
use obs_grafana::{GrafanaConfig, GrafanaExporter};
use obs_json::{JsonConfig, JsonExporter};
use obs_mastra::{MastraConfig, MastraExporter};
use obs_newrelic::{NewRelicConfig, NewRelicExporter};
use obs_otel::{OtelConfig, OtelExporter};
use obs_prometheus::{PrometheusConfig, PrometheusExporter};
use obs_store::{StoreConfig, StoreExporter};
use obs_testkit::Answer;
use obs_webhook::{WebhookConfig, WebhookExporter};

use super::ground::Ground;
use super::place::{Place, Screen, Stand};
use super::read::{braintrust, datadog, langfuse, langsmith, lines, mastra, newrelic, otlp, webhook};
use super::scene::Sent;
use crate::platform::langsmith::run;
use crate::platforms::servers;

/// An exporter.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) name: &'static str,
    /// Makes it and its place, with every condition of its table met.
    pub(crate) open: fn(&Ground) -> Result<Stand>,
    /// The ids of each signal, in the order of the signals.
    pub(super) carried: [Carried; Signal::COUNT],
}

/// Which ids a form has room for, and how they follow from ours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Carried {
    pub(super) trace: Option<fn(&Sent) -> String>,
    pub(super) span: Option<fn(SpanId) -> String>,
    /// Why one of them is missing, or follows from another.
    pub(super) why: &'static str,
}

fn trace(sent: &Sent) -> String {
    sent.trace.to_string()
}

fn span(span: SpanId) -> String {
    span.to_string()
}

fn decimal(span: SpanId) -> String {
    u64::from_be_bytes(span.to_bytes()).to_string()
}

fn run_of_root(sent: &Sent) -> String {
    run(sent.root)
}

/// Both, as they are printed.
const IDS: Carried = Carried { trace: Some(trace), span: Some(span), why: "" };

/// The span alone.
const fn of_span(why: &'static str) -> Carried {
    Carried { trace: None, span: Some(span), why }
}

/// None.
const fn nothing(why: &'static str) -> Carried {
    Carried { trace: None, span: None, why }
}

/// A signal that is not taken.
const NOT_TAKEN: Carried = nothing("");

const RUN: Carried = Carried {
    trace: Some(run_of_root),
    span: Some(run),
    why: "runs have the spans' ids, behind eight bytes of zero",
};

const DECIMAL: Carried = Carried {
    trace: Some(trace),
    span: Some(decimal),
    why: "the id of a span is its number, in decimal digits",
};

/// One line each, in the order of the matrix.
pub(crate) const LISTED: &[Listed] = &[
    Listed { name: "obs-json", open: json, carried: [IDS; Signal::COUNT] },
    Listed { name: "obs-console", open: console, carried: [IDS, nothing(NUMBER), IDS, IDS, IDS] },
    Listed {
        name: "obs-langfuse",
        open: |ground| platform(ground, "langfuse"),
        carried: [IDS, NOT_TAKEN, IDS, IDS, IDS],
    },
    Listed {
        name: "obs-braintrust",
        open: |ground| platform(ground, "braintrust"),
        carried: [IDS, NOT_TAKEN, IDS, of_span(ROW), of_span(ROW)],
    },
    Listed {
        name: "obs-langsmith",
        open: |ground| platform(ground, "langsmith"),
        carried: [RUN, NOT_TAKEN, NOT_TAKEN, RUN, RUN],
    },
    Listed { name: "obs-datadog", open: datadog, carried: [IDS, nothing(POINT), DECIMAL, IDS, IDS] },
    Listed { name: "obs-newrelic", open: newrelic, carried: [IDS; Signal::COUNT] },
    Listed { name: "obs-mastra", open: mastra, carried: [IDS; Signal::COUNT] },
    Listed { name: "obs-otel", open: otel, carried: [IDS; Signal::COUNT] },
    Listed { name: "obs-grafana", open: grafana, carried: [IDS; Signal::COUNT] },
    Listed {
        name: "obs-prometheus",
        open: prometheus,
        carried: [NOT_TAKEN, IDS, NOT_TAKEN, nothing(SERIES), nothing(SERIES)],
    },
    Listed { name: "obs-webhook", open: webhook, carried: [IDS; Signal::COUNT] },
    Listed { name: "obs-file", open: file, carried: [IDS; Signal::COUNT] },
    Listed { name: "obs-store", open: store, carried: [IDS; Signal::COUNT] },
];

const POINT: &str = "points of series and distributions have no room for ids";
const NUMBER: &str = "a line for people shows the number alone";
/// A credential of nobody's.
const KEY: &str = "key-of-nobody";
const ROW: &str = "it is of a row, which has the span's id";
const SERIES: &str = "each trace would be a series";

fn json(ground: &Ground) -> Result<Stand> {
    let path = ground.path("telemetry.jsonl");
    let exporter = made(JsonExporter::new(JsonConfig::new(path.clone())))?;
    Ok(Stand::new(exporter, Place::Lines(path, lines::line)))
}

fn console(_: &Ground) -> Result<Stand> {
    let screen = Screen::default();
    let exporter = made(ConsoleExporter::with_writer(ConsoleConfig::new().with_ids(true), screen.clone()))?;
    Ok(Stand::new(exporter, Place::Screen(screen)))
}

/// One of those whose stand-ins are shared with `platforms`.
fn platform(ground: &Ground, name: &str) -> Result<Stand> {
    let stages = ground.block_on(servers::start())?;
    let stage = stages.into_iter().find(|stage| stage.platform.name() == name);
    let stage = stage.ok_or_else(|| anyhow!("nobody stands in for {name}"))?;
    let read = match name {
        "langfuse" => langfuse::request,
        "braintrust" => braintrust::request,
        _ => langsmith::request,
    };
    let destination = stage.destination()?;
    Ok(Stand::new(destination, Place::Server(stage.server, read)))
}

fn datadog(ground: &Ground) -> Result<Stand> {
    let server = ground.server_of(Answer::status(202));
    let config = DatadogConfig::new(KEY).with_endpoint(server.url()).with_ml_app("arrivals");
    let exporter = made(DatadogExporter::new(config))?;
    Ok(Stand::new(exporter, Place::Server(server, datadog::request)))
}

fn newrelic(ground: &Ground) -> Result<Stand> {
    let server = ground.server();
    let events = format!("{}{}", server.url(), newrelic::EVENTS);
    let config = NewRelicConfig::new(KEY)
        .with_endpoint(server.url())
        .with_account_id("42")
        .with_events_api_url(events);
    let exporter = made(NewRelicExporter::new(config))?;
    Ok(Stand::new(exporter, Place::Server(server, newrelic::request)))
}

fn mastra(ground: &Ground) -> Result<Stand> {
    let server = ground.server();
    let exporter = made(MastraExporter::new(MastraConfig::new(KEY).with_endpoint(server.url())))?;
    Ok(Stand::new(exporter, Place::Server(server, mastra::request)))
}

fn otel(ground: &Ground) -> Result<Stand> {
    let server = ground.server();
    let exporter = made(OtelExporter::new(OtelConfig::new(server.url())))?;
    Ok(Stand::new(exporter, Place::Server(server, otlp::request)))
}

fn grafana(ground: &Ground) -> Result<Stand> {
    let server = ground.server();
    let exporter = made(GrafanaExporter::new(GrafanaConfig::self_hosted().with_endpoint(server.url())))?;
    Ok(Stand::new(exporter, Place::Server(server, otlp::request)))
}

fn prometheus(_: &Ground) -> Result<Stand> {
    let config = PrometheusConfig::pull().with_metrics_port(0).with_scores(true).with_feedback(true);
    let exporter = made(PrometheusExporter::new(config))?;
    let port = exporter.local_addr().ok_or_else(|| anyhow!("it has no port"))?.port();
    Ok(Stand::new(exporter, Place::Page(port)))
}

fn file(ground: &Ground) -> Result<Stand> {
    let folder = ground.path("files");
    let exporter = made(FileExporter::new(FileConfig::new(folder.clone())))?;
    Ok(Stand::new(exporter, Place::Folder(folder, lines::line)))
}

fn webhook(ground: &Ground) -> Result<Stand> {
    let server = ground.server();
    let exporter = made(WebhookExporter::new(WebhookConfig::new(format!("{}/hook", server.url()))))?;
    Ok(Stand::new(exporter, Place::Server(server, webhook::request)))
}

fn store(ground: &Ground) -> Result<Stand> {
    let path = ground.path("obs.db");
    let exporter = made(StoreExporter::new(StoreConfig::new(path.clone())))?;
    Ok(Stand::new(exporter, Place::Store(path)))
}

fn made<E>(exporter: Result<E, obs_core::Error>) -> Result<E> {
    exporter.map_err(|error| anyhow!("{error}"))
}
