//! Describes a pipeline and starts it.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{Error, Exporter};
use obs_redact::RedactConfig;

use crate::{Clock, LaneConfig, Pipeline, Processor};

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
}

/// A destination as the builder knows it.
#[derive(Debug)]
pub(crate) struct DestinationSpec {
    pub(crate) name: Box<str>,
    pub(crate) exporter: Arc<dyn Exporter>,
    pub(crate) config: LaneConfig,
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
        }
    }

    /// Adds a destination, named after the exporter's kind.
    pub fn to(self, exporter: impl Exporter) -> Self {
        let name = exporter.descriptor().kind().to_owned();
        self.to_named(name, exporter)
    }

    /// Adds a destination with a name of its own, which ledgers, health and messages use.
    pub fn to_named(self, name: impl Into<Box<str>>, exporter: impl Exporter) -> Self {
        self.to_lane(name, exporter, LaneConfig::DEFAULT)
    }

    /// Adds a destination with a name of its own, whose lanes work as `config` says.
    pub fn to_lane(mut self, name: impl Into<Box<str>>, exporter: impl Exporter, config: LaneConfig) -> Self {
        self.destinations.push(DestinationSpec { name: name.into(), exporter: Arc::new(exporter), config });
        self
    }

    /// Adds a processor after those before; redaction comes after all of them.
    pub fn processor(mut self, processor: impl Processor) -> Self {
        self.processors.push(Box::new(processor));
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
    pub fn build(self) -> Result<Pipeline, Error> {
        for (at, destination) in self.destinations.iter().enumerate() {
            if self.destinations[..at].iter().any(|earlier| earlier.name == destination.name) {
                let advice = format!(
                    "two destinations are called `{}`; give one another name with `to_named`",
                    destination.name
                );
                return Err(Error::config("destinations", advice));
            }
        }
        Pipeline::start(self)
    }
}
