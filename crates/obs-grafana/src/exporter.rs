//! Where requests are sent, and nowhere else.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use obs_core::{
    Batch, Call, Descriptor, Error, ErrorKind, Exporter, Failure, Health, HistogramForm, Mapped, Mappers,
    MetricForm, Receipt, Refused, Reply, Resource, Retry, Signal, Signals, TraceId, deliver,
};
use obs_otel::OtelExporter;

use crate::owners::Owners;
use crate::route::{Form, Routes};
use crate::way::Way;
use crate::wire::{Place, Request};
use crate::{GrafanaConfig, Histograms, explore, feedback, logs, metrics, scores, traces};

/// What every Grafana exporter is and takes; it follows from the table of mappers.
pub const DESCRIPTOR: Descriptor = Descriptor::of("grafana", &GrafanaExporter::MAPPERS)
    .with_metric_form(MetricForm::Cumulative)
    .with_remark(Signal::Traces, "in Tempo; only where there is an address for OTLP")
    .with_remark(Signal::Metrics, "in Mimir, by OTLP or remote write")
    .with_remark(Signal::Logs, "in Loki, by OTLP or its push API")
    .with_remark(Signal::Scores, "in Loki, beside the logs")
    .with_remark(Signal::Feedback, "in Loki, beside the logs");

/// Sends all signals to Grafana Cloud, or to Tempo, Mimir and Loki.
///
/// It can be made anywhere, and sends on whatever tokio runtime polls it.
#[derive(Debug)]
pub struct GrafanaExporter {
    descriptor: Descriptor,
    config: GrafanaConfig,
    ways: Ways,
    otlp: OtelExporter,
    /// Whose the series are that went by remote write.
    owners: Mutex<Owners>,
    closed: AtomicBool,
}

/// The ways that there are.
#[derive(Debug)]
struct Ways {
    traces: Option<Way>,
    metrics: Option<Way>,
    logs: Option<Way>,
}

impl GrafanaExporter {
    /// Which mapper serves which signal.
    const MAPPERS: Mappers<Self, Request> = Mappers::NONE
        .traces(traces::map)
        .metrics(metrics::map)
        .logs(logs::map)
        .scores_as(scores::map, "`gen_ai.evaluation.result` log events")
        .feedback_as(feedback::map, "`gen_ai.evaluation.result` log events");

    /// Checks the config; nothing is sent.
    ///
    /// # Errors
    /// A configuration error that names the field and the next step: no address at all, an address that is none or is
    /// another way's, a user without a key, or a credential over plain `http` to another machine without `allow_http`.
    pub fn new(config: GrafanaConfig) -> Result<Self, Error> {
        config.validate()?;
        let Routes { traces, metrics, logs } = config.routes()?;
        let way = |route| Option::map(route, |route| Way::new(&route, config.tenant.as_ref())).transpose();
        let ways = Ways { traces: way(traces)?, metrics: way(metrics)?, logs: way(logs)? };
        let descriptor = descriptor(&config, &ways);
        if descriptor.signals().is_empty() {
            let next = "no address; set instance_id and api_key for Grafana Cloud, or endpoint, tempo_endpoint, \
                        mimir_endpoint or loki_endpoint";
            return Err(Error::config("endpoint", next));
        }
        let otlp = OtelExporter::new(config.otel())?;
        let (owners, closed) = (Mutex::default(), AtomicBool::new(false));
        Ok(Self { descriptor, config, ways, otlp, owners, closed })
    }

    /// The address of a trace in Grafana's pages, where `grafana_url` says where they are.
    pub fn trace_url(&self, trace_id: TraceId) -> Option<String> {
        let base = self.config.grafana_url.as_ref()?;
        Some(explore::url(base.as_str(), &self.config.tempo_datasource, trace_id))
    }

    /// The bodies of the requests that a batch becomes, in order, before compression; nothing is sent.
    ///
    /// Records that cannot be taken are in none of them; a signal without an address has none.
    /// By remote write, a series belongs to the first resource and metric that it is encoded or exported for.
    pub fn encode(&self, batch: &Batch) -> Vec<Vec<u8>> {
        let mapped = self.map(batch).unwrap_or_default();
        mapped.calls.into_iter().map(|call| call.request.body).collect()
    }

