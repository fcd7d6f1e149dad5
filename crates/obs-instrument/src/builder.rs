//! An instance in the making.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{Env, Error, Level, Resource, SpanType, Str, TraceContext, TraceReader, Value, suggest};
use obs_pipeline::{Clock, DestinationSpec, Log, Matching, Pipeline, PipelineBuilder, Processor};

use crate::cost::{CostConfig, Prices};
use crate::env::{Vars, conflict, same_sampling};
use crate::instance::{Hidden, Instance, Settings};
use crate::kind::place_of;
use crate::own_processors::OwnProcessors;
use crate::running::Running;
use crate::visible::Unseen;
use crate::{AutomaticMetrics, MetricsOf, Observability, Sampling, SpanLimits, TailSampling};

/// The attributes of a resource that name the environment: today's, and the one before it.
const ENVIRONMENT: &str = "deployment.environment.name";
const FORMER_ENVIRONMENT: &str = "deployment.environment";

/// An instance in the making.
#[derive(Debug)]
pub struct ObservabilityBuilder {
    pipeline: PipelineBuilder,
    /// Whether the environment's name of the service counts before the code's.
    named_by_env: bool,
    vars: Vars,
    sampling: Option<Sampling>,
    metrics: MetricsOf,
    min_level: Level,
    unsampled_logs: Option<Level>,
    context: TraceContext,
    resource: Resource,
    enabled: Option<bool>,
    tail: Option<TailSampling>,
    baggage_attributes: Vec<Str>,
    own: OwnProcessors,
    reader: Option<Arc<dyn TraceReader>>,
    hidden: Hidden,
    limits: SpanLimits,
}

impl ObservabilityBuilder {
    pub(crate) fn new(resource: Resource) -> Self {
        Self {
            pipeline: Pipeline::builder().processor(Unseen::Unsampled).processor(Unseen::Hidden),
            named_by_env: false,
            vars: Vars::default(),
            sampling: None,
            metrics: MetricsOf::All,
            min_level: Level::Trace,
            unsampled_logs: None,
            context: TraceContext::default(),
            resource,
            enabled: None,
            tail: None,
            baggage_attributes: Vec::new(),
            own: OwnProcessors::default(),
            reader: None,
            hidden: Hidden::default(),
            limits: SpanLimits::default(),
        }
    }

    /// Reads the environment: what it says counts where the code says nothing, before or after this.
    ///
    /// | variable | what it says | of several, the first counts |
    /// |---|---|---|
    /// | `OBS_ENABLED`, `MASTRA_OBSERVABILITY_ENABLED` | [`Self::enabled`]: `true` or `false` | 1, 2 |
    /// | `OTEL_SDK_DISABLED` | the reverse | 3 |
    /// | `OBS_SAMPLING`, `MASTRA_OBSERVABILITY_SAMPLING` | [`Self::sampling`]: `always`, `never`, or a fraction | 1, 2 |
    /// | `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG` | the same; without `parentbased_`, also for children of other processes | 3 |
    /// | `OTEL_SERVICE_NAME` | the service's name, with [`Self::named_by_env`] | 1 |
    /// | `OBS_PRICES` | [`Self::prices`]: the path of a file | 1 |
    /// | `OTEL_RESOURCE_ATTRIBUTES` | [`Self::resource`], and `service.name`; environment and release of traces | 2 |
    ///
    /// Where two say different things, or the code says another than a variable, one line of `tracing` names both and
    /// the winner when the instance is built.
    ///
    /// What a variable of OpenTelemetry's says that is not understood is told in one such line, too, and counts as not
    /// set: they are set for many programs at once, and stop none of them.
    ///
    /// # Errors
    /// A configuration error naming a variable of obs's or Mastra's that counts and cannot be read, and what to set it to.
    #[expect(clippy::wrong_self_convention, reason = "it reads on, as the configs of exporters begin")]
    pub fn from_env(self) -> Result<Self, Error> {
        self.from_vars(&Env::process())
    }

