//! An instance: what an application holds.

use std::fmt;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use obs_core::{
    AgentRun, Cost, Embedding, Env, Error, EvalExecution, Level, LlmGeneration, McpToolCall, MemoryLookup,
    MemoryUpdate, RagQuery, Resource, Signal, Span, Str, ToolCall, TraceContext, TraceId, TraceReader,
    WorkflowRun, WorkflowStep,
};
use obs_pipeline::{Aside, Clock, Intake, Pipeline, Report, SyncReport};

use crate::automatic::Starts;
use crate::context::instances;
use crate::cost::CostConfig;
use crate::logger::Threshold;
use crate::sampling::{Question, Sampler};
use crate::summed::Sums;
use crate::{ActiveSpan, Context, Generic, Kind, Meter, ObservabilityBuilder, Sampling};

/// How long a [`Guard`], and the drop of the last handle of an instance, waits at most.
///
/// Five seconds, as OpenTelemetry's SDKs wait at shutdown.
pub(crate) const DROP_DEADLINE: Duration = Duration::from_secs(5);

/// A running instance: records in, destinations out.
///
/// A cheap handle; when the last one is dropped, what is recorded is delivered, within five seconds.
#[derive(Clone)]
pub struct Observability {
    pipeline: Arc<Pipeline>,
    instance: Arc<Instance>,
}

/// Which traces automatic metrics count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MetricsOf {
    /// All of them, also those that are not recorded.
    #[default]
    All,
    /// Those that are recorded.
    Sampled,
}

/// What starting a span needs.
#[derive(Debug)]
pub(crate) struct Instance {
    number: u64,
    /// Whoever holds an instance, a context for one, does not keep its pipeline alive.
    pipeline: Weak<Pipeline>,
    intake: Intake,
    sampler: Sampler,
    min_level: Threshold,
    unsampled_logs: Option<Level>,
    context: Arc<TraceContext>,
    resource: Arc<Resource>,
    hidden: Hidden,
    /// Where traces are read back from, and the thread on which they are.
    reader: OnceLock<Arc<dyn TraceReader>>,
    aside: Aside,
    /// How the costs of calls are found that nobody is shown.
    costs: OnceLock<CostConfig>,
    baggage_attributes: Box<[Str]>,
    /// Counts runs and calls that began, if anybody wants to know.
    starts: Option<Starts>,
    /// Counters that add up in place.
    sums: Arc<Sums>,
}

/// Which spans are not shown.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Hidden {
    /// The excluded types, as [`Kind::BIT`]s.
    pub(crate) types: u16,
    /// Whether internal spans are shown like any other.
    pub(crate) internal_shown: bool,
    /// Whether automatic metrics count spans that are not shown.
    pub(crate) counted: bool,
    /// Whether they count the spans of unsampled traces, too.
    pub(crate) unsampled_counted: bool,
}

/// What an instance is told when it is built.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) sampling: Sampling,
    pub(crate) min_level: Level,
    pub(crate) unsampled_logs: Option<Level>,
    pub(crate) context: TraceContext,
    pub(crate) resource: Resource,
    pub(crate) hidden: Hidden,
    /// The keys of baggage that become attributes of spans.
    pub(crate) baggage_attributes: Vec<Str>,
    pub(crate) starts: Option<Starts>,
    pub(crate) sums: Arc<Sums>,
}

impl Instance {
    pub(crate) fn new(pipeline: &Arc<Pipeline>, settings: Settings) -> Arc<Self> {
        let Settings { sampling, min_level, unsampled_logs, context, resource, .. } = settings;
        instances::register(|number| Self {
            number,
            pipeline: Arc::downgrade(pipeline),
            intake: pipeline.intake(),
            sampler: Sampler::new(sampling),
            min_level: Threshold::new(min_level),
            unsampled_logs,
            context: Arc::new(context),
            resource: Arc::new(resource),
            reader: OnceLock::new(),
            costs: OnceLock::new(),
            aside: Aside::new(pipeline.intake().clock().clone()),
            hidden: settings.hidden,
            starts: settings.starts,
            baggage_attributes: settings.baggage_attributes.into(),
            sums: settings.sums,
        })
    }

    /// Says where traces are read back from; the first to say so counts.
    pub(crate) fn set_reader(&self, reader: Arc<dyn TraceReader>) {
        let _ = self.reader.set(reader);
    }

