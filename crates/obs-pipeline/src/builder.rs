//! Describes a pipeline and starts it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use obs_core::{Error, ExporterExt, Signal, Signals};
use obs_redact::RedactConfig;

use crate::{Clock, DestinationSpec, Log, Matching, Pipeline, Processor};

/// Describes a pipeline; see [`Pipeline::builder`].
#[derive(Debug)]
#[must_use = "nothing runs before `build`"]
pub struct PipelineBuilder {
    pub(crate) destinations: Vec<DestinationSpec>,
    pub(crate) processors: Vec<Box<dyn Processor>>,
    pub(crate) redact: Option<RedactConfig>,
    pub(crate) intake_bytes: usize,
    pub(crate) clock: Option<Clock>,
    pub(crate) drop_deadline: Duration,
    pub(crate) matching: Matching,
    pub(crate) log: Option<Arc<dyn Log>>,
    pub(crate) self_metrics: Option<(Box<str>, Duration)>,
    pub(crate) advised_bounds: BTreeMap<String, Vec<f64>>,
}

#[expect(clippy::wrong_self_convention, reason = "`to` says where records go, it converts nothing")]
impl PipelineBuilder {
    pub(crate) fn new() -> Self {
        Self {
            destinations: Vec::new(),
            processors: Vec::new(),
            redact: Some(RedactConfig::default()),
            intake_bytes: 64 << 20,
            clock: None,
            drop_deadline: Duration::from_secs(5),
            matching: Matching::All,
            log: None,
            self_metrics: None,
            advised_bounds: BTreeMap::new(),
        }
    }

    /// Adds a destination, named after the exporter's kind: an exporter, or a [`DestinationSpec`] with all that stands
    /// before one.
    pub fn to(mut self, destination: impl Into<DestinationSpec>) -> Self {
        self.destinations.push(destination.into());
        self
    }

    /// Adds a destination with a name of its own, which ledgers, queues, health and messages use.
    pub fn to_named(self, name: impl Into<Box<str>>, destination: impl Into<DestinationSpec>) -> Self {
        self.to(destination.into().with_name(name))
    }

    /// Whether a record goes to every destination whose route takes it, or to the first of them.
    ///
    /// Destinations without a route get every record either way.
    /// Default: to all.
    pub fn matching(mut self, matching: Matching) -> Self {
        self.matching = matching;
        self
    }

    /// Keeps on disk what waits for the destinations, so that it outlives the process.
    ///
    /// Metrics that a lane folds into series are not kept.
    pub fn queue(mut self, log: impl Log) -> Self {
        self.log = Some(Arc::new(log));
        self
    }

    /// Tells the destination of this name, now and then, what becomes of the records at all of them.
    ///
    /// Off by default: obs does not watch itself unasked.
    /// The metrics are `obs.destination.records`, `obs.destination.queue.records`, `obs.destination.queue.bytes`,
    /// `obs.destination.breaker.state` (0 closed, 1 half open, 2 open) and `obs.destination.export.duration`.
    pub fn self_metrics(mut self, to: impl Into<Box<str>>, every: Duration) -> Self {
        self.self_metrics = Some((to.into(), every));
        self
    }

    /// Adds a processor after those before; redaction comes after all of them.
    pub fn processor(mut self, processor: impl Processor) -> Self {
        self.processors.push(Box::new(processor));
        self
    }

    /// Adds processors before all of those that were added so far, in this order.
    ///
    /// For whoever builds on a pipeline and must see records before the user's processors do.
    pub fn processors_first(mut self, first: impl IntoIterator<Item = Box<dyn Processor>>) -> Self {
        self.processors.splice(0..0, first);
        self
    }

    /// The signals that the destinations added so far take.
    pub fn taken(&self) -> Signals {
        let taken = |destination: &DestinationSpec| destination.exporter.descriptor().signals();
        self.destinations.iter().map(taken).fold(Signals::NONE, Signals::union)
    }

    /// Advises destinations on the upper bounds of histogram buckets, by the metric's name; what is said of a metric before
    /// is replaced.
    ///
    /// A destination follows it unless its own [`crate::MetricsConfig`] speaks of the metric, or its exporter asks for
    /// exponential histograms.
    pub fn advise_bounds(mut self, bounds: impl IntoIterator<Item = (String, Vec<f64>)>) -> Self {
        self.advised_bounds.extend(bounds);
        self
    }

    /// Redacts by these rules; default: the built-in ones.
    pub fn redact(mut self, rules: RedactConfig) -> Self {
        self.redact = Some(rules);
        self
    }

    /// Switches redaction off: every string reaches the destinations as it was recorded.
    ///
    /// Default: on, since prompts and tool results carry keys more often than anybody thinks.
    pub fn without_redaction(mut self) -> Self {
        self.redact = None;
        self
    }

    /// The most bytes that records may hold between the application and the lanes.
    ///
    /// What comes when they are used up is dropped and counted as `intake_full`.
    /// Default: 64 MiB.
    pub fn intake_bytes(mut self, bytes: usize) -> Self {
        self.intake_bytes = bytes;
        self
    }

    /// The clock; default: the system's.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// How long dropping the pipeline may take, since that shuts it down; default: 5 s.
    pub fn drop_deadline(mut self, deadline: Duration) -> Self {
        self.drop_deadline = deadline;
        self
    }

    /// Starts the threads.
    ///
    /// # Errors
    /// [`obs_core::ErrorKind::Config`] for a name given twice or rules of redaction that cannot work, and [`obs_core::ErrorKind::Io`] where the system refuses
    /// a thread.
    pub fn build(mut self) -> Result<Pipeline, Error> {
        self.check_names()?;
        for destination in &mut self.destinations {
            destination.config.metrics.advised.clone_from(&self.advised_bounds);
        }
        for destination in &self.destinations {
            destination.config.check(&destination.name)?;
        }
        if let Some((to, _)) = &self.self_metrics {
            let found = self.destinations.iter().find(|destination| destination.name == *to);
            let takes = found.map(|destination| destination.exporter.takes(Signal::Metrics));
            let advice = match takes {
                Some(true) => None,
                Some(false) => {
                    Some(format!("the destination `{to}` does not take metrics; name one that does"))
                }
                None => Some(format!("no destination is called `{to}`; name one of the pipeline's")),
            };
            advice.map_or(Ok(()), |advice| Err(Error::config("self_metrics", advice)))?;
        }
        Pipeline::start(self)
    }

    /// Every destination and fallback needs a name of its own, since each has a ledger.
    fn check_names(&self) -> Result<(), Error> {
        let mut names: Vec<&str> = Vec::new();
        for destination in &self.destinations {
            let fallbacks = destination.fallbacks.iter().map(|(name, _)| name);
            for name in std::iter::once(&destination.name).chain(fallbacks) {
                if names.contains(&&**name) {
                    let advice = format!(
                        "two destinations are called `{name}`; give one another name with `to_named`"
                    );
                    return Err(Error::config("destinations", advice));
                }
                names.push(name);
            }
        }
        Ok(())
    }
}
