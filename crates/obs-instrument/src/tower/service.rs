//! A service under a layer, whichever side of a request it is on.

use std::fmt::Display;
use std::task::{Context as Task, Poll};

use http::request::Parts;
use http::{Request, Response, StatusCode};
use tower_service::Service;

use super::future::ResponseFuture;
use crate::{ActiveSpan, Context, Recorder};

/// What is different for requests that come and requests that go.
pub trait Side {
    /// What records, where the layer was made for an instance.
    fn recorder(&self) -> Option<&Recorder>;

    /// Starts the span of a request; gives the context of the service below, too.
    fn start(&self, recorder: Option<&Recorder>, parts: &mut Parts) -> (ActiveSpan, Context);

    /// Whether a status is an error of this side.
    fn fails(status: StatusCode) -> bool;
}

/// A service whose requests have spans; see [`ServerLayer`](super::ServerLayer) and [`ClientLayer`](super::ClientLayer).
#[derive(Debug, Clone)]
pub struct TracedService<S, L> {
    inner: S,
    layer: L,
}

impl<S, L> TracedService<S, L> {
    pub(super) const fn new(inner: S, layer: L) -> Self {
        Self { inner, layer }
    }
}

impl<S, L, B, R> Service<Request<B>> for TracedService<S, L>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Display + 'static,
    L: Side,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Task<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let recorder = self.layer.recorder().cloned().or_else(Recorder::at_hand);
        let (mut parts, body) = request.into_parts();
        let (span, context) = self.layer.start(recorder.as_ref(), &mut parts);
        let future = context.scope(|| self.inner.call(Request::from_parts(parts, body)));
        ResponseFuture::new(future, span, context, L::fails)
    }
}

/// What the user's function says of a request; a panic of it is none of the host's.
pub(super) fn told<R>(tell: impl FnOnce() -> R) -> Option<R> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(tell)).ok()
}
