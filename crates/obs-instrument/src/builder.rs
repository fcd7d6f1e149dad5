//! An instance in the making.

use std::sync::Arc;

use obs_core::{Error, Exporter, Resource, Str, TraceContext, Value};
use obs_pipeline::{Clock, LaneConfig, Pipeline, PipelineBuilder, Processor};

use crate::observability::{DROP_DEADLINE, Instance};
use crate::{Observability, Sampling};

/// An instance in the making.
#[derive(Debug)]
pub struct ObservabilityBuilder {
    pipeline: PipelineBuilder,
    sampling: Sampling,
    context: TraceContext,
    resource: Resource,
    enabled: bool,
}

impl ObservabilityBuilder {
    pub(crate) fn new(service: Str) -> Self {
        Self {
            pipeline: Pipeline::builder(),
            sampling: Sampling::Always,
            context: TraceContext::default(),
            resource: Resource::service(service),
            enabled: true,
        }
    }

    fn pipeline(mut self, change: impl FnOnce(PipelineBuilder) -> PipelineBuilder) -> Self {
        self.pipeline = change(self.pipeline);
        self
    }

    /// Adds a destination under its kind's name.
    #[must_use]
    pub fn to(self, exporter: impl Exporter) -> Self {
        self.pipeline(|pipeline| pipeline.to(exporter))
    }

    /// Adds a destination under a name of one's own.
    #[must_use]
    #[expect(clippy::wrong_self_convention, reason = "it names where records go, it converts nothing")]
    pub fn to_named(self, name: impl Into<Box<str>>, exporter: impl Exporter) -> Self {
        self.pipeline(|pipeline| pipeline.to_named(name, exporter))
    }

    /// Adds a destination with delivery options of its own.
    #[must_use]
    #[expect(clippy::wrong_self_convention, reason = "it names where records go, it converts nothing")]
    pub fn to_lane(self, name: impl Into<Box<str>>, exporter: impl Exporter, config: LaneConfig) -> Self {
        self.pipeline(|pipeline| pipeline.to_lane(name, exporter, config))
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

    /// The deployment environment of every trace: `production`, `staging`.
    #[must_use]
    pub fn environment(self, environment: impl Into<Str>) -> Self {
        self.trace(|context| context.environment = Some(environment.into()))
    }

    /// The release of the application.
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
    /// If two destinations have one name, or a thread cannot be started.
    pub fn build(self) -> Result<Observability, Error> {
        let Self { pipeline, sampling, context, resource, enabled } = self;
        let pipeline = Arc::new(pipeline.drop_deadline(DROP_DEADLINE).build()?);
        let intake = pipeline.intake();
        intake.set_enabled(enabled);
        Ok(Observability::of(pipeline, Instance::new(intake, sampling, context, resource)))
    }
}
