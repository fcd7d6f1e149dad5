//! The current span, carried across calls, awaits, tasks and threads.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task;

use obs_core::{Ancestor, ErrorInfo, SpanId, SpanRef, Str, TraceContext, TraceId};
use uuid::Uuid;

/// What new spans, logs, metrics and scores attach themselves to: a span, an unsampled trace, or nothing.
///
/// Cheap to clone and send.
/// It is a value: the span it stands for may have ended.
#[derive(Clone, Default)]
pub struct Context(State);

#[derive(Clone, Default)]
pub(crate) enum State {
    #[default]
    None,
    /// The trace is not recorded; what is below it is not, either.
    Unsampled {
        trace_id: TraceId,
        span_id: SpanId,
    },
    Sampled(Arc<Node>),
}

/// A recorded span as its children see it.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    /// The chain up to and with this span; absent where it is in another process.
    pub(crate) ancestor: Option<Arc<Ancestor>>,
    pub(crate) root_span_id: Option<SpanId>,
    pub(crate) trace_flags: u8,
    pub(crate) trace_state: Option<Str>,
    pub(crate) trace: Arc<TraceContext>,
    /// The error that a child failed with last, so that this span, failing with the same, shares its id.
    error: Mutex<Option<(Str, Uuid)>>,
}

impl Node {
    pub(crate) fn new(
        trace_id: TraceId,
        span_id: SpanId,
        ancestor: Option<Arc<Ancestor>>,
        root_span_id: Option<SpanId>,
        trace_flags: u8,
        trace_state: Option<Str>,
        trace: Arc<TraceContext>,
    ) -> Self {
        Self {
            trace_id,
            span_id,
            ancestor,
            root_span_id,
            trace_flags,
            trace_state,
            trace,
            error: Mutex::new(None),
        }
    }

    /// Remembers what a child failed with.
    pub(crate) fn child_failed(&self, message: &Str, id: Uuid) {
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = Some((message.clone(), id));
    }

    /// The id of the error, if a child failed with it before: the same message, or one that wraps it.
    pub(crate) fn known_error(&self, error: &ErrorInfo) -> Option<Uuid> {
        let known = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        let (message, id) = known.as_ref()?;
        let same = error.message == *message || error.sources.contains(message);
        same.then_some(*id)
    }
}

thread_local! {
    static CURRENT: RefCell<Context> = const { RefCell::new(Context::NONE) };
}

impl Context {
    /// Outside of every trace.
    pub const NONE: Self = Self(State::None);

    /// The context of this thread now.
    pub fn current() -> Self {
        CURRENT.try_with(|current| current.borrow().clone()).unwrap_or_default()
    }

    /// A span in another process, as its headers told.
    pub fn remote(trace_id: TraceId, span_id: SpanId, sampled: bool, trace_state: Option<Str>) -> Self {
        if sampled {
            let trace = Arc::default();
            Self(State::Sampled(Arc::new(Node::new(trace_id, span_id, None, None, 1, trace_state, trace))))
        } else {
            Self(State::Unsampled { trace_id, span_id })
        }
    }

    /// Makes this the context of the thread until the guard is dropped.
    ///
    /// For futures use [`FutureExt`]: a guard held across an await would leak into other tasks, so it is not `Send`.
    #[must_use = "the context is left when the guard is dropped"]
    pub fn enter(&self) -> Entered {
        let before = CURRENT.try_with(|current| current.replace(self.clone())).unwrap_or_default();
        Entered { before, not_send: PhantomData }
    }

    /// Runs a function under this context.
    pub fn scope<T>(&self, run: impl FnOnce() -> T) -> T {
        let _entered = self.enter();
        run()
    }

    /// The trace, sampled or not.
    pub fn trace_id(&self) -> Option<TraceId> {
        match &self.0 {
            State::None => None,
            State::Unsampled { trace_id, .. } => Some(*trace_id),
            State::Sampled(node) => Some(node.trace_id),
        }
    }

    /// The span, sampled or not.
    pub fn span_id(&self) -> Option<SpanId> {
        match &self.0 {
            State::None => None,
            State::Unsampled { span_id, .. } => Some(*span_id),
            State::Sampled(node) => Some(node.span_id),
        }
    }

    /// Whether what is started under it is recorded; a context outside of every trace says no.
    pub fn is_sampled(&self) -> bool {
        matches!(self.0, State::Sampled(_))
    }

    /// What logs and exemplars carry: the span, if it is recorded.
    pub fn reference(&self) -> Option<SpanRef> {
        self.node().map(|node| SpanRef { trace_id: node.trace_id, span_id: Some(node.span_id) })
    }

    /// What is known of the whole trace.
    pub fn trace_context(&self) -> Option<&Arc<TraceContext>> {
        self.node().map(|node| &node.trace)
    }

    pub(crate) fn sampled(node: Arc<Node>) -> Self {
        Self(State::Sampled(node))
    }

    pub(crate) const fn unsampled(trace_id: TraceId, span_id: SpanId) -> Self {
        Self(State::Unsampled { trace_id, span_id })
    }

    pub(crate) fn into_state(self) -> State {
        self.0
    }

    pub(crate) fn node(&self) -> Option<&Arc<Node>> {
        match &self.0 {
            State::Sampled(node) => Some(node),
            State::None | State::Unsampled { .. } => None,
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
    before: Context,
    not_send: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let _ = CURRENT.try_with(|current| current.replace(std::mem::take(&mut self.before)));
    }
}

impl fmt::Debug for Entered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered").field("before", &self.before).finish_non_exhaustive()
    }
}

/// Carries a context into a future: for `.await`, and for tasks on any runtime.
pub trait FutureExt: Future + Sized {
    /// The future, polled under this context.
    ///
    /// The future is boxed once, so that it need not be `Unpin` and no `unsafe` is needed to poll it.
    fn with_context(self, context: Context) -> ContextFuture<Self> {
        ContextFuture { future: Box::pin(self), context }
    }

    /// The future, polled under the context that is current now: what `spawn` should be given.
    ///
    /// ```no_run
    /// # use obs_instrument::FutureExt;
    /// # async fn work() {}
    /// # async fn run() {
    /// tokio::spawn(work().with_current_context());
    /// # }
    /// ```
    fn with_current_context(self) -> ContextFuture<Self> {
        self.with_context(Context::current())
    }
}

impl<F: Future> FutureExt for F {}

/// A future that is polled under a context.
#[must_use = "futures do nothing unless awaited"]
pub struct ContextFuture<F> {
    future: Pin<Box<F>>,
    context: Context,
}

impl<F: Future> Future for ContextFuture<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> task::Poll<F::Output> {
        let Self { future, context } = &mut *self;
        let _entered = context.enter();
        future.as_mut().poll(cx)
    }
}

impl<F> fmt::Debug for ContextFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextFuture").field("context", &self.context).finish_non_exhaustive()
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
