//! An instance in the making.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{Error, Resource, SpanType, Str, TraceContext, Value, suggest};
use obs_pipeline::{Clock, DestinationSpec, Log, Matching, Pipeline, PipelineBuilder, Processor};

use crate::kind::place_of;
use crate::observability::{DROP_DEADLINE, Hidden, Instance};
use crate::visible::Unseen;
use crate::{Observability, Sampling};

/// An instance in the making.
#[derive(Debug)]
pub struct ObservabilityBuilder {
    pipeline: PipelineBuilder,
    sampling: Sampling,
    context: TraceContext,
    resource: Resource,
    enabled: bool,
    hidden: Hidden,
}

impl ObservabilityBuilder {
    pub(crate) fn new(service: Str) -> Self {
        Self {
            pipeline: Pipeline::builder().processor(Unseen::Unsampled).processor(Unseen::Hidden),
            sampling: Sampling::Always,
            context: TraceContext::default(),
            resource: Resource::service(service),
            enabled: true,
            hidden: Hidden::default(),
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

    /// Leaves out the spans of these types, named as [`SpanType::NAMES`] has them.
    ///
    /// What is under such a span moves up to the nearest span that is shown; tokens and costs of a model's call that is left
    /// out are added to that one, as [`crate::rolled`] names them.
    /// Metrics count spans that are left out, too, and a root is never left out.
    ///
    /// # Errors
    /// If a name is none of a type.
    pub fn exclude_span_types<S: AsRef<str>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self, Error> {
        for name in names {
            let name = name.as_ref();
            let place = place_of(name);
            if place == SpanType::NAMES.len() {
                let nearest = suggest::nearest(name, SpanType::NAMES);
                let meant = nearest.map(|nearest| format!(", did you mean `{nearest}`?")).unwrap_or_default();
                let known = SpanType::NAMES.join("`, `");
                let advice = format!("there is no type of span `{name}`{meant} Known: `{known}`");
                return Err(Error::config("exclude_span_types", advice));
            }
            self.hidden.types |= 1 << place;
        }
        Ok(self)
    }

    /// Whether internal spans are shown like any other; they are hidden unless set to true.
    #[must_use]
    pub fn include_internal_spans(mut self, include: bool) -> Self {
        self.hidden.internal_shown = include;
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
    /// If two destinations have one name, or a thread cannot be started.
    pub fn build(self) -> Result<Observability, Error> {
        let Self { pipeline, sampling, context, mut resource, enabled, hidden } = self;
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
        let instance = Instance::new(&pipeline, sampling, context, resource, hidden);
        Ok(Observability::of(pipeline, instance))
    }
}
