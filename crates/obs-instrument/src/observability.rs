//! An instance: what an application holds.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use obs_core::{
    AgentRun, Embedding, EvalExecution, Level, LlmGeneration, McpToolCall, MemoryLookup, MemoryUpdate,
    RagQuery, Resource, ScoreValue, Signal, Str, Target, ToolCall, TraceContext, WorkflowRun, WorkflowStep,
};
use obs_pipeline::{Clock, Intake, Pipeline, Report, SyncReport};

use crate::context::instances;
use crate::judgement::{FeedbackBuilder, ScoreBuilder};
use crate::logger::LogBuilder;
use crate::{ActiveSpan, Context, Generic, Kind, Meter, ObservabilityBuilder, Recorder, Sampling};

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

/// What starting a span needs.
#[derive(Debug)]
pub(crate) struct Instance {
    number: u64,
    /// Whoever holds an instance, a context for one, does not keep its pipeline alive.
    pipeline: Weak<Pipeline>,
    intake: Intake,
    sampling: Sampling,
    context: Arc<TraceContext>,
    resource: Arc<Resource>,
}

impl Instance {
    pub(crate) fn new(
        pipeline: &Arc<Pipeline>,
        sampling: Sampling,
        context: TraceContext,
        resource: Resource,
    ) -> Arc<Self> {
        instances::register(|number| Self {
            number,
            pipeline: Arc::downgrade(pipeline),
            intake: pipeline.intake(),
            sampling,
            context: Arc::new(context),
            resource: Arc::new(resource),
        })
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

    pub(crate) fn intake(&self) -> &Intake {
        &self.intake
    }

    pub(crate) fn clock(&self) -> &Clock {
        self.intake.clock()
    }

    pub(crate) fn sampling(&self) -> &Sampling {
        &self.sampling
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
                ActiveSpan::start(&self.instance, name, Context::current(), $kind::default)
            }
        )*
    };
}

impl Observability {
    pub(crate) fn of(pipeline: Arc<Pipeline>, instance: Arc<Instance>) -> Self {
        Self { pipeline, instance }
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
        ObservabilityBuilder::new(service.into())
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
        ActiveSpan::start(&self.instance, name, parent.clone(), || fields)
    }

    /// A log record under the current context; it is recorded when the builder is dropped.
    #[inline]
    pub fn log(&self, level: Level, message: impl Into<Str>) -> LogBuilder<'_> {
        {
            let Instance { intake, context, resource, .. } = &*self.instance;
            LogBuilder::new(intake, level, message, &Context::current(), context, resource)
        }
    }

    /// An [`Level::Info`] record.
    pub fn info(&self, message: impl Into<Str>) -> LogBuilder<'_> {
        self.log(Level::Info, message)
    }

    /// A [`Level::Warn`] record.
    pub fn warn(&self, message: impl Into<Str>) -> LogBuilder<'_> {
        self.log(Level::Warn, message)
    }

    /// An [`Level::Error`] record.
    pub fn error(&self, message: impl Into<Str>) -> LogBuilder<'_> {
        self.log(Level::Error, message)
    }

    /// A [`Level::Debug`] record.
    pub fn debug(&self, message: impl Into<Str>) -> LogBuilder<'_> {
        self.log(Level::Debug, message)
    }

    /// Where instruments for metrics are made.
    pub fn meter(&self) -> Meter {
        let Instance { intake, context, resource, .. } = &*self.instance;
        Meter { intake: intake.clone(), context: Arc::clone(context), resource: Arc::clone(resource) }
    }

    /// A score of any target, of a trace that ended long ago for one; it is recorded when the builder is dropped.
    pub fn score(&self, target: Target, name: impl Into<Str>, value: impl Into<ScoreValue>) -> ScoreBuilder {
        let Instance { intake, context, resource, .. } = &*self.instance;
        ScoreBuilder::within(intake, target, name, value, context, resource)
    }

    /// Feedback on any target; it is recorded when the builder is dropped.
    pub fn feedback(
        &self,
        target: Target,
        kind: impl Into<Str>,
        value: impl Into<ScoreValue>,
    ) -> FeedbackBuilder {
        let Instance { intake, context, resource, .. } = &*self.instance;
        FeedbackBuilder::within(intake, target, kind, value, context, resource)
    }

    /// Turns recording off and on again.
    pub fn set_enabled(&self, enabled: bool) {
        self.instance.intake.set_enabled(enabled);
    }

    /// Delivers what is recorded; blocks until done or the deadline, and says how it went.
    pub fn flush(&self, deadline: Duration) -> Report {
        self.pipeline.flush(deadline)
    }

    /// Makes what is recorded durable where a lane has a durable queue; names the lanes that have none.
    pub fn sync(&self, deadline: Duration) -> SyncReport {
        self.pipeline.sync(deadline)
    }

    /// Stops recording and delivers the rest; blocks until done or the deadline, and says how it went.
    ///
    /// What is recorded afterwards, and spans that are still open, are ignored and not counted: end spans before.
    pub fn shutdown(&self, deadline: Duration) -> Report {
        self.pipeline.shutdown(deadline)
    }

    /// Where every record is now.
    pub fn report(&self) -> Report {
        self.pipeline.report()
    }

    /// The pipeline behind the instance.
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// What a bridge from another library records with.
    pub fn recorder(&self) -> Recorder {
        Recorder::new(Arc::clone(&self.instance))
    }

    /// A guard that flushes when it is dropped, for the end of `main` or of a request in a serverless function.
    pub fn guard(&self) -> Guard {
        Guard { obs: self.clone(), deadline: DROP_DEADLINE }
    }
}

impl fmt::Debug for Observability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observability")
            .field("resource", &self.instance.resource)
            .field("sampling", &self.instance.sampling)
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
