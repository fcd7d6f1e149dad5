//! The current span, carried across calls, awaits, tasks and threads.

mod carry;
mod future;
pub(crate) mod instances;
mod node;
mod stream;

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use obs_core::{SpanId, SpanRef, Str, TraceContext, TraceId};
use obs_pipeline::Intake;

pub use self::carry::ContextIter;
pub use self::future::{ContextFuture, FutureExt};
pub(crate) use self::node::{Carried, Node, Remote, State, UnsampledSpan};
pub use self::stream::{ContextStream, StreamExt};
use crate::Baggage;
use crate::instance::Instance;
use crate::propagation::traceparent::{KNOWN, TraceParent};
use crate::propagation::tracestate::TraceState;
use crate::visible::SAMPLED;

/// What new spans, logs, metrics and scores attach themselves to: a span, an unsampled trace, or nothing.
///
/// Cheap to clone and send.
/// It is a value: the span it stands for may have ended, and its instance may have been shut down.
#[derive(Clone, Default)]
pub struct Context {
    state: State,
    carried: Option<Arc<Carried>>,
}

thread_local! {
    static CURRENT: RefCell<Context> = const { RefCell::new(Context::NONE) };
}

impl Context {
    /// Outside of every trace.
    pub const NONE: Self = Self { state: State::None { instance: None }, carried: None };

    /// The context of this thread now.
    pub fn current() -> Self {
        CURRENT.try_with(|current| current.borrow().clone()).unwrap_or_default()
    }

    /// Whether this thread is outside of every trace and carries nothing along: cheaper than to look at a clone.
    #[inline]
    pub(crate) fn nothing_is_current() -> bool {
        let nothing = CURRENT.try_with(|current| {
            let current = current.borrow();
            matches!(current.state, State::None { .. }) && current.carried.is_none()
        });
        nothing.unwrap_or(true)
    }

    /// A span in another process, as a protocol told that [`Self::extract`] does not know.
    ///
    /// What names no instance under it is recorded by the one that is current now.
    pub fn remote(trace_id: TraceId, span_id: SpanId, sampled: bool, trace_state: Option<Str>) -> Self {
        let flags = if sampled { SAMPLED } else { 0 };
        Self::remote_under(TraceParent { trace_id, span_id, flags }, trace_state, None)
    }

    /// What came from another process.
    pub(crate) fn received(remote: Remote) -> Self {
        let Remote { parent, state, baggage, instance } = remote;
        let TraceState { others, root_span_id } = state;
        let Some(TraceParent { trace_id, span_id, flags }) = parent else {
            let carried = Carried { baggage, ..Carried::default() };
            return Self { state: State::None { instance }, carried: carried.shared() };
        };
        let flags = flags & KNOWN;
        if flags & SAMPLED == 0 {
            let carried = Carried { baggage, trace_state: others, root_span_id };
            let span = UnsampledSpan { trace_id, span_id, trace_flags: flags, is_remote: true };
            return Self::unsampled(span, instance, carried.shared());
        }
        let trace = Arc::default();
        let node = Node::new(trace_id, span_id, None, root_span_id, flags, others, trace, instance);
        Self::known(Arc::new(node), Carried { baggage, ..Carried::default() }.shared())
    }

    /// [`Self::remote`] of a trace whose root is known.
    pub(crate) fn remote_under(parent: TraceParent, trace_state: Option<Str>, root: Option<SpanId>) -> Self {
        let read = trace_state.and_then(|state| TraceState::parse(&state).ok()).unwrap_or_default();
        let state = TraceState { root_span_id: root.or(read.root_span_id), ..read };
        let instance = Self::current().instance().cloned();
        Self::received(Remote { parent: Some(parent), state, instance, ..Remote::default() })
    }

    /// Outside of every trace, but of an instance.
    pub(crate) const fn of(instance: Arc<Instance>) -> Self {
        Self { state: State::None { instance: Some(instance) }, carried: None }
    }

    /// The instance that what is started here without naming one belongs to.
    pub(crate) fn instance(&self) -> Option<&Arc<Instance>> {
        match &self.state {
            State::None { instance } | State::Unsampled { instance, .. } => instance.as_ref(),
            State::Known(node) => node.instance.as_ref(),
        }
    }

