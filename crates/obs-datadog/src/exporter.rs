//! Where requests are sent, and nowhere else.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use obs_core::{
    Batch, Descriptor, Error, ErrorKind, Exporter, Failure, Health, Mapped, Mappers, MetricForm, Receipt,
    Reply, Retry, Signal, Signals, deliver,
};

use crate::ways::Ways;
use crate::wire::{Place, Request};
use crate::{DatadogConfig, Mode, feedback, logs, metrics, scores, sites::Site, traces};

/// What every Datadog exporter is and takes; it follows from the table of mappers.
pub const DESCRIPTOR: Descriptor =
    Descriptor::of("datadog", &DatadogExporter::MAPPERS).with_metric_form(MetricForm::Delta);

/// Sends all signals to Datadog.
///
/// It can be made anywhere, and sends on whatever tokio runtime polls it.
#[derive(Debug)]
pub struct DatadogExporter {
    descriptor: Descriptor,
    config: DatadogConfig,
    ways: Ways,
    closed: AtomicBool,
    #[cfg(feature = "official-client")]
    official: crate::official::Official,
}

impl DatadogExporter {
    /// Which mapper serves which signal.
    const MAPPERS: Mappers<Self, Request> = Mappers::NONE
        .traces(traces::map)
        .metrics(metrics::map)
        .logs(logs::map)
        .scores_as(scores::map, "evaluations of the span that they belong to")
        .feedback_as(feedback::map, "evaluations of the span that it belongs to");

    /// Checks the config; nothing is sent.
    ///
    /// # Errors
    /// A configuration error that names the field and the next step.
    pub fn new(config: DatadogConfig) -> Result<Self, Error> {
        let site = config.validate()?;
        let ways = Ways::new(&config, site)?;
        let descriptor = descriptor(&config, site, &ways);
        let closed = AtomicBool::new(false);
        #[cfg(feature = "official-client")]
        let official = crate::official::Official::new(&config)?;
        Ok(Self {
            descriptor,
            config,
            ways,
            closed,
            #[cfg(feature = "official-client")]
            official,
        })
    }

    /// The bodies of the requests that a batch becomes, in order, before compression; nothing is sent.
    ///
    /// Records that cannot be taken are in none of them; a signal that the configuration does not take has none.
    pub fn encode(&self, batch: &Batch) -> Vec<Vec<u8>> {
        let mapped = self.map(batch).unwrap_or_default();
        mapped.calls.into_iter().map(|call| call.request.body).collect()
    }

    pub(crate) fn config(&self) -> &DatadogConfig {
        &self.config
    }

    fn map(&self, batch: &Batch) -> Option<Mapped<Request>> {
        let taken = self.descriptor.signals().contains(batch.signal());
        taken.then(|| Self::MAPPERS.map(self, batch))?
    }

    /// Sends one request, and says what became of its records.
    async fn send(&self, request: Request) -> Result<Reply, Failure> {
        if self.closed.load(Ordering::Acquire) {
            let message = "Datadog: shut down meanwhile".into();
            return Err(Failure { kind: ErrorKind::Closed, retry: Retry::Never, status: None, message });
        }
        #[cfg(feature = "official-client")]
        if let Some(outcome) = self.official.send(&request).await {
            return outcome;
        }
        self.ways.send(request).await
    }
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
    DESCRIPTOR.narrowed(Signal::ALL.into_iter().filter(taken).collect::<Signals>())
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
