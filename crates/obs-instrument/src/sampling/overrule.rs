//! Where the sampling has a say about spans that have a parent.

use std::sync::Arc;

use super::{Question, SamplingParent};
use crate::context::{Carried, Node, State};
use crate::observability::Instance;

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
    let is_near = |other: &Arc<Instance>| Arc::ptr_eq(other, instance);
    let (trace_id, parent, trace) = match &state {
        State::None { .. } => return (state, carried),
        State::Unsampled { trace_id, span_id, instance: own } => {
            let is_remote = !own.as_ref().is_some_and(is_near);
            let parent = SamplingParent { span_id: *span_id, is_sampled: false, is_remote };
            (*trace_id, parent, instance.trace_context())
        }
        State::Sampled(node) => {
            let is_remote = node.is_foreign(instance);
            let trace = if is_remote { instance.trace_context() } else { &node.trace };
            (node.trace_id, SamplingParent { span_id: node.span_id, is_sampled: true, is_remote }, trace)
        }
    };
    let question = Question { trace_id, name, span_type, trace, clock: instance.clock() };
    let takes = instance.sampler().takes_below(&question, parent);
    match &state {
        State::Sampled(node) if !takes => {
            let trace_state = node.trace_state.clone();
            let carried = Carried { trace_state, ..carried.as_deref().cloned().unwrap_or_default() };
            let (span_id, instance) = (node.span_id, node.instance.clone());
            (State::Unsampled { trace_id, span_id, instance }, Some(Arc::new(carried)))
        }
        State::Unsampled { .. } if takes => {
            let trace_state = carried.as_ref().and_then(|carried| carried.trace_state.clone());
            let trace = Arc::clone(instance.trace_context());
            let node = Node::new(trace_id, parent.span_id, None, None, 1, trace_state, trace, None);
            (State::Sampled(Arc::new(node)), carried)
        }
        _ => (state, carried),
    }
}
