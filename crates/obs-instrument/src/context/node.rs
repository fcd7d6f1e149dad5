//! What stands behind a context.

use std::sync::{Arc, Mutex, PoisonError};

use obs_core::{Ancestor, ErrorInfo, SpanId, Str, TraceContext, TraceId};
use uuid::Uuid;

use crate::observability::Instance;

#[derive(Clone)]
pub(crate) enum State {
    /// Outside of every trace.
    None {
        instance: Option<Arc<Instance>>,
    },
    /// The trace is not recorded; what is below it is not, either.
    Unsampled {
        trace_id: TraceId,
        span_id: SpanId,
        instance: Option<Arc<Instance>>,
    },
    Sampled(Arc<Node>),
}

impl Default for State {
    fn default() -> Self {
        Self::None { instance: None }
    }
}

/// What goes on to children and to other processes besides the ids; absent where there is nothing of the kind.
#[derive(Debug, Clone, Default)]
pub(crate) struct Carried {
    /// Of an unsampled trace; the node of a sampled one has its own.
    pub(crate) trace_state: Option<Str>,
}

/// A recorded span as its children see it.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    /// The chain up to and with this span; absent where it is in another process.
    pub(crate) ancestor: Option<Arc<Ancestor>>,
    pub(crate) root_span_id: Option<SpanId>,
    pub(crate) trace_flags: u8,
    pub(crate) trace_state: Option<Str>,
    pub(crate) trace: Arc<TraceContext>,
    /// The instance that records the span; absent where it is in another process.
    pub(crate) instance: Option<Arc<Instance>>,
    /// The error that a child failed with last, so that this span, failing with the same, shares its id.
    error: Mutex<Option<(Str, Uuid)>>,
}

impl Node {
    #[expect(clippy::too_many_arguments, reason = "a record's fields, each named where it is made")]
    pub(crate) fn new(
        trace_id: TraceId,
        span_id: SpanId,
        ancestor: Option<Arc<Ancestor>>,
        root_span_id: Option<SpanId>,
        trace_flags: u8,
        trace_state: Option<Str>,
        trace: Arc<TraceContext>,
        instance: Option<Arc<Instance>>,
    ) -> Self {
        Self {
            trace_id,
            span_id,
            ancestor,
            root_span_id,
            trace_flags,
            trace_state,
            trace,
            instance,
            error: Mutex::new(None),
        }
    }

    /// Whether another instance records the span, so that it is for this one as if it were in another process.
    pub(crate) fn is_foreign(&self, instance: &Arc<Instance>) -> bool {
        self.instance.as_ref().is_none_or(|own| !Arc::ptr_eq(own, instance))
    }

    /// Remembers what a child failed with.
    pub(crate) fn child_failed(&self, message: &Str, id: Uuid) {
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = Some((message.clone(), id));
    }

    /// The id of the error, if a child failed with it before: the same message, or one that wraps it.
    pub(crate) fn known_error(&self, error: &ErrorInfo) -> Option<Uuid> {
        let known = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        let (message, id) = known.as_ref()?;
        let same = error.message == *message || error.sources.contains(message);
        same.then_some(*id)
    }
}
