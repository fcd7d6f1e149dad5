//! Where the sampling has a say about spans that have a parent.

use std::sync::Arc;

use obs_core::{Ratio, Str, TraceContext, TraceId};

use super::{Question, SamplingParent};
use crate::context::{Carried, Node, State};
use crate::instance::Instance;
use crate::propagation::probability::{Probability, with_share};
use crate::propagation::traceparent::KNOWN;
use crate::visible::SAMPLED;

/// The state under which the span starts: that of its parent, or the other one if the sampling says otherwise.
///
/// A parent whose decision is overruled is as one in another process: nothing is known of it but its ids.
/// What `tracestate` says of probability is true of the decision that counts.
#[cold]
pub(crate) fn overrule(
    instance: &Arc<Instance>,
    state: State,
    carried: Option<Arc<Carried>>,
    name: &str,
    span_type: &'static str,
) -> (State, Option<Arc<Carried>>) {
    let Some(above) = Above::of(instance, &state, carried.as_deref()) else { return (state, carried) };
    let Above { trace_id, parent, trace, trace_state } = above;
    let Probability { share, randomness } = Probability::read(trace_state.as_deref());
    let randomness = randomness.unwrap_or(Ratio::randomness_of(trace_id));
    let question = Question { trace_id, randomness, name, span_type, trace: &trace, clock: instance.clock() };
    match (parent.is_sampled, instance.sampler().takes_below(&question, parent, share)) {
        (true, None) => refused(state, carried),
        (false, Some(weight)) => {
            let trace_state = weight.tell(trace_state.as_ref());
            let state = taken(&state, carried.as_deref(), trace_id, parent, trace, trace_state);
            (state, without_state(carried))
        }
        (true, Some(weight)) => (weighed(state, weight.tell(trace_state.as_ref())), carried),
        (false, None) => (state, carried),
    }
}

/// What is above the span.
struct Above {
    trace_id: TraceId,
    parent: SamplingParent,
    trace: Arc<TraceContext>,
    trace_state: Option<Str>,
}

impl Above {
    fn of(instance: &Arc<Instance>, state: &State, carried: Option<&Carried>) -> Option<Self> {
        let carried_state = || carried?.trace_state.clone();
        match state {
            State::None { .. } => None,
            State::Unsampled { span, instance: own } => {
                let is_remote = span.is_remote || own.as_ref().is_none_or(|own| !Arc::ptr_eq(own, instance));
                Some(Self {
                    trace_id: span.trace_id,
                    parent: SamplingParent { span_id: span.span_id, is_sampled: false, is_remote },
                    trace: Arc::clone(instance.trace_context()),
                    trace_state: carried_state(),
                })
            }
            State::Known(node) => {
                let (is_sampled, is_remote) = (node.is_sampled(), node.is_foreign(instance));
                let trace = if is_remote { instance.trace_context() } else { &node.trace };
                Some(Self {
                    trace_id: node.trace_id,
                    parent: SamplingParent { span_id: node.span_id, is_sampled, is_remote },
                    trace: Arc::clone(trace),
                    trace_state: node.trace_state.clone().or_else(carried_state),
                })
            }
        }
    }
}

/// A sampled parent, as one that is not.
fn refused(state: State, carried: Option<Arc<Carried>>) -> (State, Option<Arc<Carried>>) {
    let State::Known(parent) = &state else { return (state, carried) };
    let node = &**parent;
    let trace_state = with_share(node.trace_state.as_ref(), None);
    let mut carried = carried.as_deref().cloned().unwrap_or_default();
    carried.trace_state.clone_from(&trace_state);
    carried.root_span_id = node.root_span_id;
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
    trace_state: Option<Str>,
) -> State {
    let (known, flags) = match state {
        State::Known(node) => (Some(node), node.trace_flags),
        State::Unsampled { span, .. } => (None, span.trace_flags),
        State::None { .. } => (None, 0),
    };
    let root = known.and_then(|node| node.root_span_id).or_else(|| carried?.root_span_id);
    let flags = flags & KNOWN | SAMPLED;
    let node = Node::new(trace_id, parent.span_id, None, root, flags, trace_state, trace, None);
    State::Known(Arc::new(node.under(known)))
}

/// What goes along with a parent whose node says what `tracestate` is from here on, be it nothing.
fn without_state(carried: Option<Arc<Carried>>) -> Option<Arc<Carried>> {
    match carried.as_deref() {
        Some(Carried { trace_state: Some(_), baggage, root_span_id }) => {
            let (baggage, root_span_id) = (baggage.clone(), *root_span_id);
            Some(Arc::new(Carried { baggage, trace_state: None, root_span_id }))
        }
        _ => carried,
    }
}

/// A sampled parent under which a share of our own decides, too.
fn weighed(state: State, trace_state: Option<Str>) -> State {
    match state {
        State::Known(node) if node.trace_state != trace_state => {
            State::Known(Arc::new(node.with_trace_state(trace_state)))
        }
        other => other,
    }
}