    pub(crate) fn reader(&self) -> Option<&Arc<dyn TraceReader>> {
        self.reader.get()
    }

    pub(crate) fn aside(&self) -> &Aside {
        &self.aside
    }

    /// The keys of baggage that become attributes of spans.
    pub(crate) fn baggage_attributes(&self) -> &[Str] {
        &self.baggage_attributes
    }

    /// Whether anything holds its pipeline.
    #[cfg(feature = "macros")]
    pub(crate) fn is_alive(&self) -> bool {
        self.pipeline.strong_count() > 0
    }

    /// What a span that is not recorded knows it by.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Whether some destination takes spans, or records that name them: a score on a span needs its ids, whoever takes spans.
    #[inline]
    pub(crate) fn has_spans(&self) -> bool {
        !self.intake.wants().without(Signal::Metrics).is_empty()
    }

    /// Whether a span of this type is hidden, unless it is a root.
    #[inline]
    pub(crate) fn hides(&self, bit: u16, internal: bool) -> bool {
        self.hidden.types & bit != 0 || (internal && !self.hidden.internal_shown)
    }

    /// Whether automatic metrics are made of spans.
    #[inline]
    pub(crate) fn counts(&self) -> bool {
        self.hidden.counted
    }

    /// Whether spans that nobody is to see are counted all the same.
    #[inline]
    pub(crate) fn measures(&self) -> bool {
        self.hidden.counted && self.intake.wants().contains(Signal::Metrics)
    }

    /// [`Self::measures`], for the spans of unsampled traces.
    #[inline]
    pub(crate) fn measures_unsampled(&self) -> bool {
        self.hidden.unsampled_counted && self.measures()
    }

    /// Whether a root is neither recorded nor measured, whatever its id.
    #[inline]
    pub(crate) fn records_no_root(&self) -> bool {
        self.sampler.takes_no_root() && self.has_spans() && !self.measures_unsampled()
    }

    /// What a call of a model cost.
    pub(crate) fn cost_of(&self, span: &Span) -> Option<Cost> {
        self.costs.get().map_or_else(|| span.span_type.cost().cloned(), |costs| costs.of(span))
    }

    /// Says how costs are found; the first to say so counts.
    pub(crate) fn set_costs(&self, costs: CostConfig) {
        let _ = self.costs.set(costs);
    }

    /// What counts runs and calls that began, if anybody wants to know.
    #[inline]
    pub(crate) fn starts(&self) -> Option<&Starts> {
        self.starts.as_ref()
    }

    pub(crate) fn intake(&self) -> &Intake {
        &self.intake
    }

    pub(crate) fn clock(&self) -> &Clock {
        self.intake.clock()
    }

    pub(crate) fn sampler(&self) -> &Sampler {
        &self.sampler
    }

    /// What the sampler is asked about a trace that begins here with such a span.
    #[inline]
    pub(crate) fn question<'a, T: Kind>(&'a self, trace_id: TraceId, name: &'a str) -> Question<'a> {
        Question { trace_id, name, span_type: T::NAME, trace: &self.context, clock: self.clock() }
    }

    #[inline]
    pub(crate) fn wants_logs(&self) -> bool {
        self.intake.wants().contains(Signal::Logs)
    }

    /// Whether a log of this level is recorded, outside of unsampled traces.
    #[inline]
    pub(crate) fn takes_log(&self, level: Level) -> bool {
        self.wants_logs() && self.min_level.lets(level)
    }

    /// Whether one that is recorded elsewhere is under an unsampled trace, too.
    pub(crate) fn takes_unsampled_log(&self, level: Level) -> bool {
        self.unsampled_logs.is_some_and(|least| level >= least)
    }

    pub(crate) fn min_level(&self) -> &Threshold {
        &self.min_level
    }

    pub(crate) fn trace_context(&self) -> &Arc<TraceContext> {
        &self.context
    }

    pub(crate) fn resource(&self) -> &Arc<Resource> {
        &self.resource
    }
}

macro_rules! starts {
    ($($name:ident: $kind:ident, $what:literal;)*) => {
        $(
            #[doc = concat!("Starts ", $what, " under the current context.")]
            #[inline]
            pub fn $name(&self, name: impl Into<Str>) -> ActiveSpan<$kind> {
                ActiveSpan::start_here(&self.instance, name, $kind::default)
            }
        )*
    };
}

