//! An instance in the making.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{Error, Resource, Str, TraceContext, Value};
use obs_pipeline::{Clock, DestinationSpec, Log, Matching, Pipeline, PipelineBuilder, Processor};

use crate::observability::{DROP_DEADLINE, Instance};
use crate::{Observability, Sampling, TailSampling};

/// An instance in the making.
#[derive(Debug)]
pub struct ObservabilityBuilder {
    pipeline: PipelineBuilder,
    sampling: Sampling,
    context: TraceContext,
    resource: Resource,
    enabled: bool,
    tail: Option<TailSampling>,
}

impl ObservabilityBuilder {
    pub(crate) fn new(service: Str) -> Self {
        Self {
            pipeline: Pipeline::builder(),
            sampling: Sampling::Always,
            context: TraceContext::default(),
            resource: Resource::service(service),
            enabled: true,
            tail: None,
        }
    }

    fn pipeline(mut self, change: impl FnOnce(PipelineBuilder) -> PipelineBuilder) -> Self {
        self.pipeline = change(self.pipeline);
        self
    }

    /// Adds a destination under its kind's name: an exporter, or a [`DestinationSpec`] with all that stands before one.
    #[must_use]
    pub fn to(self, destination: impl Into<DestinationSpec>) -> Self {
        self.pipeline(|pipeline| pipeline.to(destination))
    }

    /// Adds a destination under a name of one's own.
    #[must_use]
    #[expect(clippy::wrong_self_convention, reason = "it names where records go, it converts nothing")]
    pub fn to_named(self, name: impl Into<Box<str>>, destination: impl Into<DestinationSpec>) -> Self {
        self.pipeline(|pipeline| pipeline.to_named(name, destination))
    }

    /// Whether a record goes to every destination whose route takes it, which is the default, or to the first of them.
    #[must_use]
    pub fn matching(self, matching: Matching) -> Self {
        self.pipeline(|pipeline| pipeline.matching(matching))
    }

    /// Keeps on disk what waits for the destinations, so that it outlives the process; off unless set.
    #[must_use]
    pub fn queue(self, log: impl Log) -> Self {
        self.pipeline(|pipeline| pipeline.queue(log))
    }

    /// Tells the destination of this name every so often what becomes of the records at all of them; off unless set.
    #[must_use]
    pub fn self_metrics(self, to: impl Into<Box<str>>, every: Duration) -> Self {
        self.pipeline(|pipeline| pipeline.self_metrics(to, every))
    }

    /// Adds a processor; processors run in order, before redaction.
    #[must_use]
    pub fn processor(self, processor: impl Processor) -> Self {
        self.pipeline(|pipeline| pipeline.processor(processor))
    }

    /// Which traces are recorded; all of them unless set.
    #[must_use]
    pub fn sampling(mut self, sampling: Sampling) -> Self {
        self.sampling = sampling;
        self
    }

    /// Which of the recorded traces are kept, decided once they are over; all of them unless set.
    ///
    /// It comes after every processor, so that it sees what they made of the records, and before redaction.
    #[must_use]
    pub fn tail_sampling(mut self, tail: TailSampling) -> Self {
        self.tail = Some(tail);
        self
    }

    /// The deployment environment of every trace: `production`, `staging`.
    ///
    /// It is the resource's `deployment.environment.name`, too, unless [`Self::resource`] says another, so that series have it.
    #[must_use]
    pub fn environment(self, environment: impl Into<Str>) -> Self {
        self.trace(|context| context.environment = Some(environment.into()))
    }

    /// The release of the application.
    ///
    /// It is the resource's `service.version`, too, unless [`Self::resource`] says another, so that series have it.
    #[must_use]
    pub fn release(self, release: impl Into<Str>) -> Self {
        self.trace(|context| context.release = Some(release.into()))
    }

    /// Sets what every trace starts with.
    #[must_use]
    pub fn trace(mut self, change: impl FnOnce(&mut TraceContext)) -> Self {
        change(&mut self.context);
        self
    }

    /// Adds a resource attribute: `service.version`, `host.name`.
    #[must_use]
    pub fn resource(mut self, key: impl Into<Str>, value: impl Into<Value>) -> Self {
        self.resource.attributes.insert(key, value);
        self
    }

    /// Whether anything is recorded at all; it is unless set to false.
    #[must_use]
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// The clock; the system's unless set.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        self.pipeline(|pipeline| pipeline.clock(clock))
    }

    /// Further options of delivery, redaction and memory.
    #[must_use]
    pub fn configure(self, change: impl FnOnce(PipelineBuilder) -> PipelineBuilder) -> Self {
        self.pipeline(change)
    }

    /// Starts the instance.
    ///
    /// # Errors
    /// If two destinations have one name, tail sampling is given what is no share, limit or bound, or a thread cannot be started.
    pub fn build(self) -> Result<Observability, Error> {
        let Self { mut pipeline, sampling, context, mut resource, enabled, tail } = self;
        if let Some(tail) = tail {
            pipeline = pipeline.processor(tail.into_processor()?);
        }
        // A trace's context does not outlive the fold of its measurements into series; a resource does.
        let lasting =
            [("deployment.environment.name", &context.environment), ("service.version", &context.release)];
        for (name, value) in lasting {
            if let (None, Some(value)) = (resource.attributes.get(name), value) {
                resource.attributes.push(name, value.clone());
            }
        }
        let pipeline = Arc::new(pipeline.drop_deadline(DROP_DEADLINE).build()?);
        pipeline.intake().set_enabled(enabled);
        let instance = Instance::new(&pipeline, sampling, context, resource);
        Ok(Observability::of(pipeline, instance))
    }
}
