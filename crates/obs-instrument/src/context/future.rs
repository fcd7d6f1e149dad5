//! A context that follows a future.

use std::fmt;
use std::pin::Pin;
use std::task;

use pin_project_lite::pin_project;

use super::Context;

/// Carries a context into a future: for `.await`, and for tasks on any runtime.
///
/// Other crates have traits of this name: `use obs_instrument::FutureExt as _` brings the methods alone.
/// OpenTelemetry's has methods of these names, too, and Rust calls neither where both are there: take
/// `with_both_contexts` of the feature `opentelemetry`, or name the trait,
/// `obs_instrument::FutureExt::with_context(future, context)`.
pub trait FutureExt: Future + Sized {
    /// The future, polled and dropped under this context.
    fn with_context(self, context: Context) -> ContextFuture<Self> {
        ContextFuture::within(self, Some(context))
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

    /// The future, polled and dropped under this context for obs and for OpenTelemetry, so that spans of either attach to
    /// it; what else OpenTelemetry's current context holds goes along.
    ///
    /// ```
    /// use futures_core::Future;
    /// use obs_instrument::{FutureExt as _, Observability};
    /// use opentelemetry::context::FutureExt as _;
    ///
    /// fn answer(obs: &Observability, work: impl Future<Output = ()>) -> impl Future<Output = ()> {
    ///     let run = obs.agent_run("answer");
    ///     work.with_both_contexts(run.context())
    /// }
    /// ```
    #[cfg(feature = "opentelemetry")]
    fn with_both_contexts(self, context: Context) -> crate::BothContextsFuture<Self> {
        crate::BothContextsFuture::new(self, context)
    }
}

impl<F: Future> FutureExt for F {}

pin_project! {
    /// A future that is polled under a context, and dropped under it, so that what it ends by being dropped is at home.
    #[must_use = "futures do nothing unless awaited"]
    pub struct ContextFuture<F> {
        // Empty once dropped.
        #[pin]
        future: Option<F>,
        // Absent where the context goes on that is current anyway.
        context: Option<Context>,
    }

    impl<F> PinnedDrop for ContextFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _entered = this.context.as_ref().map(Context::enter);
            this.future.set(None);
        }
    }
}

impl<F> ContextFuture<F> {
    /// The future under this context, if there is one.
    pub(crate) const fn within(future: F, context: Option<Context>) -> Self {
        Self { future: Some(future), context }
    }
}

impl<F: Future> Future for ContextFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> task::Poll<F::Output> {
        let this = self.project();
        let _entered = this.context.as_ref().map(Context::enter);
        match this.future.as_pin_mut() {
            Some(future) => future.poll(cx),
            None => task::Poll::Pending,
        }
    }
}

impl<F> fmt::Debug for ContextFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextFuture").field("context", &self.context).finish_non_exhaustive()
    }
}
