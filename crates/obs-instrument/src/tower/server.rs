//! Requests that come.

use std::fmt::{self, Display};
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use http::request::Parts;
use http::{Request, Response};
use obs_core::{Attributes, SpanKind, SpanType, Str};
use tower_layer::Layer;
use tower_service::Service;

use super::future::ResponseFuture;
use super::request;
use crate::{ActiveSpan, Context, Observability, Recorder};

/// Tells the route of a request, of which there are few: `/users/{id}`.
type Route = dyn Fn(&Parts) -> Option<Str> + Send + Sync;

/// A layer that gives every request of a server a span, under the caller's if its headers name one.
///
/// The span has the role of a server, the names of OpenTelemetry's conventions for HTTP, and fails with a status of 500
/// or above; see [`ResponseFuture`] for when it ends.
/// It keeps no instance alive.
#[derive(Clone)]
pub struct ServerLayer {
    recorder: Option<Recorder>,
    route: Option<Arc<Route>>,
    public: bool,
}

impl ServerLayer {
    /// A layer that records with the instance at hand: the one of the context in which a request comes, else the default one.
    pub fn new() -> Self {
        Self { recorder: None, route: None, public: false }
    }

    /// A layer that records with an instance.
    pub fn of(obs: &Observability) -> Self {
        Self { recorder: obs.context().recorder(), ..Self::new() }
    }

    /// How to tell the route of a request; without it a span is named by the method alone.
    ///
    /// For axum: `|parts| parts.extensions.get::<axum::extract::MatchedPath>().map(|path| path.as_str().to_owned().into())`.
    #[must_use]
    pub fn route(mut self, route: impl Fn(&Parts) -> Option<Str> + Send + Sync + 'static) -> Self {
        self.route = Some(Arc::new(route));
        self
    }

    /// Whether strangers call: then their headers decide nothing, each request begins a trace of its own, and the caller's
    /// span is a link; false unless set.
    #[must_use]
    pub fn public(mut self, public: bool) -> Self {
        self.public = public;
        self
    }

    /// The context a request comes in, and what it says is before it where strangers are not followed.
    fn parent(&self, recorder: &Recorder, parts: &Parts) -> (Context, Option<Context>) {
        let instance = recorder.context().instance().cloned();
        let caller = Context::extract_for(&parts.headers, instance);
        let current = Context::current();
        match (self.public, caller.trace_id(), current.trace_id()) {
            (true, _, _) => (recorder.context(), Some(caller)),
            (false, None, Some(_)) if caller.baggage().is_empty() => (current, None),
            (false, None, Some(_)) => (current.replace_baggage(caller.baggage().clone()), None),
            (false, _, _) => (caller, None),
        }
    }

    fn start(&self, recorder: &Recorder, parts: &Parts) -> (ActiveSpan, Context) {
        let route = self.route.as_ref().and_then(|route| route(parts));
        let (parent, linked) = self.parent(recorder, parts);
        let name = request::name(&parts.method, route.as_deref());
        let mut span = recorder.start(name, SpanType::Generic, &parent);
        span.kind(SpanKind::Server)
            .attributes(|all| request::describe_incoming(parts, route.as_deref(), all));
        if let Some((trace_id, span_id)) = linked.and_then(|caller| caller.trace_id().zip(caller.span_id())) {
            span.link(trace_id, span_id, Attributes::new());
        }
        let context = span.context();
        // Where nothing takes spans, the caller's trace still goes through.
        let context = if context.trace_id().is_some() { context } else { parent };
        (span, context)
    }
}

impl Default for ServerLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ServerLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerLayer")
            .field("recorder", &self.recorder)
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

impl<S> Layer<S> for ServerLayer {
    type Service = ServerService<S>;

    fn layer(&self, inner: S) -> ServerService<S> {
        ServerService { inner, layer: self.clone() }
    }
}

/// A service whose requests have spans; see [`ServerLayer`].
#[derive(Debug, Clone)]
pub struct ServerService<S> {
    inner: S,
    layer: ServerLayer,
}

impl<S, B, R> Service<Request<B>> for ServerService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Display,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Task<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Some(recorder) = self.layer.recorder.clone().or_else(Recorder::at_hand) else {
            let context = Context::extract_headers(request.headers());
            let future = context.scope(|| self.inner.call(request));
            return ResponseFuture::new(future, ActiveSpan::noop(), context, |_| false);
        };
        let (parts, body) = request.into_parts();
        let (span, context) = self.layer.start(&recorder, &parts);
        let future = context.scope(|| self.inner.call(Request::from_parts(parts, body)));
        ResponseFuture::new(future, span, context, |status| status.is_server_error())
    }
}
