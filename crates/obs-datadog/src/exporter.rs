//! Where requests are sent, and nowhere else.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use obs_core::{
    Batch, Call, Descriptor, Error, ErrorKind, Exporter, Failure, Health, HistogramForm, Mapped, Mappers,
    MetricForm, Receipt, Refused, Reply, Retry, Signal, Signals, Timestamp, TraceId, deliver,
};
use obs_otel::OtelExporter;

use crate::clock::Clock;
use crate::complaints::{Complaints, Taken};
use crate::metrics::Metrics;
use crate::sites::Site;
use crate::ways::Ways;
use crate::wire::{Place, Request};
use crate::{DatadogConfig, Mode, feedback, logs, metrics, scores, traces};

/// What every Datadog exporter is and takes; it follows from the table of mappers.
pub const DESCRIPTOR: Descriptor = Descriptor::of("datadog", &DatadogExporter::MAPPERS)
    .with_limits(Signal::Traces, Place::LlmobsSpans.facts().limits())
    .with_limits(Signal::Logs, Place::Logs.facts().limits())
    .with_limits(Signal::Scores, Place::Evaluations.facts().limits())
    .with_limits(Signal::Feedback, Place::Evaluations.facts().limits())
    .with_metric_form(MetricForm::Delta)
    .with_histogram_form(HistogramForm::Exponential)
    .with_remark(Signal::Traces, "spans of LLM Observability at most 24 h old; or of APM, by OTLP")
    .with_remark(Signal::Metrics, "series, and distributions for histograms, of which some are counted twice where an answer is lost; with an API key")
    .with_remark(Signal::Logs, "with an API key")
    .with_remark(
        Signal::Scores,
        "not on government sites, and in the OTLP modes with an `ml_app`; traces need a known root, sessions are rejected",
    )
    .with_remark(Signal::Feedback, "as end-user feedback; where scores are taken");

/// Sends all signals to Datadog.
///
/// It can be made anywhere, and sends on whatever tokio runtime polls it.
#[derive(Debug)]
pub struct DatadogExporter {
    descriptor: Descriptor,
    config: DatadogConfig,
    site: &'static Site,
    ml_app: String,
    metrics: Metrics,
    ways: Ways,
    /// In the OTLP modes, what makes their requests.
    otlp: Option<OtelExporter>,
    clock: Clock,
    complaints: Complaints,
    closed: AtomicBool,
    #[cfg(feature = "official-client")]
    official: Option<crate::official::Official>,
}

impl DatadogExporter {
    /// Which mapper serves which signal.
    const MAPPERS: Mappers<Self, Request> = Mappers::NONE
        .traces(traces::map)
        .metrics(metrics::map)
        .logs(logs::map)
        .scores_as(scores::map, "evaluations of LLM Observability")
        .feedback_as(feedback::map, "evaluations of LLM Observability");

    /// Checks the config; nothing is sent.
    ///
    /// # Errors
    /// A configuration error that names the field and the next step: no key and no Agent, an unknown site, LLM Observability
    /// on a site that lacks it, a name that Datadog does not take, an address that is none, or a credential over plain
    /// `http` to another machine without `allow_http`.
    pub fn new(config: DatadogConfig) -> Result<Self, Error> {
        let site = config.validate()?;
        let ways = Ways::new(&config, site)?;
        let descriptor = descriptor(&config, site, &ways);
        let otlp = config.otel().map(OtelExporter::new).transpose()?;
        #[cfg(feature = "official-client")]
        let official =
            config.official_client.then(|| crate::official::Official::new(&config, site)).transpose()?;
        Ok(Self {
            descriptor,
            site,
            ml_app: config.effective_ml_app().into_owned(),
            metrics: Metrics::new(&config)?,
            ways,
            otlp,
            clock: Clock::default(),
            complaints: Complaints::default(),
            closed: AtomicBool::new(false),
            #[cfg(feature = "official-client")]
            official,
            config,
        })
    }

    /// Has it read the time from this clock, which says what is too old to be taken; the wall clock by default.
    #[must_use]
    pub fn with_clock(self, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { clock: Clock::new(now), ..self }
    }

    /// The address of a trace in Datadog's pages: of APM, in the OTLP modes.
    ///
    /// `None` for LLM Observability, whose pages have no documented address for one trace; search there for
    /// `@trace_id:ID`.
    pub fn trace_url(&self, trace_id: TraceId) -> Option<String> {
        (self.config.mode != Mode::Llmobs).then(|| format!("https://{}/apm/trace/{trace_id}", self.site.app))
    }

