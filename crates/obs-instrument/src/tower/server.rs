//! Requests that come.

use std::fmt;
use std::sync::Arc;

use http::StatusCode;
use http::request::Parts;
use obs_core::{Attributes, SpanKind, SpanType, Str};
use tower_layer::Layer;

use super::request::{self, Incoming};
use super::service::{Side, TracedService, told};
use crate::{ActiveSpan, Context, Observability, Recorder};

/// Tells something of a request.
type Tell = dyn Fn(&Parts) -> Option<Str> + Send + Sync;

/// Left on a request of a stranger, so that no layer further in believes its headers.
#[derive(Debug, Clone, Copy)]
struct Stranger;

/// A layer that gives every request of a server a span, under the caller's if its headers name one.
///
/// A request that comes to a service within another one, both under layers, has its span below the outer one's.
/// The span has the role of a server, the names of OpenTelemetry's conventions for HTTP, and fails with a status of 500
/// or above; see [`ResponseFuture`](super::ResponseFuture) for when it ends.
///
/// Unless set otherwise every caller is trusted: its trace goes on, it decides whether that is recorded, and its baggage
/// is taken over.
/// A service at the edge, which strangers call, wants [`Self::public`].
/// It keeps no instance alive.
#[derive(Clone)]
pub struct ServerLayer {
    recorder: Option<Recorder>,
    route: Option<Arc<Tell>>,
    client: Option<Arc<Tell>>,
    scheme: Str,
    public: bool,
}

impl ServerLayer {
    /// A layer that records with the instance at hand: the one of the context in which a request comes, else the default one.
    pub fn new() -> Self {
        Self { recorder: None, route: None, client: None, scheme: Str::from_static("http"), public: false }
    }

    /// A layer that records with an instance.
    pub fn of(obs: &Observability) -> Self {
        Self { recorder: obs.context().recorder(), ..Self::new() }
    }

    /// How to tell the route of a request, of which there are few, `/users/{id}`; without it a span is named by the method
    /// alone, and so it is if this panics.
    ///
    /// For axum: `|parts| parts.extensions.get::<axum::extract::MatchedPath>().map(|path| path.as_str().to_owned().into())`.
    #[must_use]
    pub fn route(mut self, route: impl Fn(&Parts) -> Option<Str> + Send + Sync + 'static) -> Self {
        self.route = Some(Arc::new(route));
        self
    }

    /// How to tell the address of the client, which becomes `client.address`; it is not told unless set, since it may say
    /// who somebody is, and which header a proxy puts it in is known to you alone.
    #[must_use]
    pub fn client_address(mut self, client: impl Fn(&Parts) -> Option<Str> + Send + Sync + 'static) -> Self {
        self.client = Some(Arc::new(client));
        self
    }

    /// The scheme of requests that do not name it, as few do: `http` unless set, `https` behind TLS.
    #[must_use]
    pub fn scheme(mut self, scheme: impl Into<Str>) -> Self {
        self.scheme = scheme.into();
        self
    }

    /// Whether strangers call: then their headers decide nothing, each request begins a trace of its own, and the caller's
    /// span is a link; false unless set.
    ///
    /// Without it anybody can have all of their requests recorded, which somebody pays for, put them into a trace of
    /// their choice, and hand baggage to the services behind.
    /// That holds where nothing records, too, and for the layers of services within this one.
    #[must_use]
    pub fn public(mut self, public: bool) -> Self {
        self.public = public;
        self
    }

    /// The context a request comes in, and what it says is before it where strangers are not followed.
    fn parent(&self, recorder: Option<&Recorder>, parts: &mut Parts) -> (Context, Option<Context>) {
        let own = recorder.map_or(Context::NONE, Recorder::context);
        let current = Context::current();
        if parts.extensions.get::<Stranger>().is_some() {
            return (if current.trace_id().is_some() { current } else { own }, None);
        }
        let caller = Context::extract_for(&parts.headers, own.instance().cloned());
        if self.public {
            parts.extensions.insert(Stranger);
            return (own, Some(caller));
        }
        let is_nearer = caller.trace_id().is_none() || current.is_below(&caller);
        if current.trace_id().is_none() || !is_nearer {
            return (caller, None);
        }
        let keeps = caller.baggage().is_empty();
        (if keeps { current } else { current.replace_baggage(caller.baggage().clone()) }, None)
    }
}

impl Side for ServerLayer {
    fn recorder(&self) -> Option<&Recorder> {
        self.recorder.as_ref()
    }

    fn start(&self, recorder: Option<&Recorder>, parts: &mut Parts) -> (ActiveSpan, Context) {
        let (parent, linked) = self.parent(recorder, parts);
        let Some(recorder) = recorder else { return (ActiveSpan::noop(), parent) };
        let parts = &*parts;
        let tell = |tell: &Option<Arc<Tell>>| tell.as_ref().and_then(|tell| told(|| tell(parts))?);
        let route = tell(&self.route);
        let name = request::name(&parts.method, route.as_deref());
        let mut span = recorder.start(name, SpanType::Generic, &parent);
        span.kind(SpanKind::Server).attributes(|all| {
            let said = Incoming { route, client: tell(&self.client), scheme: &self.scheme };
            request::describe_incoming(parts, said, all);
        });
        if let Some((trace_id, span_id)) = linked.and_then(|caller| caller.trace_id().zip(caller.span_id())) {
            span.link(trace_id, span_id, Attributes::new());
        }
        let context = span.context();
        (span, context)
    }

    fn fails(status: StatusCode) -> bool {
        status.is_server_error()
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
            .field("scheme", &self.scheme)
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

impl<S> Layer<S> for ServerLayer {
    type Service = ServerService<S>;

    fn layer(&self, inner: S) -> ServerService<S> {
        TracedService::new(inner, self.clone())
    }
}

/// A service whose requests have spans; see [`ServerLayer`].
pub type ServerService<S> = TracedService<S, ServerLayer>;
