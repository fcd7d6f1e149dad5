//! Contexts to and from OpenTelemetry's, so that either side can be the parent of the other.

use std::fmt;
use std::pin::Pin;
use std::str::FromStr;
use std::task::{self, Poll};

use obs_core::{SpanId, TraceId};
use opentelemetry::baggage::{Baggage as OtelBaggage, BaggageExt};
use opentelemetry::trace::{SpanContext, TraceContextExt, TraceFlags, TraceState as OtelState};
use opentelemetry::{Context as Otel, ContextGuard};
use pin_project_lite::pin_project;

use crate::Baggage;
use crate::context::{Context, ContextFuture, Entered, FutureExt, Remote};
use crate::propagation::traceparent::{KNOWN, TraceParent};
use crate::propagation::tracestate::TraceState;

/// What a context of obs leaves in OpenTelemetry's, to be known again where no span came between.
struct Kept(Context);

impl Context {
    /// A context under OpenTelemetry's current span, for spans of obs that are its children.
    ///
    /// Ids, flags, state and baggage are taken over; the span is recorded by OpenTelemetry, so that for obs it is as one
    /// in another process.
    /// Where [`Self::to_otel`] made OpenTelemetry's context of one of obs, and no span has come between, it is that one again.
    /// A context without a valid span is outside of every trace.
    ///
    /// ```
    /// # use obs_instrument::{Context, Observability};
    /// # fn handle(obs: &Observability) {
    /// Context::from_otel(&opentelemetry::Context::current()).scope(|| obs.span("below").end());
    /// # }
    /// ```
    pub fn from_otel(otel: &Otel) -> Self {
        let span = otel.span();
        let span = span.span_context();
        let ids = TraceId::from_bytes(span.trace_id().to_bytes())
            .zip(SpanId::from_bytes(span.span_id().to_bytes()));
        let flags = span.trace_flags().to_u8() & KNOWN;
        let parent = ids.map(|(trace_id, span_id)| TraceParent { trace_id, span_id, flags });
        let mut baggage = Baggage::default();
        for (key, (value, properties)) in otel.baggage() {
            let (key, value) = (key.as_str().to_owned(), value.as_str().to_owned());
            if let Err(error) = baggage.insert_with_properties(key, value, properties.as_str()) {
                tracing::debug!(target: "obs::context", "{error}");
            }
        }
        if let Some(Kept(kept)) = otel.get::<Kept>()
            && parent == kept.trace_parent()
        {
            return kept.replace_baggage(baggage);
        }
        let state = TraceState::parse(&span.trace_state().header()).unwrap_or_default();
        let instance = Self::current().instance().cloned();
        Self::received(Remote { parent, state, baggage, instance })
    }

    /// OpenTelemetry's current context with this as its span, for spans of OpenTelemetry that are its children.
    ///
    /// The span there records nothing itself; ids, the true sampled flag, state and baggage go over, and what else
    /// OpenTelemetry's context holds stays, also pairs of baggage under other keys.
    /// Of a context outside of every trace nothing but its baggage goes over: OpenTelemetry's current span, if there is
    /// one, goes on, so that its traces hold together where obs is switched off.
    pub fn to_otel(&self) -> Otel {
        let mut otel = Otel::current();
        if let Some(TraceParent { trace_id, span_id, flags }) = self.trace_parent() {
            let state = TraceState::format(self.root_span_id(), self.trace_state().map(|state| &**state));
            let state = state.and_then(|state| OtelState::from_str(&state).ok()).unwrap_or_default();
            let (trace_id, span_id) = (trace_id.get().into(), span_id.get().into());
            otel = otel.with_remote_span_context(SpanContext::new(
                trace_id,
                span_id,
                TraceFlags::new(flags),
                false,
                state,
            ));
            otel = otel.with_value(Kept(self.clone()));
        }
        if !self.baggage().is_empty() {
            let mut all = own(otel.baggage());
            for (key, value) in self.baggage().iter() {
                let properties = self.baggage().properties(key).unwrap_or_default();
                all.insert_with_metadata(key.to_owned(), value.to_owned(), properties);
            }
            otel = otel.with_baggage(all);
        }
        otel
    }

    /// Makes this the context of the thread for both sides until the guard is dropped: spans of either attach to it.
    ///
    /// For futures there is [`FutureExt::with_both_contexts`](crate::FutureExt::with_both_contexts).
    #[must_use = "the context is left when the guard is dropped"]
    pub fn enter_both(&self) -> EnteredBoth {
        EnteredBoth { _otel: self.to_otel().attach(), _obs: self.enter() }
    }

    /// The current context of the thread, or OpenTelemetry's where obs has no trace.
    pub fn current_or_otel() -> Self {
        let current = Self::current();
        if current.trace_id().is_some() { current } else { Self::from_otel(&Otel::current()) }
    }
}

/// A copy, which OpenTelemetry's type has no method for.
fn own(baggage: &OtelBaggage) -> OtelBaggage {
    baggage.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// While it lives, its context is the thread's for obs and OpenTelemetry; then the ones before are again.
#[derive(Debug)]
pub struct EnteredBoth {
    // Left in this order.
    _otel: ContextGuard,
    _obs: Entered,
}

pin_project! {
    /// A future that is polled, and dropped, under a context of both sides.
    #[must_use = "futures do nothing unless awaited"]
    pub struct BothContextsFuture<F> {
        // Empty once dropped.
        #[pin]
        future: Option<ContextFuture<F>>,
        otel: Otel,
    }

    impl<F> PinnedDrop for BothContextsFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _attached = this.otel.clone().attach();
            this.future.set(None);
        }
    }
}

impl<F: Future> BothContextsFuture<F> {
    pub(crate) fn new(future: F, context: Context) -> Self {
        let otel = context.to_otel();
        Self { future: Some(FutureExt::with_context(future, context)), otel }
    }
}

impl<F: Future> Future for BothContextsFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _attached = this.otel.clone().attach();
        this.future.as_pin_mut().map_or(Poll::Pending, |future| future.poll(cx))
    }
}

impl<F> fmt::Debug for BothContextsFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BothContextsFuture").field("future", &self.future).finish_non_exhaustive()
    }
}
