//! A context on its way to other processes and back: W3C `traceparent`, `tracestate` and `baggage`.

mod baggage;
mod carrier;
pub(crate) mod probability;
pub(crate) mod traceparent;
pub(crate) mod tracestate;

use std::sync::Arc;

use self::baggage::Read;
pub use self::baggage::{Baggage, BaggageError};
pub use self::carrier::Carrier;
#[cfg(feature = "http")]
pub(crate) use self::carrier::joined;
use self::traceparent::TraceParent;
use self::tracestate::TraceState;
use crate::context::{Context, Remote};
use crate::instance::Instance;

pub(crate) const TRACEPARENT: &str = "traceparent";
pub(crate) const TRACESTATE: &str = "tracestate";
pub(crate) const BAGGAGE: &str = "baggage";

impl Context {
    /// Writes the context into headers, a map, or the `_meta` of an MCP request, so that whoever is called can attach to it.
    ///
    /// The sampled flag is the true one, and `tracestate` names the root of the trace in a member of ours, `obs=r:…`,
    /// before the members of others.
    /// A context outside of every trace writes its baggage alone.
    /// Older values of what is written are replaced; baggage that is there stays if the context has none.
    ///
    /// ```
    /// use std::collections::HashMap;
    ///
    /// use obs_instrument::Context;
    ///
    /// let mut headers = HashMap::new();
    /// Context::current().with_baggage("tenant", "acme")?.inject(&mut headers);
    /// assert_eq!(headers["baggage"], "tenant=acme");
    /// # Ok::<_, obs_instrument::BaggageError>(())
    /// ```
    pub fn inject(&self, carrier: &mut impl Carrier) {
        if let Some(parent) = self.trace_parent() {
            carrier.set(TRACEPARENT, parent.to_string());
            match TraceState::format(self.root_span_id(), self.trace_state().map(|state| &**state)) {
                Some(state) => carrier.set(TRACESTATE, state),
                None => carrier.remove(TRACESTATE),
            }
        }
        if let Some(baggage) = self.baggage().format() {
            carrier.set(BAGGAGE, baggage);
        }
    }

    /// Reads the context of a caller from headers, a map, or the `_meta` of an MCP request.
    ///
    /// What is missing or against the standard is as if it had not been sent: without a parent, what is started under
    /// the context is the root of a new trace.
    /// A debug line under `obs::context` says so, and the caller gets no error.
    /// What names no instance under it is recorded by the one that is current now.
    pub fn extract(carrier: &impl Carrier) -> Self {
        Self::extract_for(carrier, Self::current().instance().cloned())
    }

    pub(crate) fn extract_for(carrier: &impl Carrier, instance: Option<Arc<Instance>>) -> Self {
        let refused = |name: &str, cause: &str| {
            tracing::debug!(target: "obs::context", "a caller's {name} was not taken: {cause}");
        };
        let text = carrier.get(TRACEPARENT);
        let parent = text
            .and_then(|text| TraceParent::parse(&text).inspect_err(|cause| refused(TRACEPARENT, cause)).ok());
        // Without its parent a trace's state belongs to nothing.
        let state = parent
            .and_then(|_| carrier.get(TRACESTATE))
            .and_then(|text| TraceState::parse(&text).inspect_err(|cause| refused(TRACESTATE, cause)).ok());
        let read = carrier.get(BAGGAGE).map(|text| Baggage::parse(&text)).unwrap_or_default();
        let Read { baggage, left_out, unread } = read;
        if left_out > 0 {
            let cause = format!("{left_out} of its members are no pairs, or do not fit into the limits");
            refused(BAGGAGE, &cause);
        }
        if unread > 0 {
            let cause = format!(
                "at least its last {unread} bytes are beyond 180 members or 8,192 bytes, and not read"
            );
            refused(BAGGAGE, &cause);
        }
        Self::received(Remote { parent, state: state.unwrap_or_default(), baggage, instance })
    }

    /// The `traceparent` of what is started under this context: for an HTML page, or a protocol of one's own.
    pub fn traceparent(&self) -> Option<String> {
        self.trace_parent().map(|parent| parent.to_string())
    }

    /// The baggage that goes along.
    pub fn baggage(&self) -> &Baggage {
        const EMPTY: &Baggage = &Baggage::EMPTY;
        self.carried().map_or(EMPTY, |carried| &carried.baggage)
    }

    /// The context with a pair more in its baggage: for what is started under it, here and in the services called.
    ///
    /// # Errors
    /// If the key is no token, or a limit of [`Baggage`] is reached.
    pub fn with_baggage(
        &self,
        key: impl Into<obs_core::Str>,
        value: impl Into<obs_core::Str>,
    ) -> Result<Self, BaggageError> {
        let mut baggage = self.baggage().clone();
        baggage.insert(key, value)?;
        Ok(self.replace_baggage(baggage))
    }
}