    fn map(&self, batch: &Batch) -> Option<Mapped<Request>> {
        let taken = self.descriptor.signals().contains(batch.signal());
        taken.then(|| Self::MAPPERS.map(self, batch))?
    }

    pub(crate) fn config(&self) -> &GrafanaConfig {
        &self.config
    }

    /// A resource with what the config says of those that lack it.
    pub(crate) fn complete(&self, own: &Arc<Resource>) -> Arc<Resource> {
        self.otlp.complete(own)
    }

    /// Whether logs take Loki's own way.
    pub(crate) fn pushes_to_loki(&self) -> bool {
        self.way(Place::Logs).is_some_and(|way| way.form == Form::Loki)
    }

    /// Whether metrics go by remote write.
    pub(crate) fn writes_remotely(&self) -> bool {
        self.way(Place::Metrics).is_some_and(|way| way.form == Form::RemoteWrite)
    }

    pub(crate) fn owners(&self) -> MutexGuard<'_, Owners> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests of OTLP.
    pub(crate) fn otlp(&self, place: Place, batch: &Batch) -> Mapped<Request> {
        let Some(Mapped { calls, refused }) = self.otlp.map(batch) else {
            let refused = |at| Refused::encode(at, "obs-otel has no form for it");
            return Mapped { calls: Vec::new(), refused: (0..batch.len()).map(refused).collect() };
        };
        let call = |Call { request, records }| Call { request: Request { place, body: request }, records };
        Mapped { calls: calls.into_iter().map(call).collect(), refused }
    }

    fn way(&self, place: Place) -> Option<&Way> {
        match place {
            Place::Traces => self.ways.traces.as_ref(),
            Place::Metrics => self.ways.metrics.as_ref(),
            Place::Logs => self.ways.logs.as_ref(),
        }
    }

    /// Sends one request, and says what became of its records.
    async fn send(&self, Request { place, body }: Request) -> Result<Reply, Failure> {
        let way = self.way(place).filter(|_| !self.closed.load(Ordering::Acquire));
        let Some(way) = way else {
            let message = "Grafana: shut down meanwhile".into();
            return Err(Failure { kind: ErrorKind::Closed, retry: Retry::Never, status: None, message });
        };
        way.send(place, body).await
    }

    /// Asks every server.
    async fn ask(&self) -> Result<(), Failure> {
        for way in [&self.ways.traces, &self.ways.metrics, &self.ways.logs].into_iter().flatten() {
            way.ask().await?;
        }
        Ok(())
    }
}

/// The type's descriptor without the signals that have no address.
fn descriptor(config: &GrafanaConfig, ways: &Ways) -> Descriptor {
    let taken = |signal: &Signal| match signal {
        Signal::Traces => ways.traces.is_some(),
        Signal::Metrics => ways.metrics.is_some(),
        Signal::Logs | Signal::Scores | Signal::Feedback => ways.logs.is_some(),
    };
    let histograms = match config.histograms {
        Histograms::Exponential => HistogramForm::Exponential,
        _ => HistogramForm::Explicit,
    };
    DESCRIPTOR
        .narrowed(Signal::ALL.into_iter().filter(taken).collect::<Signals>())
        .with_histogram_form(histograms)
}

#[async_trait]
impl Exporter for GrafanaExporter {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::closed(self.descriptor.kind(), batch));
        }
        let Some(mapped) = self.map(batch) else {
            return Err(Error::unsupported(self.descriptor.kind(), batch));
        };
        deliver(batch, mapped, |request| self.send(request)).await
    }

    async fn check(&self) -> Health {
        if self.closed.load(Ordering::Acquire) {
            return Health::Unhealthy("shut down; make a new exporter".into());
        }
        Health::of(self.ask().await)
    }

    async fn flush(&self) -> Result<(), Error> {
        // An export ends when its records are there, so that nothing waits here.
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), Error> {
        self.closed.store(true, Ordering::Release);
        Ok(())
    }
}
