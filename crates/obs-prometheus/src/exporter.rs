//! The exporter: where records become series, and series go.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use obs_aggregate::{AggregateConfig, Aggregator, DEFAULT_BOUNDS};
use obs_core::{
    Batch, Descriptor, Error, ErrorKind, Exporter, Failure, Health, Limits, Mappers, Metric, MetricForm,
    MetricValue, Receipt, Refused, Reply, Retry, Signal, Str, Temporality, Timestamp, deliver,
};
use prometheus_client::registry::Registry;

use crate::gateway::Gateway;
use crate::listener::Listening;
use crate::naming::Naming;
use crate::shown::{Rendered, Shown, lock};
use crate::table::Change;
use crate::wire::Format;
use crate::{Mode, PrometheusConfig, feedback, metrics, negotiate, scores, serve};

/// A view of series goes in one piece where it can, since every piece is a push of the whole page.
const LIMITS: Limits = Limits { items: 50_000, bytes: 64 << 20 };

/// What an exporter that pushes is and takes.
const PUSHING: Descriptor = Descriptor::of("prometheus", &PrometheusExporter::MAPPERS)
    .with_metric_form(MetricForm::Cumulative)
    .with_limits(Signal::Metrics, LIMITS)
    .with_remark(
        Signal::Metrics,
        "on a page to scrape or by a Pushgateway; exponential histograms get explicit bounds",
    )
    .with_remark(Signal::Traces, "Prometheus keeps numbers; exemplars name the traces")
    .with_remark(Signal::Logs, "Prometheus keeps numbers")
    .with_remark(Signal::Scores, "the last value by name, scorer and source; words are rejected")
    .with_remark(Signal::Feedback, "counted by kind and source");

/// What every Prometheus exporter is and takes; it follows from the table of mappers.
pub const DESCRIPTOR: Descriptor = PUSHING.with_local();

/// Bounds by a metric's name and unit.
type BoundsByMetric = HashMap<(Str, Option<Str>), Arc<[f64]>>;

/// The most metrics whose bounds are remembered.
const MOST_BOUNDS: usize = 1_000;

/// Shows metrics to Prometheus, on a page to scrape or by a Pushgateway.
///
/// It can be made anywhere, outside of a runtime too.
#[derive(Debug)]
pub struct PrometheusExporter {
    descriptor: Descriptor,
    config: PrometheusConfig,
    shown: Arc<Shown>,
    gateway: Option<Gateway>,
    address: Option<SocketAddr>,
    listener: Mutex<Option<Listening>>,
    /// The bounds of histograms that are made of samples.
    bounds: Mutex<BoundsByMetric>,
    closed: AtomicBool,
}

impl PrometheusExporter {
    /// Which mapper serves which signal.
    const MAPPERS: Mappers<Self, Vec<Change>> = Mappers::NONE
        .metrics(metrics::map)
        .scores_when(scores::map, "`scores` is on, as gauges")
        .feedback_when(feedback::map, "`feedback` is on, as counters");

    /// Checks the config, and where it has a `metrics_port`, takes that port and serves it from a thread of its own.
    ///
    /// # Errors
    /// A configuration error that names the field and the next step: an option of the other mode, a name that is none, an
    /// address that is none, or a port that something else has.
    pub fn new(config: PrometheusConfig) -> Result<Self, Error> {
        config.validate()?;
        let pushes = config.mode() == Mode::Push;
        let groups = if pushes { config.groups().into_keys().collect() } else { Vec::new() };
        let shown = Arc::new(Shown::new(Naming::new(&config, groups), config.target_info));
        let gateway = if pushes { Some(Gateway::new(&config)?) } else { None };
        let listener = config.metrics_port.map(|port| listen(&config, port, &shown)).transpose()?;
        Ok(Self {
            descriptor: descriptor(&config, pushes),
            address: listener.as_ref().map(|listener| listener.address),
            listener: Mutex::new(listener),
            bounds: Mutex::default(),
            closed: AtomicBool::new(false),
            shown,
            gateway,
            config,
        })
    }

    /// Shows the metrics of this registry, too, in both formats.
    ///
    /// A family that has the name of one of ours, or of one of its samples, is left out, and the log says so once.
    #[must_use]
    pub fn with_registry(self, registry: impl Into<Arc<Registry>>) -> Self {
        self.shown.set_registry(registry.into());
        self
    }

    /// A router with the page under its path, to merge into the application's own; it serves the last values after
    /// `shutdown`, too.
    pub fn router(&self) -> Router {
        serve::router(&self.config.metrics_path, Arc::clone(&self.shown))
    }

    /// The address of the listener, with the port that the system chose where it was asked to; `None` without one.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The page in the format that this value of `Accept` asks for, for servers that take no router of axum's.
    pub fn render(&self, accept: &str) -> Rendered {
        let format = negotiate::format(accept);
        Rendered { content_type: format.content_type(), body: self.shown.text(format) }
    }

