//! A response under way, and the span that ends with it.

use std::fmt::{self, Display};
use std::pin::Pin;
use std::task::{Context as Task, Poll, ready};

use http::{Response, StatusCode};
use pin_project_lite::pin_project;

use super::failure;
use crate::{ActiveSpan, CANCELLED, Context, ContextFuture, FutureExt};

/// How the inner future stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Waiting,
    /// Its `poll` has not returned; whoever is dropped like that has panicked.
    Polling,
}

pin_project! {
    /// The future of an instrumented service, polled under the span of its request.
    ///
    /// The span ends when the response is there, with its body yet to be sent; a stream that goes on under the span's
    /// [`Context`] attaches to it all the same.
    /// Dropped before that, because the client has gone for one, the span ends with the attribute [`CANCELLED`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct ResponseFuture<F> {
        // Empty once dropped.
        #[pin]
        future: Option<ContextFuture<F>>,
        span: Option<ActiveSpan>,
        fails: fn(StatusCode) -> bool,
        stage: Stage,
    }

    impl<F> PinnedDrop for ResponseFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // What is open inside ends before the request does, as it would have by itself.
            this.future.set(None);
            let Some(mut span) = this.span.take() else { return };
            match this.stage {
                Stage::Waiting => {
                    span.attribute(CANCELLED, true);
                }
                Stage::Polling => failure::by_panic(&mut span),
            }
            span.end();
        }
    }
}

impl<F: Future> ResponseFuture<F> {
    pub(super) fn new(future: F, span: ActiveSpan, context: Context, fails: fn(StatusCode) -> bool) -> Self {
        Self { future: Some(future.with_context(context)), span: Some(span), fails, stage: Stage::Waiting }
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: Display + 'static,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(future) = this.future.as_pin_mut() else { return Poll::Pending };
        *this.stage = Stage::Polling;
        let polled = future.poll(cx);
        *this.stage = Stage::Waiting;
        let result = ready!(polled);
        if let Some(mut span) = this.span.take() {
            match &result {
                Ok(response) => {
                    let status = response.status();
                    span.attribute("http.response.status_code", i64::from(status.as_u16()));
                    if (this.fails)(status) {
                        failure::by_status(&mut span, status);
                    }
                }
                Err(error) => failure::by_error(&mut span, error),
            }
            span.end();
        }
        Poll::Ready(result)
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("span", &self.span).finish_non_exhaustive()
    }
}
