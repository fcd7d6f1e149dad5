//! Where the sampling has a say about spans that have a parent.

use std::sync::Arc;

use obs_core::{TraceContext, TraceId};

use super::{Question, SamplingParent};
use crate::context::{Carried, Node, State};
use crate::instance::Instance;
use crate::visible::SAMPLED;

/// The state under which the span starts: that of its parent, or the other one if the sampling says otherwise.
///
/// A parent whose decision is overruled is as one in another process: nothing is known of it but its ids.
#[cold]
pub(crate) fn overrule(
    instance: &Arc<Instance>,
    state: State,
    carried: Option<Arc<Carried>>,
    name: &str,
    span_type: &'static str,
) -> (State, Option<Arc<Carried>>) {
    let (trace_id, parent, trace) = match &state {
        State::None { .. } => return (state, carried),
        State::Unsampled { trace_id, span_id, instance: own } => {
            let is_remote = own.as_ref().is_none_or(|own| !Arc::ptr_eq(own, instance));
            let parent = SamplingParent { span_id: *span_id, is_sampled: false, is_remote };
            (*trace_id, parent, instance.trace_context())
        }
        State::Known(node) => {
            let (is_sampled, is_remote) = (node.is_sampled(), node.is_foreign(instance));
            let trace = if is_remote { instance.trace_context() } else { &node.trace };
            (node.trace_id, SamplingParent { span_id: node.span_id, is_sampled, is_remote }, trace)
        }
    };
    let question = Question { trace_id, name, span_type, trace, clock: instance.clock() };
    match (parent.is_sampled, instance.sampler().takes_below(&question, parent)) {
        (true, false) => refused(state, carried),
        (false, true) => (taken(&state, carried.as_deref(), trace_id, parent, Arc::clone(trace)), carried),
        _ => (state, carried),
    }
}

/// A sampled parent, as one that is not.
fn refused(state: State, carried: Option<Arc<Carried>>) -> (State, Option<Arc<Carried>>) {
    let State::Known(parent) = &state else { return (state, carried) };
    let node = &**parent;
    let trace_state = node.trace_state.clone();
    let mut carried = carried.as_deref().cloned().unwrap_or_default();
    carried.trace_state.clone_from(&trace_state);
    let node = Node::new(
        node.trace_id,
        node.span_id,
        node.ancestor.clone(),
        node.root_span_id,
        node.trace_flags & !SAMPLED,
        trace_state,
        Arc::clone(&node.trace),
        node.instance.clone(),
    );
    // What fails below is the same error above, though nobody sees what is between.
    (State::Known(Arc::new(node.under(Some(parent)))), Some(Arc::new(carried)))
}

/// A parent that is not sampled, as a sampled one in another process.
fn taken(
    state: &State,
    carried: Option<&Carried>,
    trace_id: TraceId,
    parent: SamplingParent,
    trace: Arc<TraceContext>,
) -> State {
    let known = match state {
        State::Known(node) => Some(node),
        State::None { .. } | State::Unsampled { .. } => None,
    };
    let trace_state = known.and_then(|node| node.trace_state.clone());
    let trace_state = trace_state.or_else(|| carried?.trace_state.clone());
    let node = Node::new(trace_id, parent.span_id, None, None, SAMPLED, trace_state, trace, None);
    State::Known(Arc::new(node.under(known)))
}
