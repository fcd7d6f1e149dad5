//! An instance: what an application holds.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use obs_core::{
    AgentRun, Embedding, Env, Error, EvalExecution, LlmGeneration, McpToolCall, MemoryLookup, MemoryUpdate,
    RagQuery, Resource, Str, ToolCall, WorkflowRun, WorkflowStep,
};
use obs_pipeline::{Pipeline, Report, SyncReport};

use crate::instance::Instance;
use crate::running::{DROP_DEADLINE, Running};
use crate::{ActiveSpan, Context, Generic, Kind, Meter, ObservabilityBuilder, Sampling};

/// A running instance: records in, destinations out.
///
/// A cheap handle; when the last one is dropped, what is recorded is delivered, within five seconds.
/// After a [`Self::shutdown`] there is nothing left to deliver, and the drop waits for nobody.
#[derive(Clone)]
pub struct Observability {
    running: Arc<Running>,
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
    pub(crate) fn of(running: Arc<Running>, instance: Arc<Instance>) -> Self {
        Self { running, instance }
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
        Some(Self { running: instance.running()?, instance })
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
        ObservabilityBuilder::new(Resource::service(service))
    }

    /// [`Self::builder`] followed by [`ObservabilityBuilder::from_env`], which has the list of variables.
    ///
    /// As everywhere the code wins, so that the service has this name whatever the environment says;
    /// [`ObservabilityBuilder::named_by_env`] lets the environment name it.
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
    /// let obs = Observability::from_vars("support-bot", &env)?.named_by_env().to(exporter).build()?;
    /// assert!(format!("{obs:?}").contains("support-bot-eu"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`ObservabilityBuilder::from_env`].
    pub fn from_vars(service: impl Into<Str>, env: &Env) -> Result<ObservabilityBuilder, Error> {
        Self::builder(service).from_vars(env)
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
        self.instance.meter()
    }

    /// From now on records these traces; those that have begun go on as they are.
    pub fn set_sampling(&self, sampling: Sampling) {
        self.instance.sampler().set(sampling);
    }

    /// Which traces are recorded.
    pub fn sampling(&self) -> Sampling {
        self.instance.sampler().get()
    }

    /// Turns recording off and on again: while it is off, every call costs a load and does nothing.
    ///
    /// What has begun is lost, if it ends meanwhile.
    pub fn set_enabled(&self, enabled: bool) {
        self.instance.intake().set_enabled(enabled);
    }

    /// Delivers what is recorded; blocks until done or the deadline, and says how it went.
    ///
    /// Judgements that wait for their trace are waited for, too, for up to two thirds of the time, of which a first third
    /// is for what may have to be delivered before it can be read: they may go on looking for half of what is left of it,
    /// then each looks once more and goes out with what is known.
    /// One whose reader does not answer stays behind, and the report is not complete.
    pub fn flush(&self, deadline: Duration) -> Report {
        self.running.flush(deadline)
    }

    /// Makes what is recorded durable where a lane has a durable queue; names the lanes that have none.
    ///
    /// Judgements are waited for as by [`Self::flush`].
    pub fn sync(&self, deadline: Duration) -> SyncReport {
        self.running.sync(deadline)
    }

    /// Stops recording and delivers the rest; blocks until done or the deadline, and says how it went.
    ///
    /// Judgements are waited for as by [`Self::flush`]; then all of them go out with what is known.
    /// What is recorded afterwards, and spans that are still open, are ignored and not counted: end spans before.
    pub fn shutdown(&self, deadline: Duration) -> Report {
        self.running.shutdown(deadline)
    }

    /// Where every record is now.
    pub fn report(&self) -> Report {
        self.pipeline().report()
    }

    /// The pipeline behind the instance.
    ///
    /// It knows nothing of judgements that wait for their trace: flush, sync and shut down through the instance.
    pub fn pipeline(&self) -> &Pipeline {
        self.running.pipeline()
    }

    /// A guard that flushes when it is dropped, for the end of `main` or of a request in a serverless function.
    pub fn guard(&self) -> Guard {
        Guard { obs: self.clone(), deadline: DROP_DEADLINE }
    }
}

impl fmt::Debug for Observability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observability")
            .field("resource", self.instance.resource())
            .field("sampling", self.instance.sampler())
            .finish_non_exhaustive()
    }
}

/// Flushes its instance when it is dropped, and if it is the last handle shuts it down.
#[derive(Debug)]
#[must_use = "it flushes when it is dropped: bind it to a name"]
pub struct Guard {
    obs: Observability,
    deadline: Duration,
}

impl Guard {
    /// How long it may take; five seconds unless set.
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if Arc::strong_count(&self.obs.running) == 1 {
            // The end of the instance, which would take a deadline of its own after this one's.
            self.obs.shutdown(self.deadline);
        } else {
            self.obs.flush(self.deadline);
        }
    }
}
