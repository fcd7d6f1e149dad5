//! A response under way, and the span that ends with it.

use std::fmt::{self, Display};
use std::pin::Pin;
use std::task::{Context as Task, Poll, ready};

use http::{Response, StatusCode};
use obs_core::ErrorInfo;
use pin_project_lite::pin_project;

use super::request;
use crate::{ActiveSpan, Context, ContextFuture, FutureExt};

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
    /// Dropped before that, because the client has gone for one, the span ends with the attribute `obs.cancelled`.
    #[must_use = "futures do nothing unless awaited"]
    pub struct ResponseFuture<F> {
        #[pin]
        future: ContextFuture<F>,
        span: Option<ActiveSpan>,
        fails: fn(StatusCode) -> bool,
        stage: Stage,
    }

    impl<F> PinnedDrop for ResponseFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            let Some(mut span) = this.span.take() else { return };
            match this.stage {
                Stage::Waiting => {
                    span.attribute("obs.cancelled", true);
                }
                Stage::Polling => {
                    span.fail_with(|| ErrorInfo {
                        error_type: Some("panic".into()),
                        ..ErrorInfo::message("the service panicked")
                    });
                }
            }
            span.end();
        }
    }
}

impl<F: Future> ResponseFuture<F> {
    pub(super) fn new(future: F, span: ActiveSpan, context: Context, fails: fn(StatusCode) -> bool) -> Self {
        Self { future: future.with_context(context), span: Some(span), fails, stage: Stage::Waiting }
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: Display,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<Self::Output> {
        let this = self.project();
        *this.stage = Stage::Polling;
        let polled = this.future.poll(cx);
        *this.stage = Stage::Waiting;
        let result = ready!(polled);
        if let Some(mut span) = this.span.take() {
            match &result {
                Ok(response) => {
                    let status = response.status();
                    span.attribute("http.response.status_code", i64::from(status.as_u16()));
                    if (this.fails)(status) {
                        span.attribute("error.type", status.as_str().to_owned());
                        span.fail_with(|| request::error(status));
                    }
                }
                Err(error) => {
                    span.fail_with(|| ErrorInfo::message(error.to_string()));
                }
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