    /// As [`Self::from_env`], with `PREFIX_` before each variable's name: `PROFILING_OBS_SAMPLING`.
    ///
    /// # Errors
    /// As [`Self::from_env`].
    #[expect(clippy::wrong_self_convention, reason = "it reads on, as the configs of exporters begin")]
    pub fn from_env_prefixed(self, prefix: &str) -> Result<Self, Error> {
        self.from_vars(&Env::process().prefixed(prefix))
    }

    /// As [`Self::from_env`], from this environment.
    ///
    /// # Errors
    /// As [`Self::from_env`].
    #[expect(clippy::wrong_self_convention, reason = "it reads on, as the configs of exporters begin")]
    pub fn from_vars(mut self, env: &Env) -> Result<Self, Error> {
        self.vars = Vars::read(env)?;
        self.own.read(env)?;
        Ok(self)
    }

    /// Lets the environment name the service, where it does; the name in the code is for where it does not.
    ///
    /// Without this the code's name counts, as all that the code says.
    #[must_use]
    pub fn named_by_env(mut self) -> Self {
        self.named_by_env = true;
        self
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
        self.sampling = Some(sampling);
        self
    }

    /// Which traces automatic metrics count: all of them unless set, so that tokens and costs stay exact.
    #[must_use]
    pub fn metrics(mut self, metrics: MetricsOf) -> Self {
        self.metrics = metrics;
        self
    }

    /// The least level of logs that is recorded; all are unless set.
    #[must_use]
    pub fn min_level(mut self, level: Level) -> Self {
        self.min_level = level;
        self
    }

    /// Records logs of this level and above also under traces that are not recorded, without ids that nobody could
    /// follow; unless set, such a trace leaves no log behind.
    #[must_use]
    pub fn unsampled_logs(mut self, from: Level) -> Self {
        self.unsampled_logs = Some(from);
        self
    }

    /// Leaves out the spans of these types, named as [`SpanType::NAMES`] has them.
    ///
    /// What is under such a span moves up to the nearest span that is shown; tokens and costs of a model's call that is left
    /// out are added to that one, as [`crate::rolled`] names them.
    /// Metrics count spans that are left out, too.
    /// What begins a trace here is never left out: a root, and a span whose parent is another process's or another
    /// instance's.
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

    /// How much a span may gather while it is open; see [`SpanLimits`] for what it is unless set.
    #[must_use]
    pub fn span_limits(mut self, limits: SpanLimits) -> Self {
        self.limits = limits;
        self
    }

