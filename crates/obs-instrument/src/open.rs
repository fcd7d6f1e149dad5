//! Open spans: what stands behind a handle while it records.

use std::sync::{Arc, OnceLock};

use obs_core::{Ancestor, Span, SpanId, Str, TraceId};
use obs_pipeline::Intake;

use crate::context::{Context, Node, State};
use crate::observability::Instance;
use crate::pool::{self, Slot};
use crate::{Kind, ids};

/// What a handle holds.
pub(crate) enum Recording {
    /// Nothing wants spans, or the span has ended.
    Off,
    /// The trace is not recorded, but its ids go on to other processes.
    Unsampled {
        trace_id: TraceId,
        span_id: SpanId,
    },
    On(Slot),
}

/// What an open span holds.
pub(crate) struct Open {
    pub(crate) span: Span,
    pub(crate) intake: Intake,
    pub(crate) parent: Option<Arc<Node>>,
    /// Made when the first child, log or guard asks for it.
    pub(crate) node: OnceLock<Arc<Node>>,
}

impl Open {
    pub(crate) fn node(&self) -> &Arc<Node> {
        self.node.get_or_init(|| {
            let Span { span_id, start, path, trace_flags, trace_state, context, .. } = &self.span;
            let root = self.span.root_span_id();
            let ancestor = Ancestor::new(*span_id, *start, self.span.is_root(), path.clone());
            Arc::new(Node::new(
                self.span.trace_id,
                *span_id,
                Some(Arc::new(ancestor)),
                root,
                *trace_flags,
                trace_state.clone(),
                Arc::clone(context),
            ))
        })
    }

    /// The trace's root, where it is known.
    pub(crate) fn root_span_id(&self) -> Option<SpanId> {
        self.span.root_span_id().or_else(|| self.parent.as_ref()?.root_span_id)
    }
}

/// Starts a span under a context.
pub(crate) fn begin<T: Kind>(instance: &Instance, name: Str, parent: Context, fields: T) -> Recording {
    let span_id = ids::span_id();
    let (trace_id, parent) = match parent.into_state() {
        State::Sampled(node) => (node.trace_id, Some(node)),
        State::Unsampled { trace_id, .. } => return Recording::Unsampled { trace_id, span_id },
        State::None => {
            let trace_id = ids::trace_id();
            if !instance.sampling().sample(trace_id, &name, T::NAME) {
                return Recording::Unsampled { trace_id, span_id };
            }
            (trace_id, None)
        }
    };
    let mut span = Span::new_in(
        trace_id,
        span_id,
        name,
        instance.clock().now(),
        parent.as_ref().map_or_else(|| Arc::clone(instance.trace_context()), |node| Arc::clone(&node.trace)),
        Arc::clone(instance.resource()),
    );
    span.kind = T::SPAN_KIND;
    span.span_type = fields.into_type();
    if let Some(node) = &parent {
        span.parent_span_id = Some(node.span_id);
        span.remote_parent = node.ancestor.is_none();
        span.path.clone_from(&node.ancestor);
        span.trace_flags = node.trace_flags;
        span.trace_state.clone_from(&node.trace_state);
    }
    if instance.intake().wants_started() {
        instance.intake().span_started(span.clone());
    }
    Recording::On(pool::fill(Open { span, intake: instance.intake().clone(), parent, node: OnceLock::new() }))
}