    /// The page in text 0.0.4 as it would be with this batch, or nothing where there is nothing to show; nothing is sent
    /// and nothing changes.
    pub fn encode(&self, batch: &Batch) -> Vec<Vec<u8>> {
        let mut table = self.shown.table();
        for call in Self::MAPPERS.map(self, batch).unwrap_or_default().calls {
            self.shown.apply_to(&mut table, call.request);
        }
        self.shown.text_of(&table, Format::TEXT).into_iter().map(String::into_bytes).collect()
    }

    /// The bounds that aggregation would choose for samples of a metric.
    pub(crate) fn bounds(&self, metric: &Metric) -> Arc<[f64]> {
        let key = (metric.name.clone(), metric.unit.clone());
        let mut bounds = lock(&self.bounds);
        if let Some(known) = bounds.get(&key) {
            return Arc::clone(known);
        }
        if bounds.len() >= MOST_BOUNDS {
            bounds.clear();
        }
        let advised = advised(metric);
        bounds.insert(key, Arc::clone(&advised));
        advised
    }

    /// Puts changes into the series, and pushes them where that is the mode.
    async fn send(&self, changes: Vec<Change>) -> Result<Reply, Failure> {
        if self.closed.load(Ordering::Acquire) {
            let message = "Prometheus: shut down meanwhile".into();
            return Err(Failure { kind: ErrorKind::Closed, retry: Retry::Never, status: None, message });
        }
        let Some(gateway) = &self.gateway else { return Ok(reply(self.shown.apply(changes))) };
        let _turn = gateway.turn.lock().await;
        // Nothing changes unless the push succeeds, so that what is tried again is not counted twice.
        let mut table = self.shown.table();
        let count = changes.len();
        let refused = self.shown.apply_to(&mut table, changes);
        self.shown.tell(&refused);
        if refused.len() < count
            && let Some(text) = self.shown.text_of(&table, Format::TEXT)
        {
            gateway.push(text).await?;
            self.shown.set_table(table);
        }
        Ok(reply(refused))
    }
}

fn reply(refused: Vec<(usize, Box<str>)>) -> Reply {
    let refused = refused.into_iter().map(|(at, reason)| Refused::encode(at, reason)).collect();
    Reply { refused, ..Reply::default() }
}

fn descriptor(config: &PrometheusConfig, pushes: bool) -> Descriptor {
    let mut signals = DESCRIPTOR.signals();
    for (signal, is_on) in [(Signal::Scores, config.scores), (Signal::Feedback, config.feedback)] {
        if !is_on {
            signals = signals.without(signal);
        }
    }
    if pushes { PUSHING } else { DESCRIPTOR }.narrowed(signals)
}

fn listen(config: &PrometheusConfig, port: u16, shown: &Arc<Shown>) -> Result<Listening, Error> {
    let address = SocketAddr::new(config.metrics_address, port);
    let router = serve::router(&config.metrics_path, Arc::clone(shown));
    Listening::start(address, router).map_err(|error| {
        Error::config(
            "metrics_port",
            format!("{address} cannot be taken ({error}); free it, or set another port"),
        )
    })
}

/// The bounds of the histogram that aggregation makes of a sample.
fn advised(metric: &Metric) -> Arc<[f64]> {
    let mut sample = Metric::new(Timestamp::default(), metric.name.clone(), MetricValue::Sample(0.0));
    sample.unit.clone_from(&metric.unit);
    let mut series = Aggregator::new(AggregateConfig::new(Temporality::Delta, Timestamp::default()));
    let view = series.fold(&sample).ok().map(|()| series.view(Timestamp::default()));
    let point = view.and_then(|view| view.metrics.into_iter().next()).map(|metric| metric.value);
    match point {
        Some(MetricValue::Histogram(histogram)) => histogram.bounds,
        _ => DEFAULT_BOUNDS.into(),
    }
}

#[async_trait]
impl Exporter for PrometheusExporter {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::closed(self.descriptor.kind(), batch));
        }
        if !self.descriptor.support(batch.signal()).is_some() {
            return Err(Error::unsupported(self.descriptor.kind(), batch));
        }
        let mapped = Self::MAPPERS.map(self, batch).unwrap_or_default();
        deliver(batch, mapped, |changes| self.send(changes)).await
    }

    async fn check(&self) -> Health {
        if self.closed.load(Ordering::Acquire) {
            return Health::Unhealthy("shut down; make a new exporter".into());
        }
        if let Some(gateway) = &self.gateway {
            return Health::of(gateway.ready().await);
        }
        match &*lock(&self.listener) {
            Some(listener) if !listener.is_alive() => {
                Health::Unhealthy("the listener has ended; make a new exporter".into())
            }
            _ => Health::Healthy,
        }
    }

    async fn flush(&self) -> Result<(), Error> {
        // An export ends when the page shows its records, so that nothing waits here.
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), Error> {
        if self.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let listener = lock(&self.listener).take();
        if let Some(listener) = listener {
            listener.stop().await;
        }
        if let Some(gateway) = self.gateway.as_ref().filter(|_| self.config.delete_on_shutdown) {
            let _turn = gateway.turn.lock().await;
            let deleted = gateway.delete().await;
            deleted.map_err(|failure| Error::without_records(failure.kind, failure.message))?;
        }
        Ok(())
    }
}