    /// The keys of [`Baggage`](crate::Baggage) that become attributes of the spans under it; none unless set.
    ///
    /// Callers choose the values; they are redacted as any attribute is.
    #[must_use]
    pub fn baggage_attributes<K: Into<Str>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.baggage_attributes = keys.into_iter().map(Into::into).collect();
        self
    }

    /// Whether internal spans are shown like any other; they are hidden unless set to true.
    #[must_use]
    pub fn include_internal_spans(mut self, include: bool) -> Self {
        self.hidden.internal_shown = include;
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

    /// Which metrics are made of spans, scores and feedback, and what labels metrics may have.
    ///
    /// Unless set, the whole of [`crate::AUTOMATIC_METRICS`] where a destination takes metrics, and nothing elsewhere.
    #[must_use]
    pub fn automatic_metrics(mut self, automatic: AutomaticMetrics) -> Self {
        self.own.automatic = automatic;
        self
    }

    /// Whether anything is recorded at all; it is unless set to false.
    #[must_use]
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = Some(enabled);
        self
    }

    /// The clock; the system's unless set.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        self.pipeline(|pipeline| pipeline.clock(clock))
    }

    /// Where traces are read back from for what is said of them later, such as an obs-store; nowhere unless set.
    #[must_use]
    pub fn reader(mut self, reader: Arc<dyn TraceReader>) -> Self {
        self.reader = Some(reader);
        self
    }

    /// Prices of one's own, on top of the built-in ones, or of those that were given before by this or by [`Self::cost`]:
    /// where both have a model, these win.
    ///
    /// They count before those of a file that `OBS_PRICES` names; where [`CostConfig::off`] was given, costs stay off.
    #[must_use]
    pub fn prices(mut self, prices: &Prices) -> Self {
        self.own.cost = Some(self.own.cost.take().unwrap_or_default().extended(prices));
        self
    }

    /// How the costs of model calls are found; unless set, they are estimated by the built-in prices.
    ///
    /// It takes the place of all that was said of costs before.
    #[must_use]
    pub fn cost(mut self, cost: CostConfig) -> Self {
        self.own.cost = Some(cost);
        self
    }

    /// Further options of delivery, redaction and memory.
    #[must_use]
    pub fn configure(self, change: impl FnOnce(PipelineBuilder) -> PipelineBuilder) -> Self {
        self.pipeline(change)
    }

    /// Starts the instance.
    ///
    /// # Errors
    /// If two destinations have one name, an option cannot be obeyed, or a thread cannot be started.
    pub fn build(mut self) -> Result<Observability, Error> {
        self.settle_resource();
        let Self { mut pipeline, vars, sampling, context, resource, enabled, own, reader, .. } = self;
        if let Some(tail) = self.tail {
            pipeline = pipeline.processor(tail.into_processor()?);
        }
        let enabled = vars.enabled.settle("whether anything is recorded", enabled, |a, b| a == b);
        let sampling = vars.sampling.settle("sampling", sampling, same_sampling);
        let (counted, starts) = (own.counts(&pipeline), own.starts(&pipeline)?);
        let (costs, sums) = (own.costs(), own.sums());
        // What drops the pipeline has shut it down before, within a deadline of its own.
        let pipeline = own.add_to(pipeline, &costs).drop_deadline(Duration::ZERO).build()?;
        pipeline.intake().set_enabled(enabled.unwrap_or(true));
        let running = Running::new(pipeline);
        let unsampled_counted = self.metrics == MetricsOf::All;
        let settings = Settings {
            sampling: sampling.unwrap_or_default(),
            min_level: self.min_level,
            unsampled_logs: self.unsampled_logs,
            context,
            resource,
            hidden: Hidden { counted, unsampled_counted, ..self.hidden },
            limits: self.limits,
            starts,
            sums,
            baggage_attributes: self.baggage_attributes,
        };
        let instance = Instance::new(&running, settings);
        instance.set_costs(costs);
        if let Some(reader) = reader {
            instance.set_reader(reader);
        }
        Ok(Observability::of(running, instance))
    }

    /// Settles what the resource is, and what it and the traces' context tell each other.
    fn settle_resource(&mut self) {
        let Self { vars, named_by_env, context, resource, .. } = self;
        let attributes = &mut resource.attributes;
        let code = attributes.get("service.name").and_then(Value::as_str).map(Str::copied);
        let code = code.filter(|_| !*named_by_env);
        let name = std::mem::take(&mut vars.service).settle("the service's name", code, |a, b| a == b);
        if let Some(name) = name {
            attributes.insert("service.name", name);
        }
        // A trace's context does not outlive the fold of its measurements into series; a resource does.
        let lasting = [(ENVIRONMENT, &mut context.environment), ("service.version", &mut context.release)];
        for (name, value) in &lasting {
            if let (None, Some(value)) = (attributes.get(name), &**value) {
                attributes.push(*name, value.clone());
            }
        }
        let mut overruled = Vec::new();
        for (key, value) in std::mem::take(&mut vars.resource) {
            match attributes.get(&key).map(|known| known.as_str() == Some(&*value)) {
                None => attributes.push(key, value),
                Some(true) => {}
                Some(false) => overruled.push(key),
            }
        }
        for (name, value) in lasting {
            if value.is_none() && !vars.resource_name.is_empty() {
                // What conventions called it before is still what most deployments say.
                let former = (name == ENVIRONMENT).then_some(FORMER_ENVIRONMENT);
                let said = [Some(name), former].into_iter().flatten().find_map(|name| attributes.get(name));
                *value = said.and_then(Value::as_str).map(Str::copied);
            }
        }
        if !overruled.is_empty() {
            let what = overruled.iter().map(Str::as_str).collect::<Vec<_>>().join(", ");
            conflict(&format!("the resource's {what}"), "the code", &vars.resource_name);
        }
    }
}
