//! Contexts to and from OpenTelemetry's, so that either side can be the parent of the other.

use std::str::FromStr;

use obs_core::{SpanId, TraceId};
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{SpanContext, TraceContextExt, TraceFlags, TraceState as OtelState};
use opentelemetry::{Context as Otel, ContextGuard, KeyValue};

use crate::context::{Context, Entered, Remote};
use crate::propagation::traceparent::TraceParent;
use crate::propagation::tracestate::TraceState;
use crate::{Baggage, BaggageError};

impl Context {
    /// A context under OpenTelemetry's current span, for spans of obs that are its children.
    ///
    /// Ids, flags, state and baggage are taken over; the span is recorded by OpenTelemetry, so that for obs it is as one
    /// in another process.
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
        let flags = span.trace_flags().to_u8();
        let parent = ids.map(|(trace_id, span_id)| TraceParent { trace_id, span_id, flags });
        let state = TraceState::parse(&span.trace_state().header()).unwrap_or_default();
        let mut baggage = Baggage::default();
        for (key, (value, _)) in otel.baggage() {
            let refused: Result<(), BaggageError> =
                baggage.insert(key.as_str().to_owned(), value.as_str().to_owned());
            if let Err(error) = refused {
                tracing::debug!(target: "obs::context", "{error}");
            }
        }
        let instance = Self::current().instance().cloned();
        Self::received(Remote { parent, state, baggage, instance })
    }

    /// OpenTelemetry's current context with this as its span, for spans of OpenTelemetry that are its children.
    ///
    /// The span there records nothing itself; ids, the true sampled flag, state and baggage go over, and what else
    /// OpenTelemetry's context holds stays.
    pub fn to_otel(&self) -> Otel {
        let mut otel = Otel::current();
        if let Some(TraceParent { trace_id, span_id, flags }) = self.trace_parent() {
            let root = self.node().and_then(|node| node.root_span_id);
            let state = TraceState::format(root, self.trace_state().map(|state| &**state));
            let state = state.and_then(|state| OtelState::from_str(&state).ok()).unwrap_or_default();
            let (trace_id, span_id) = (trace_id.get().into(), span_id.get().into());
            otel = otel.with_remote_span_context(SpanContext::new(
                trace_id,
                span_id,
                TraceFlags::new(flags),
                false,
                state,
            ));
        }
        if !self.baggage().is_empty() {
            let pair = |(key, value): (&str, &str)| KeyValue::new(key.to_owned(), value.to_owned());
            otel = otel.with_baggage(self.baggage().iter().map(pair).collect::<Vec<_>>());
        }
        otel
    }

    /// Makes this the context of the thread for both sides until the guard is dropped: spans of either attach to it.
    ///
    /// For futures use [`FutureExt`](crate::FutureExt) of both sides, one around the other.
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

/// While it lives, its context is the thread's for obs and OpenTelemetry; then the ones before are again.
#[derive(Debug)]
pub struct EnteredBoth {
    // Left in this order.
    _otel: ContextGuard,
    _obs: Entered,
}
