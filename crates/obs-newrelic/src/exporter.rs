//! Where requests are sent, and nowhere else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use obs_core::{
    Batch, Call, Descriptor, Error, ErrorKind, Exporter, Failure, Health, HistogramForm, Limits, Mapped,
    Mappers, MetricForm, Receipt, Refused, Reply, Resource, Retry, Signal, Signals, deliver,
};
use obs_otel::OtelExporter;

use crate::beside::Beside;
use crate::pack::Packed;
use crate::route::Routes;
use crate::way::Way;
use crate::wire::{Place, Post, Request};
use crate::{Histograms, NewRelicConfig, feedback, logs, metrics, scores, traces};

/// What every New Relic exporter is and takes; it follows from the table of mappers.
pub const DESCRIPTOR: Descriptor = Descriptor::of("newrelic", &NewRelicExporter::MAPPERS)
    .with_metric_form(MetricForm::Delta)
    .with_histogram_form(HistogramForm::Exponential)
    .with_remark(
        Signal::Traces,
        "New Relic takes requests before it checks them: what it drops later is an NrIntegrationError there; it cuts \
         attributes at 4,095 characters",
    )
    .with_remark(Signal::Metrics, "by OTLP or the Metric API, taken before they are checked")
    .with_remark(Signal::Logs, "taken before they are checked")
    .with_remark(Signal::Scores, "custom events `LlmEvaluation`, taken before they are checked")
    .with_remark(Signal::Feedback, "custom events `LlmFeedbackMessage`, taken before they are checked");

/// Sends traces, metrics and logs to New Relic, and with an account's id scores and feedback.
///
/// It can be made anywhere, and sends on whatever tokio runtime polls it.
#[derive(Debug)]
pub struct NewRelicExporter {
    descriptor: Descriptor,
    config: NewRelicConfig,
    ways: Ways,
    otlp: OtelExporter,
    beside: Beside,
    closed: AtomicBool,
}

/// The ways that there are.
#[derive(Debug)]
struct Ways {
    otlp: Way,
    metrics: Option<Way>,
    events: Option<Way>,
}

impl NewRelicExporter {
    /// Which mapper serves which signal.
    const MAPPERS: Mappers<Self, Request> = Mappers::NONE
        .traces(traces::map)
        .metrics(metrics::map)
        .logs(logs::map)
        .scores_when(scores::map, "`account_id` is set")
        .feedback_when(feedback::map, "`account_id` is set");

    /// Checks the config; nothing is sent.
    ///
    /// # Errors
    /// A configuration error that names the field and the next step: no license key, or one of another kind or region; an
    /// address that is none; `event_types` without an `account_id`, or with a name that New Relic keeps for itself.
    pub fn new(config: NewRelicConfig) -> Result<Self, Error> {
        config.validate()?;
        let Routes { otlp, metrics, events } = config.routes()?;
        let way = |route| Option::map(route, |route| Way::new(&route)).transpose();
        let ways = Ways { otlp: Way::new(&otlp)?, metrics: way(metrics)?, events: way(events)? };
        let descriptor = descriptor(&config, &ways);
        let otlp = OtelExporter::new(config.otel())?;
        let (beside, closed) = (Beside::default(), AtomicBool::new(false));
        Ok(Self { descriptor, config, ways, otlp, beside, closed })
    }

    /// The bodies of the requests that a batch becomes, in order, before compression; nothing is sent.
    ///
    /// Records that cannot be taken are in none of them; a signal that is not taken has none.
    pub fn encode(&self, batch: &Batch) -> Vec<Vec<u8>> {
        let calls = self.map(batch).unwrap_or_default().calls;
        let bodies = |Request { main, events }: Request| {
            std::iter::once(main.body).chain(events.into_iter().map(|packed| packed.body))
        };
        calls.into_iter().flat_map(|call| bodies(call.request)).collect()
    }

    fn map(&self, batch: &Batch) -> Option<Mapped<Request>> {
        let taken = self.descriptor.signals().contains(batch.signal());
        taken.then(|| Self::MAPPERS.map(self, batch))?
    }

    pub(crate) fn config(&self) -> &NewRelicConfig {
        &self.config
    }

    /// A resource with what the config says of those that lack it.
    pub(crate) fn complete(&self, own: &Arc<Resource>) -> Arc<Resource> {
        self.otlp.complete(own)
    }

    /// Whether metrics go by the Metric API.
    pub(crate) fn uses_metric_api(&self) -> bool {
        self.ways.metrics.is_some()
    }

