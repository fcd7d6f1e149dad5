//! Doors for bridges, which bring spans and logs of other libraries into an instance.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use obs_core::{
    AgentRun, Embedding, EvalExecution, Level, LlmGeneration, McpToolCall, MemoryLookup, MemoryUpdate,
    RagQuery, SpanType, Str, Timestamp, ToolCall, WorkflowRun, WorkflowStep,
};

use crate::begin::Recording;
use crate::instance::Instance;
use crate::{ActiveSpan, Context, Generic, Kind, LogBuilder, Observability, Registry};

/// What a bridge records with: like an [`Observability`], but it keeps no pipeline alive.
///
/// A bridge is often part of what lives as long as the process; the last handle of the application still ends the instance.
#[derive(Clone)]
pub struct Recorder(Arc<Instance>);

/// Does something with the type that a value names; each of them is the type of a handle.
macro_rules! with_kind {
    ($span_type:expr, $kind:ident, $fields:pat => $typed:expr, $generic:expr) => {
        match $span_type {
            SpanType::AgentRun($fields) => {
                type $kind = AgentRun;
                $typed
            }
            SpanType::WorkflowRun($fields) => {
                type $kind = WorkflowRun;
                $typed
            }
            SpanType::WorkflowStep($fields) => {
                type $kind = WorkflowStep;
                $typed
            }
            SpanType::LlmGeneration($fields) => {
                type $kind = LlmGeneration;
                $typed
            }
            SpanType::ToolCall($fields) => {
                type $kind = ToolCall;
                $typed
            }
            SpanType::McpToolCall($fields) => {
                type $kind = McpToolCall;
                $typed
            }
            SpanType::MemoryLookup($fields) => {
                type $kind = MemoryLookup;
                $typed
            }
            SpanType::MemoryUpdate($fields) => {
                type $kind = MemoryUpdate;
                $typed
            }
            SpanType::RagQuery($fields) => {
                type $kind = RagQuery;
                $typed
            }
            SpanType::Embedding($fields) => {
                type $kind = Embedding;
                $typed
            }
            SpanType::EvalExecution($fields) => {
                type $kind = EvalExecution;
                $typed
            }
            SpanType::Generic => $generic,
        }
    };
}

impl Recorder {
    /// The instance of the current context, if it still runs, else the default one of the global registry.
    pub fn at_hand() -> Option<Self> {
        let current = Context::current().recorder().filter(|recorder| recorder.0.is_alive());
        // Through no handle: as the last one, it would shut the instance down here.
        current.or_else(|| Registry::global().recorder(None))
    }

    #[cfg(feature = "macros")]
    pub(crate) fn into_instance(self) -> Arc<Instance> {
        self.0
    }

    /// A context outside of every trace, of this instance.
    pub fn context(&self) -> Context {
        Context::of(Arc::clone(&self.0))
    }

    /// Whether a span would be recorded, if its trace is.
    #[inline]
    pub fn wants_spans(&self) -> bool {
        self.0.has_spans()
    }

    /// Whether some destination takes logs of this level under this context.
    #[inline]
    pub fn takes_log(&self, level: Level, context: &Context) -> bool {
        self.0.takes_log(level) && (!context.is_unsampled() || self.0.takes_unsampled_log(level))
    }

    /// Whether a context is one of another instance.
    #[inline]
    pub fn is_foreign(&self, context: &Context) -> bool {
        context.instance().is_some_and(|instance| !Arc::ptr_eq(instance, &self.0))
    }

    /// Starts a span whose type is known only at run time.
    ///
    /// It is sampled, counted and settled as the type it has; see [`ActiveSpan::retype`] for one that is known later.
    pub fn start(&self, name: impl Into<Str>, span_type: SpanType, parent: &Context) -> ActiveSpan<Generic> {
        let name = name.into();
        with_kind!(
            span_type,
            K,
            fields => ActiveSpan::<K>::start(&self.0, name, || parent.clone(), || fields).cast(),
            ActiveSpan::start(&self.0, name, || parent.clone(), || Generic)
        )
    }

    /// A log record under a context; it is recorded when the builder is dropped.
    pub fn log(&self, level: Level, message: impl Into<Str>, context: &Context) -> LogBuilder<'_> {
        let instance = &*self.0;
        if !instance.takes_log(level) {
            return LogBuilder::noop();
        }
        LogBuilder::new(instance, instance.resource(), level, || message, context)
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("resource", self.0.resource()).finish_non_exhaustive()
    }
}

impl Observability {
    /// What a bridge from another library records with.
    pub fn recorder(&self) -> Recorder {
        Recorder(Arc::clone(self.instance()))
    }
}

impl Context {
    /// The instance that what is started here belongs to, for a bridge.
    pub fn recorder(&self) -> Option<Recorder> {
        self.instance().map(|instance| Recorder(Arc::clone(instance)))
    }
}

impl<T: Kind> ActiveSpan<T> {
    /// The same span under another type of handle.
    fn cast<U: Kind>(mut self) -> ActiveSpan<U> {
        ActiveSpan { state: std::mem::replace(&mut self.state, Recording::Off), kind: PhantomData }
    }

    fn end_by(self, end: Option<Timestamp>) {
        match end {
            Some(end) => self.end_at(end),
            None => self.end(),
        }
    }

    /// How long it has run by the monotonic clock; `None` if it does not record.
    pub fn age(&self) -> Option<Duration> {
        Some(self.now()?.since(self.started()?))
    }

    /// The time, as far from the span's start as the monotonic clock says; `None` if it does not record.
    pub fn time(&self) -> Option<Timestamp> {
        self.now()
    }
}

impl ActiveSpan<Generic> {
    /// Whether typed fields are kept, which they are for metrics even where the trace is not sampled.
    pub fn keeps_fields(&self) -> bool {
        self.kept().is_some()
    }

    /// Sets typed fields of whatever type the span has; not called where [`Self::keeps_fields`] says no.
    #[inline]
    pub fn typed(&mut self, set: impl FnOnce(&mut SpanType)) -> &mut Self {
        self.keep(|span| set(&mut span.span_type))
    }

    /// Gives the span a type that was not known at its start, and the role that such spans usually have.
    ///
    /// Whether the span is sampled and whether it is shown was decided at its start by the type it had then: one that
    /// becomes of a type which [`exclude_span_types`](crate::ObservabilityBuilder::exclude_span_types) names is shown all
    /// the same, since what began under it may have been told of it.
    pub fn retype(&mut self, span_type: SpanType) -> &mut Self {
        let kind = with_kind!(&span_type, K, _ => K::SPAN_KIND, Generic::SPAN_KIND);
        self.typed(|old| *old = span_type).kind(kind)
    }

    /// Ends the span as the type it has, now or at the given time.
    pub fn end_typed(self, end: Option<Timestamp>) {
        let Some((span, _)) = self.kept() else { return };
        let end_as: fn(Self, Option<Timestamp>) =
            with_kind!(&span.span_type, K, _ => |span, end| span.cast::<K>().end_by(end), Self::end_by);
        end_as(self, end);
    }
}
