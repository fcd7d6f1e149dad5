//! Requests that go.

use std::fmt::Display;
use std::task::{Context as Task, Poll};

use http::request::Parts;
use http::{Request, Response};
use obs_core::{SpanKind, SpanType};
use tower_layer::Layer;
use tower_service::Service;

use super::future::ResponseFuture;
use super::request;
use crate::{ActiveSpan, Context, Observability, Recorder};

/// A layer that gives every request of a client a span under the current one, and writes its context into the headers.
///
/// The span has the role of a client, the names of OpenTelemetry's conventions for HTTP, and fails with a status of 400
/// or above; see [`ResponseFuture`] for when it ends.
/// It keeps no instance alive.
#[derive(Debug, Clone, Default)]
pub struct ClientLayer {
    recorder: Option<Recorder>,
}

impl ClientLayer {
    /// A layer that records with the instance at hand: the one of the context in which a request goes, else the default one.
    pub fn new() -> Self {
        Self::default()
    }

    /// A layer that records with an instance.
    pub fn of(obs: &Observability) -> Self {
        Self { recorder: obs.context().recorder() }
    }

    fn start(recorder: Option<&Recorder>, parts: &mut Parts) -> (ActiveSpan, Context) {
        let parent = Context::current();
        let mut span = recorder.map_or_else(ActiveSpan::noop, |recorder| {
            recorder.start(request::name(&parts.method, None), SpanType::Generic, &parent)
        });
        span.kind(SpanKind::Client).attributes(|all| request::describe_outgoing(parts, all));
        let context = span.context();
        // Where nothing takes spans, the trace still goes through.
        let context = if context.trace_id().is_some() { context } else { parent };
        context.inject_headers(&mut parts.headers);
        (span, context)
    }
}

impl<S> Layer<S> for ClientLayer {
    type Service = ClientService<S>;

    fn layer(&self, inner: S) -> ClientService<S> {
        ClientService { inner, layer: self.clone() }
    }
}

/// A client whose requests have spans; see [`ClientLayer`].
#[derive(Debug, Clone)]
pub struct ClientService<S> {
    inner: S,
    layer: ClientLayer,
}

impl<S, B, R> Service<Request<B>> for ClientService<S>
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
        let recorder = self.layer.recorder.clone().or_else(Recorder::at_hand);
        let (mut parts, body) = request.into_parts();
        let (span, context) = ClientLayer::start(recorder.as_ref(), &mut parts);
        let future = context.scope(|| self.inner.call(Request::from_parts(parts, body)));
        ResponseFuture::new(future, span, context, |status| {
            status.is_client_error() || status.is_server_error()
        })
    }
}