    /// The most bytes of a request.
    pub(crate) fn max_request_size(&self) -> usize {
        usize::try_from(self.config.max_request_size.get()).unwrap_or(usize::MAX)
    }

    /// Bodies of OTLP.
    pub(crate) fn otlp(&self, batch: &Batch) -> Mapped<Vec<u8>> {
        self.otlp.map(batch).unwrap_or_else(|| {
            let refused = |at| Refused::encode(at, "obs-otel has no form for it");
            Mapped { calls: Vec::new(), refused: (0..batch.len()).map(refused).collect() }
        })
    }

    /// Requests of these bodies, with the events that their records become behind each.
    pub(crate) fn with_events(
        &self,
        place: Place,
        mapped: Mapped<Vec<u8>>,
        events: impl Fn(&[usize]) -> Vec<Packed>,
    ) -> Mapped<Request> {
        let call = |Call { request: body, records }: Call<Vec<u8>>| {
            let events = if self.config.event_types.is_empty() { Vec::new() } else { events(&records) };
            Call { request: Request { main: Post { place, body }, events }, records }
        };
        Mapped { calls: mapped.calls.into_iter().map(call).collect(), refused: mapped.refused }
    }

    fn way(&self, place: Place) -> Option<&Way> {
        match place {
            Place::Traces | Place::Metrics | Place::Logs => Some(&self.ways.otlp),
            Place::MetricApi => self.ways.metrics.as_ref(),
            Place::Events => self.ways.events.as_ref(),
        }
    }

    /// Sends what some records became, and says what became of them, whatever becomes of the events beside.
    async fn send(&self, Request { main, events }: Request) -> Result<Reply, Failure> {
        let way = self.way(main.place).filter(|_| !self.closed.load(Ordering::Acquire));
        let Some(way) = way else {
            let message = "New Relic: shut down meanwhile".into();
            return Err(Failure { kind: ErrorKind::Closed, retry: Retry::Never, status: None, message });
        };
        let reply = way.send(main).await?;
        if let Some(way) = self.way_beside() {
            self.beside.add(events, |body| post(way, body)).await;
            if self.closed.load(Ordering::Acquire) {
                self.beside.give_up();
            }
        }
        Ok(reply)
    }

    /// The way of events of one's own, where there are some.
    fn way_beside(&self) -> Option<&Way> {
        self.ways.events.as_ref().filter(|_| !self.config.event_types.is_empty())
    }

    /// Asks every API that is used.
    async fn ask(&self) -> Result<(), Failure> {
        self.ways.otlp.ask(Place::Traces).await?;
        for (way, place) in [(&self.ways.metrics, Place::MetricApi), (&self.ways.events, Place::Events)] {
            if let Some(way) = way {
                way.ask(place).await?;
            }
        }
        Ok(())
    }
}

/// Posts events of one's own.
async fn post(way: &Way, body: Vec<u8>) -> Result<(), Failure> {
    way.send(Post { place: Place::Events, body }).await.map(|_| ())
}

/// The type's descriptor, with the size of requests, without what needs the Event API, where there is none.
fn descriptor(config: &NewRelicConfig, ways: &Ways) -> Descriptor {
    let taken = |signal: &Signal| match signal {
        Signal::Traces | Signal::Metrics | Signal::Logs => true,
        Signal::Scores | Signal::Feedback => ways.events.is_some(),
    };
    let histograms = match config.histograms {
        Histograms::Explicit => HistogramForm::Explicit,
        _ => HistogramForm::Exponential,
    };
    let bytes = usize::try_from(config.max_request_size.get()).unwrap_or(usize::MAX);
    DESCRIPTOR
        .with_all_limits(Limits { bytes, ..Limits::DEFAULT })
        .narrowed(Signal::ALL.into_iter().filter(taken).collect::<Signals>())
        .with_histogram_form(histograms)
}

#[async_trait]
impl Exporter for NewRelicExporter {
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

    /// Sends a request without content to every API that is used: New Relic refuses a bad key with 403, and an empty
    /// request leaves nothing there.
    async fn check(&self) -> Health {
        if self.closed.load(Ordering::Acquire) {
            return Health::Unhealthy("shut down; make a new exporter".into());
        }
        Health::of(self.ask().await)
    }

    async fn flush(&self) -> Result<(), Error> {
        // An export ends when its records are there; only events of one's own may wait here.
        if let Some(way) = self.way_beside() {
            self.beside.flush(|body| post(way, body)).await;
        }
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), Error> {
        self.closed.store(true, Ordering::Release);
        if let Some(way) = self.way_beside() {
            self.beside.end(|body| post(way, body)).await;
        }
        Ok(())
    }
}