impl Observability {
    pub(crate) fn of(pipeline: Arc<Pipeline>, instance: Arc<Instance>) -> Self {
        Self { pipeline, instance }
    }

    /// What starting a span needs, which keeps nothing alive.
    pub(crate) fn instance(&self) -> &Arc<Instance> {
        &self.instance
    }

    /// The instance of the current context, if it still runs: the one that recorded the current span, or whose
    /// [`Self::context`] is current.
    ///
    /// It is a handle as any other: keep it no longer than needed, since the last one to go shuts the instance down.
    pub fn current() -> Option<Self> {
        let instance = Arc::clone(Context::current().instance()?);
        Some(Self { pipeline: instance.pipeline.upgrade()?, instance })
    }

    /// A context outside of every trace, of this instance: under it, what names no instance is recorded by this one.
    ///
    /// It isolates tests and tenants without anything global, and it does not keep the instance alive.
    ///
    /// ```
    /// # use obs_instrument::Observability;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let obs = Observability::builder("tenant").to(obs_testkit::Scripted::new([])).build()?;
    /// obs.context().scope(|| assert!(Observability::current().is_some()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn context(&self) -> Context {
        Context::of(Arc::clone(&self.instance))
    }

    /// Begins an instance for the service of this name.
    pub fn builder(service: impl Into<Str>) -> ObservabilityBuilder {
        ObservabilityBuilder::new(Resource::service(service), None)
    }

    /// Begins an instance as the environment says; the service has this name unless the environment has another.
    ///
    /// [`Self::builder`] followed by [`ObservabilityBuilder::from_env`], which has the list of variables, keeps the name
    /// that the code gives.
    ///
    /// # Errors
    /// As [`ObservabilityBuilder::from_env`].
    pub fn from_env(service: impl Into<Str>) -> Result<ObservabilityBuilder, Error> {
        Self::from_vars(service, &Env::process())
    }

    /// As [`Self::from_env`], with `PREFIX_` before each variable's name.
    ///
    /// # Errors
    /// As [`ObservabilityBuilder::from_env`].
    pub fn from_env_prefixed(service: impl Into<Str>, prefix: &str) -> Result<ObservabilityBuilder, Error> {
        Self::from_vars(service, &Env::process().prefixed(prefix))
    }

    /// As [`Self::from_env`], from this environment.
    ///
    /// ```
    /// use obs_instrument::Observability;
    /// use obs_instrument::core::Env;
    /// # use obs_testkit::Scripted;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let exporter = Scripted::new([]);
    /// let env = Env::of([("OTEL_SERVICE_NAME", "support-bot-eu"), ("OBS_SAMPLING", "0.1")]);
    /// let obs = Observability::from_vars("support-bot", &env)?.to(exporter).build()?;
    /// assert!(format!("{obs:?}").contains("support-bot-eu"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`ObservabilityBuilder::from_env`].
    pub fn from_vars(service: impl Into<Str>, env: &Env) -> Result<ObservabilityBuilder, Error> {
        ObservabilityBuilder::new(Resource::default(), Some(service.into())).from_vars(env)
    }

    starts! {
        span: Generic, "a span of no special type";
        agent_run: AgentRun, "a run of an agent";
        workflow_run: WorkflowRun, "a run of a workflow";
        workflow_step: WorkflowStep, "a step of a workflow";
        llm_generation: LlmGeneration, "a call of a language model";
        tool_call: ToolCall, "a call of a tool";
        mcp_tool_call: McpToolCall, "a call of a tool of an MCP server";
        memory_lookup: MemoryLookup, "a read from memory";
        memory_update: MemoryUpdate, "a write to memory";
        rag_query: RagQuery, "a retrieval";
        embedding: Embedding, "the making of embeddings";
        eval_execution: EvalExecution, "a run of a scorer";
    }

    /// Starts a span with its typed fields under a context of the caller's choice.
    #[inline]
    pub fn start<T: Kind>(&self, name: impl Into<Str>, fields: T, parent: &Context) -> ActiveSpan<T> {
        ActiveSpan::start(&self.instance, name, || parent.clone(), || fields)
    }

    /// Starts a span of the framework's own work, which is not shown unless the builder's `include_internal_spans` says so.
    ///
    /// What is started, logged or scored under it attaches to the nearest visible span above; a root is always visible.
    /// For one of another type see [`Self::start_internal`].
    pub fn internal_span(&self, name: impl Into<Str>) -> ActiveSpan {
        ActiveSpan::start_internal(&self.instance, name, Context::current, Generic::default)
    }

    /// [`Self::internal_span`] of any type, under a context of the caller's choice.
    ///
    /// Tokens and costs of an internal call of a model are added to the nearest visible span above, as
    /// [`crate::rolled`] names them.
    pub fn start_internal<T: Kind>(
        &self,
        name: impl Into<Str>,
        fields: T,
        parent: &Context,
    ) -> ActiveSpan<T> {
        ActiveSpan::start_internal(&self.instance, name, || parent.clone(), || fields)
    }

    /// Where instruments for metrics are made.
    pub fn meter(&self) -> Meter {
        let Instance { intake, context, resource, sums, .. } = &*self.instance;
        let (context, resource, sums) = (Arc::clone(context), Arc::clone(resource), Arc::clone(sums));
        Meter { intake: intake.clone(), context, resource, sums }
    }

    /// From now on records these traces; those that have begun go on as they are.
    pub fn set_sampling(&self, sampling: Sampling) {
        self.instance.sampler.set(sampling);
    }

    /// Which traces are recorded.
    pub fn sampling(&self) -> Sampling {
        self.instance.sampler.get()
    }

    /// Turns recording off and on again: while it is off, every call costs a load and does nothing.
    ///
    /// What has begun is lost, if it ends meanwhile.
    pub fn set_enabled(&self, enabled: bool) {
        self.instance.intake.set_enabled(enabled);
    }

    /// Delivers what is recorded; blocks until done or the deadline, and says how it went.
    ///
    /// Judgements that wait for their trace are waited for, too: for half of the time they may go on looking, then they go
    /// out with what is known.
    pub fn flush(&self, deadline: Duration) -> Report {
        self.settled(deadline, Pipeline::flush)
    }

    /// Does it once more for judgements that waited for their trace, which may have to be delivered first.
    fn settled<R>(&self, deadline: Duration, deliver: impl Fn(&Pipeline, Duration) -> R) -> R {
        if self.instance.aside.is_idle() {
            return deliver(&self.pipeline, deadline);
        }
        // Real time even where a test pauses the instance's clock: the promise is made to the caller.
        let clock = Clock::system();
        let left = || deadline.saturating_sub(clock.monotonic());
        self.pipeline.flush(left());
        self.instance.aside.settle(left());
        deliver(&self.pipeline, left())
    }

    /// Makes what is recorded durable where a lane has a durable queue; names the lanes that have none.
    pub fn sync(&self, deadline: Duration) -> SyncReport {
        self.settled(deadline, Pipeline::sync)
    }

    /// Stops recording and delivers the rest; blocks until done or the deadline, and says how it went.
    ///
    /// What is recorded afterwards, and spans that are still open, are ignored and not counted: end spans before.
    pub fn shutdown(&self, deadline: Duration) -> Report {
        self.settled(deadline, Pipeline::shutdown)
    }

    /// Where every record is now.
    pub fn report(&self) -> Report {
        self.pipeline.report()
    }

    /// The pipeline behind the instance.
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// A guard that flushes when it is dropped, for the end of `main` or of a request in a serverless function.
    pub fn guard(&self) -> Guard {
        Guard { obs: self.clone(), deadline: DROP_DEADLINE }
    }
}

impl Drop for Observability {
    /// The last handle waits for judgements that wait for their trace, which would find nobody to take them else.
    fn drop(&mut self) {
        if Arc::strong_count(&self.pipeline) == 1 && !self.instance.aside.is_idle() {
            self.flush(DROP_DEADLINE);
        }
    }
}

impl fmt::Debug for Observability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observability")
            .field("resource", &self.instance.resource)
            .field("sampling", &self.instance.sampler)
            .finish_non_exhaustive()
    }
}

/// Flushes its instance when it is dropped.
#[derive(Debug)]
#[must_use = "it flushes when it is dropped: bind it to a name"]
pub struct Guard {
    obs: Observability,
    deadline: Duration,
}

impl Guard {
    /// How long the flush may take; five seconds unless set.
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.obs.flush(self.deadline);
    }
}
