//! Requests that go.

use std::fmt;
use std::sync::Arc;

use http::StatusCode;
use http::request::Parts;
use obs_core::{SpanKind, SpanType};
use tower_layer::Layer;

use super::request;
use super::service::{Side, TracedService, told};
use crate::propagation::BAGGAGE;
use crate::{ActiveSpan, Baggage, Context, Observability, Recorder};

/// Tells whether a request is one that baggage goes along with.
type Takes = dyn Fn(&Parts) -> bool + Send + Sync;

/// A layer that gives every request of a client a span under the current one, and writes its context into the headers.
///
/// The span has the role of a client, the names of OpenTelemetry's conventions for HTTP, and fails with a status of 400
/// or above; see [`ResponseFuture`](super::ResponseFuture) for when it ends.
/// Whoever is called can read the baggage: [`Self::without_baggage`] and [`Self::baggage_where`] are for clients that call
/// others than the application's own services.
/// It keeps no instance alive.
#[derive(Clone, Default)]
pub struct ClientLayer {
    recorder: Option<Recorder>,
    /// Every request is, unless set.
    takes_baggage: Option<Arc<Takes>>,
}

impl ClientLayer {
    /// A layer that records with the instance at hand: the one of the context in which a request goes, else the default one.
    pub fn new() -> Self {
        Self::default()
    }

    /// A layer that records with an instance.
    pub fn of(obs: &Observability) -> Self {
        Self { recorder: obs.context().recorder(), ..Self::default() }
    }

    /// Sends no baggage along, and takes out of a request what it has already; the trace is sent all the same.
    #[must_use]
    pub fn without_baggage(self) -> Self {
        self.baggage_where(|_| false)
    }

    /// Sends baggage along with the requests of which this says so, and with all of them unless set; a panic of it says no.
    ///
    /// It is asked about every request; one of which it says no goes without the baggage that it had already, too: what
    /// somebody else has put there, or a proxy passes on.
    ///
    /// ```
    /// use obs_instrument::tower::ClientLayer;
    ///
    /// let layer = ClientLayer::new()
    ///     .baggage_where(|request| request.uri.host().is_some_and(|host| host.ends_with(".internal.example")));
    /// # drop(layer);
    /// ```
    #[must_use]
    pub fn baggage_where(mut self, takes: impl Fn(&Parts) -> bool + Send + Sync + 'static) -> Self {
        self.takes_baggage = Some(Arc::new(takes));
        self
    }

    fn sends_baggage(&self, parts: &Parts) -> bool {
        self.takes_baggage.as_ref().is_none_or(|takes| told(|| takes(parts)).unwrap_or(false))
    }
}

impl Side for ClientLayer {
    fn recorder(&self) -> Option<&Recorder> {
        self.recorder.as_ref()
    }

    fn start(&self, recorder: Option<&Recorder>, parts: &mut Parts) -> (ActiveSpan, Context) {
        let parent = Context::current();
        let mut span = recorder.map_or_else(ActiveSpan::noop, |recorder| {
            recorder.start(request::name(&parts.method, None), SpanType::Generic, &parent)
        });
        span.kind(SpanKind::Client).attributes(|all| request::describe_outgoing(parts, all));
        let context = span.context();
        if self.sends_baggage(parts) {
            context.inject_headers(&mut parts.headers);
        } else {
            context.replace_baggage(Baggage::EMPTY).inject_headers(&mut parts.headers);
            parts.headers.remove(BAGGAGE);
        }
        (span, context)
    }

    fn fails(status: StatusCode) -> bool {
        status.is_client_error() || status.is_server_error()
    }
}

impl<S> Layer<S> for ClientLayer {
    type Service = ClientService<S>;

    fn layer(&self, inner: S) -> ClientService<S> {
        TracedService::new(inner, self.clone())
    }
}

impl fmt::Debug for ClientLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientLayer").field("recorder", &self.recorder).finish_non_exhaustive()
    }
}

/// A client whose requests have spans; see [`ClientLayer`].
pub type ClientService<S> = TracedService<S, ClientLayer>;
