//! A context that follows a stream.

use std::fmt;
use std::pin::Pin;
use std::task;

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::Context;

/// Carries a context into a stream, such as the tokens of an answer.
pub trait StreamExt: Stream + Sized {
    /// The stream, polled and dropped under this context.
    ///
    /// ```
    /// use futures_core::Stream;
    /// use obs_instrument::core::LlmGeneration;
    /// use obs_instrument::{ActiveSpan, StreamExt};
    ///
    /// fn under(call: &ActiveSpan<LlmGeneration>, tokens: impl Stream<Item = String>) -> impl Stream<Item = String> {
    ///     tokens.with_context(call.context())
    /// }
    /// ```
    fn with_context(self, context: Context) -> ContextStream<Self> {
        ContextStream { stream: Some(self), context }
    }

    /// The stream, polled under the context that is current now.
    fn with_current_context(self) -> ContextStream<Self> {
        self.with_context(Context::current())
    }
}

impl<S: Stream> StreamExt for S {}

pin_project! {
    /// A stream that is polled under a context, and dropped under it.
    #[must_use = "streams do nothing unless polled"]
    pub struct ContextStream<S> {
        // Empty once dropped.
        #[pin]
        stream: Option<S>,
        context: Context,
    }

    impl<S> PinnedDrop for ContextStream<S> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _entered = this.context.enter();
            this.stream.set(None);
        }
    }
}

impl<S: Stream> Stream for ContextStream<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> task::Poll<Option<S::Item>> {
        let this = self.project();
        let _entered = this.context.enter();
        this.stream.as_pin_mut().map_or(task::Poll::Ready(None), |stream| stream.poll_next(cx))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }
}

impl<S> fmt::Debug for ContextStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextStream").field("context", &self.context).finish_non_exhaustive()
    }
}