    /// Makes this the context of the thread until the guard is dropped.
    ///
    /// For futures use [`FutureExt`]: a guard held across an await leaks into whatever its thread runs meanwhile.
    /// It is not `Send`, so that runtimes which move tasks between threads refuse such a future; those which do not, tokio's
    /// `LocalSet` and `block_on` for two, take it, and nothing but the rule keeps tasks apart there.
    #[must_use = "the context is left when the guard is dropped"]
    pub fn enter(&self) -> Entered {
        let before = CURRENT.try_with(|current| current.replace(self.clone())).unwrap_or_default();
        Entered { before: Some(before), not_send: PhantomData }
    }

    /// Makes this the context of the thread, and gives the one that was.
    ///
    /// For bridges that are told of entering and leaving by calls; everybody else is better off with [`Self::enter`].
    #[must_use = "the context before is to be made current again"]
    pub fn replace_current(self) -> Self {
        CURRENT.try_with(|current| current.replace(self)).unwrap_or_default()
    }

    /// Runs a function under this context.
    pub fn scope<T>(&self, run: impl FnOnce() -> T) -> T {
        let _entered = self.enter();
        run()
    }

    /// The trace, sampled or not.
    pub fn trace_id(&self) -> Option<TraceId> {
        match &self.state {
            State::None { .. } => None,
            State::Unsampled { span, .. } => Some(span.trace_id),
            State::Known(node) => Some(node.trace_id),
        }
    }

    /// The span, sampled or not.
    pub fn span_id(&self) -> Option<SpanId> {
        match &self.state {
            State::None { .. } => None,
            State::Unsampled { span, .. } => Some(span.span_id),
            State::Known(node) => Some(node.span_id),
        }
    }

    /// What other vendors said of the trace in its `tracestate`.
    pub fn trace_state(&self) -> Option<&Str> {
        let node = self.node().and_then(|node| node.trace_state.as_ref());
        node.or_else(|| self.carried()?.trace_state.as_ref())
    }

    /// Whether what is started under it is recorded; a context outside of every trace says no.
    pub fn is_sampled(&self) -> bool {
        self.node().is_some()
    }

    /// Whether it is within a trace that is not recorded.
    pub(crate) fn is_unsampled(&self) -> bool {
        match &self.state {
            State::None { .. } => false,
            State::Unsampled { .. } => true,
            State::Known(node) => !node.is_sampled(),
        }
    }

    /// What logs and exemplars carry: the span, if it is recorded.
    pub fn reference(&self) -> Option<SpanRef> {
        self.node().map(|node| SpanRef { trace_id: node.trace_id, span_id: Some(node.span_id) })
    }

    /// What is known of the whole trace; nothing if the span is in another process.
    pub fn trace_context(&self) -> Option<&Arc<TraceContext>> {
        self.node().filter(|node| !node.is_remote()).map(|node| &node.trace)
    }

    /// What is known of the whole trace, if the instance of this intake records it: one tenant's user is none of another's.
    pub(crate) fn trace_context_within(&self, intake: &Intake) -> Option<&Arc<TraceContext>> {
        let own = |node: &&Arc<Node>| {
            !node.is_remote() && node.instance.as_ref().is_some_and(|own| own.intake().is_same(intake))
        };
        self.node().filter(own).map(|node| &node.trace)
    }

    /// Whether its span is the caller's, or one of this process below it.
    #[cfg(feature = "tower")]
    pub(crate) fn is_below(&self, caller: &Self) -> bool {
        match (&self.state, caller.span_id()) {
            _ if self.trace_id() != caller.trace_id() => false,
            (State::Known(node), Some(span_id)) => node.up().any(|node| node.span_id == span_id),
            // Nothing is known of what is above a span that is not recorded.
            (State::Unsampled { .. }, Some(_)) => true,
            (State::None { .. }, _) | (_, None) => false,
        }
    }

    pub(crate) const fn known(node: Arc<Node>, carried: Option<Arc<Carried>>) -> Self {
        Self { state: State::Known(node), carried }
    }