    /// The bodies of the requests that a batch becomes, in order, before compression; nothing is sent.
    ///
    /// Records that cannot be taken, such as those that are too old, are in none of them; a signal that the configuration
    /// does not take has none.
    pub fn encode(&self, batch: &Batch) -> Vec<Vec<u8>> {
        let mapped = self.map(batch).unwrap_or_default();
        mapped.calls.into_iter().flat_map(|call| call.request.bodies).collect()
    }

    pub(crate) fn config(&self) -> &DatadogConfig {
        &self.config
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The application in LLM Observability.
    pub(crate) fn ml_app(&self) -> &str {
        &self.ml_app
    }

    /// The same as JSON.
    pub(crate) fn ml_app_json(&self) -> String {
        serde_json::Value::from(self.ml_app.as_str()).to_string()
    }

    /// Whether LLM Observability goes through an Agent.
    pub(crate) fn by_agent(&self) -> bool {
        self.ways.by_agent()
    }

    /// Requests of OTLP.
    pub(crate) fn otlp(&self, batch: &Batch) -> Mapped<Request> {
        let Some(Mapped { calls, refused }) = self.otlp.as_ref().and_then(|otlp| otlp.map(batch)) else {
            let refused = |at| Refused::encode(at, "obs-otel has no form for it");
            return Mapped { calls: Vec::new(), refused: (0..batch.len()).map(refused).collect() };
        };
        let place = Place::OtlpTraces;
        let call = |Call { request, records }| Call { request: Request::new(place, request), records };
        Mapped { calls: calls.into_iter().map(call).collect(), refused }
    }

    fn map(&self, batch: &Batch) -> Option<Mapped<Request>> {
        let taken = self.descriptor.signals().contains(batch.signal());
        taken.then(|| Self::MAPPERS.map(self, batch))?
    }

    /// Sends the bodies of a request one after the other, and says what became of its records: what the first says that
    /// does not pass, after which none is sent.
    async fn send(&self, Request { place, bodies, points }: Request) -> Result<Reply, Failure> {
        let count = bodies.len();
        let mut reply = Reply::default();
        for (nth, body) in bodies.into_iter().enumerate() {
            let taken = self.send_body(place, body).await.map_err(|failure| part(failure, nth, count))?;
            if let Some(said) = taken.complaint {
                self.complaints.hear(place, &said, self.now());
            }
            reply = taken.reply;
        }
        self.metrics.settle(&points);
        Ok(reply)
    }

    async fn send_body(&self, place: Place, body: Vec<u8>) -> Result<Taken, Failure> {
        if self.closed.load(Ordering::Acquire) {
            let message = "Datadog: shut down meanwhile".into();
            return Err(Failure { kind: ErrorKind::Closed, retry: Retry::Never, status: None, message });
        }
        #[cfg(feature = "official-client")]
        if let Some(official) = &self.official
            && let Some(outcome) = official.send(place, &body).await
        {
            return outcome;
        }
        self.ways.send(place, body).await
    }
}

/// Says of a part how much was taken before it.
fn part(failure: Failure, before: usize, count: usize) -> Failure {
    if before == 0 {
        return failure;
    }
    let message = format!("{} (part {} of {count}; those before it were taken)", failure.message, before + 1);
    Failure { message: message.into(), ..failure }
}

/// The type's descriptor without the signals that there is no way for.
fn descriptor(config: &DatadogConfig, site: &Site, ways: &Ways) -> Descriptor {
    let judged = site.llmobs && (config.mode == Mode::Llmobs || config.ml_app.is_some());
    let taken = |signal: &Signal| match signal {
        Signal::Traces => true,
        Signal::Metrics => ways.leads_to(Place::Series),
        Signal::Logs => ways.leads_to(Place::Logs),
        Signal::Scores | Signal::Feedback => judged && ways.leads_to(Place::Evaluations),
    };
    let spans = if config.mode == Mode::Llmobs { Place::LlmobsSpans } else { Place::OtlpTraces };
    let descriptor = DESCRIPTOR.with_limits(Signal::Traces, spans.facts().limits());
    descriptor.narrowed(Signal::ALL.into_iter().filter(taken).collect::<Signals>())
}

impl DatadogConfig {
    /// The application in LLM Observability: the one given, else the service as one, else `obs`.
    pub(crate) fn effective_ml_app(&self) -> Cow<'_, str> {
        if let Some(given) = self.ml_app.as_deref() {
            return given.trim().into();
        }
        match self.unified_service() {
            Some(service) => crate::validate::as_ml_app(service).into(),
            None => "obs".into(),
        }
    }
}

#[async_trait]
impl Exporter for DatadogExporter {
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

    /// Asks whether the key is good, and of the servers without one whether they are there.
    async fn check(&self) -> Health {
        if self.closed.load(Ordering::Acquire) {
            return Health::Unhealthy("shut down; make a new exporter".into());
        }
        Health::of(self.ways.ask().await)
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