    pub(crate) const fn unsampled(
        span: UnsampledSpan,
        instance: Option<Arc<Instance>>,
        carried: Option<Arc<Carried>>,
    ) -> Self {
        Self { state: State::Unsampled { span, instance }, carried }
    }

    pub(crate) fn carried(&self) -> Option<&Carried> {
        self.carried.as_deref()
    }

    /// The context with other baggage.
    pub(crate) fn replace_baggage(&self, baggage: Baggage) -> Self {
        let carried = Carried { baggage, ..self.carried().cloned().unwrap_or_default() };
        Self { state: self.state.clone(), carried: carried.shared() }
    }

    /// The parent of what is started under it, as it travels.
    pub(crate) fn trace_parent(&self) -> Option<TraceParent> {
        match &self.state {
            State::None { .. } => None,
            State::Unsampled { span, .. } => {
                let UnsampledSpan { trace_id, span_id, trace_flags: flags, .. } = *span;
                Some(TraceParent { trace_id, span_id, flags })
            }
            State::Known(node) => {
                // The others are marks of ours, for the collector alone.
                let flags = node.trace_flags & KNOWN;
                Some(TraceParent { trace_id: node.trace_id, span_id: node.span_id, flags })
            }
        }
    }

    /// The root of the trace, where it is known.
    pub(crate) fn root_span_id(&self) -> Option<SpanId> {
        let node = self.node().and_then(|node| node.root_span_id);
        node.or_else(|| self.carried()?.root_span_id)
    }

    pub(crate) fn into_parts(self) -> (State, Option<Arc<Carried>>) {
        (self.state, self.carried)
    }

    /// The span, if it is sampled.
    #[inline]
    pub(crate) fn node(&self) -> Option<&Arc<Node>> {
        match &self.state {
            State::Known(node) => Some(node).filter(|node| node.is_sampled()),
            State::None { .. } | State::Unsampled { .. } => None,
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("trace_id", &self.trace_id())
            .field("span_id", &self.span_id())
            .field("sampled", &self.is_sampled())
            .finish()
    }
}

/// While it lives, its context is the thread's; then the one before is again.
///
/// Guards are dropped in the reverse order of their making, as locals are.
pub struct Entered {
    /// Absent if nothing was entered.
    before: Option<Context>,
    not_send: PhantomData<*const ()>,
}

impl Entered {
    /// A guard that leaves the context as it is.
    pub(crate) const fn nothing() -> Self {
        Self { before: None, not_send: PhantomData }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        if let Some(before) = self.before.take() {
            let _ = CURRENT.try_with(|current| current.replace(before));
        }
    }
}

impl fmt::Debug for Entered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered").field("before", &self.before).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(span: u64) -> Context {
        Context::remote(TraceId::new(1).unwrap(), SpanId::new(span).unwrap(), true, None)
    }

    #[test]
    fn guards_restore_what_was_before() {
        assert_eq!(Context::current().span_id(), None);
        let outer = context(1).enter();
        context(2).scope(|| assert_eq!(Context::current().span_id(), SpanId::new(2)));
        assert_eq!(Context::current().span_id(), SpanId::new(1));
        drop(outer);
        assert_eq!(Context::current().span_id(), None);
    }

    #[tokio::test]
    async fn a_context_follows_its_future_and_no_other() {
        let seen = || async {
            tokio::task::yield_now().await;
            Context::current().span_id()
        };
        let (a, b, none) =
            tokio::join!(seen().with_context(context(1)), seen().with_context(context(2)), seen());
        assert_eq!((a, b, none), (SpanId::new(1), SpanId::new(2), None));
        let spawned = tokio::spawn(context(3).scope(|| seen().with_current_context())).await.unwrap();
        assert_eq!(spawned, SpanId::new(3));
    }

    #[test]
    fn an_unsampled_context_has_ids_but_no_reference() {
        let context = Context::remote(TraceId::new(1).unwrap(), SpanId::new(2).unwrap(), false, None);
        assert!(context.trace_id().is_some() && !context.is_sampled());
        assert_eq!(context.reference(), None);
    }
}
