//! How a span begins: recorded, measured, or neither.

use std::sync::{Arc, OnceLock};

use obs_core::{SpanId, Str, TraceId};

use crate::context::{Carried, Context, Node, State, UnsampledSpan, instances};
use crate::instance::Instance;
use crate::open::{Place, Slot};
use crate::propagation::traceparent::RANDOM;
use crate::sampling::overrule;
use crate::visible::{SAMPLED, Unseen};
use crate::{Kind, ids, pool};

/// What a handle holds.
pub(crate) enum Recording {
    /// No destination takes more than metrics, or the span has ended: what is around it goes on.
    Off,
    /// The same, of a span under a parent that was named: what is above it goes on.
    Through(Context),
    /// The trace is not recorded, but its ids go on to other processes.
    Unsampled(Unsampled),
    On(Box<Slot>),
    /// Kept for its numbers alone: what it is of, its times, its status and error.
    Measured(Box<Slot>),
}

/// The ids of a span that is not recorded, drawn when somebody asks: most are never asked for.
#[derive(Default)]
pub(crate) struct Ids(OnceLock<(TraceId, SpanId)>);

impl Ids {
    fn known(trace_id: TraceId, span_id: SpanId) -> Self {
        Self(OnceLock::from((trace_id, span_id)))
    }

    pub(crate) fn get(&self) -> (TraceId, SpanId) {
        *self.0.get_or_init(ids::root)
    }
}

/// A span that is not recorded.
pub(crate) struct Unsampled {
    pub(crate) ids: Ids,
    /// The number of its instance.
    instance: u64,
    /// Of a trace that began elsewhere, those of its caller.
    trace_flags: u8,
    carried: Option<Arc<Carried>>,
}

impl Unsampled {
    #[inline]
    fn recording(ids: Ids, trace_flags: u8, instance: &Instance, carried: Option<Arc<Carried>>) -> Recording {
        let trace_flags = trace_flags & !SAMPLED;
        Recording::Unsampled(Self { ids, instance: instance.number(), trace_flags, carried })
    }

    /// A root that nobody records.
    #[inline]
    pub(crate) fn root(instance: &Instance) -> Recording {
        Self::recording(Ids::default(), RANDOM, instance, None)
    }

    pub(crate) fn context(&self) -> Context {
        let (trace_id, span_id) = self.ids.get();
        let span = UnsampledSpan { trace_id, span_id, trace_flags: self.trace_flags, is_remote: false };
        Context::unsampled(span, instances::find(self.instance), self.carried.clone())
    }
}

/// Starts a span under a context.
#[inline]
pub(crate) fn begin<T: Kind>(
    instance: &Arc<Instance>,
    name: Str,
    parent: Context,
    internal: bool,
    fields: impl FnOnce() -> T,
) -> Recording {
    let (mut state, mut carried) = parent.into_parts();
    if instance.sampler().asks_below() {
        (state, carried) = overrule(instance, state, carried, &name, T::NAME);
    }
    let mut root_state = None;
    let place = match state {
        State::Known(node) => {
            let unseen = if !node.is_sampled() {
                Some(Unseen::Unsampled)
            } else if instance.hides(T::BIT, internal) && !node.is_foreign(instance) {
                // Below another process's span, or another instance's, it is the root here, and nobody else would show it.
                Some(Unseen::Hidden)
            } else {
                None
            };
            Place { trace_id: node.trace_id, span_id: ids::span_id(), parent: Some(node), carried, unseen }
        }
        State::Unsampled { span, .. } => {
            let UnsampledSpan { trace_id, span_id, trace_flags, .. } = span;
            let ids = Ids::known(trace_id, ids::span_id());
            if !instance.measures_unsampled() {
                return Unsampled::recording(ids, trace_flags, instance, carried);
            }
            let node = Node::new(trace_id, span_id, None, None, trace_flags, None, Arc::default(), None);
            let (trace_id, span_id) = ids.get();
            let unseen = Some(Unseen::Unsampled);
            Place { trace_id, span_id, parent: Some(Arc::new(node)), carried, unseen }
        }
        State::None { .. } => {
            if instance.sampler().takes_no_root() && !instance.measures_unsampled() {
                return Unsampled::recording(Ids::default(), RANDOM, instance, carried);
            }
            let (trace_id, span_id) = ids::root();
            let question = instance.question::<T>(trace_id, &name);
            let sampled = instance.sampler().takes_root(&question);
            if !sampled && !instance.measures_unsampled() {
                return Unsampled::recording(Ids::known(trace_id, span_id), RANDOM, instance, carried);
            }
            let unseen = (!sampled).then_some(Unseen::Unsampled);
            root_state = sampled.then(|| instance.sampler().state_of_root(&question)).flatten();
            Place { trace_id, span_id, parent: None, carried, unseen }
        }
    };
    let unseen = place.unseen;
    if unseen == Some(Unseen::Unsampled) && !instance.measures_unsampled() {
        let ids = Ids::known(place.trace_id, place.span_id);
        let flags = place.parent.map_or(RANDOM, |parent| parent.trace_flags);
        return Unsampled::recording(ids, flags, instance, place.carried);
    }
    let mut slot = pool::take();
    slot.fill(instance, name, place);
    if let Some((span, _)) = slot.parts_mut() {
        span.kind = T::SPAN_KIND;
        if root_state.is_some() {
            span.trace_state = root_state;
        }
        let mut fields = fields();
        fields.begin();
        span.span_type = fields.into_type();
        if unseen.is_none() && instance.intake().wants_started() {
            instance.intake().span_started(span.clone());
        }
    }
    match unseen {
        None => Recording::On(slot),
        Some(_) => Recording::Measured(slot),
    }
}

#[cfg(test)]
mod tests {
    use obs_core::{LlmGeneration, SpanType, Status, Usage};
    use obs_testkit::Scripted;

    use super::SAMPLED;
    use crate::{Observability, Sampling};

    #[test]
    fn what_is_measured_has_numbers_times_status_and_error_alone() {
        let builder = Observability::builder("test").to(Scripted::new([])).sampling(Sampling::Never);
        let obs = builder.build().unwrap();
        let run = obs.agent_run("run");
        let mut call = run.child::<LlmGeneration>("chat");
        call.model("gpt-4o").usage(Usage::new(10, 4)).tools("[]").input("secret").attribute("k", 1);
        call.fail(&std::fmt::Error);
        let (span, _) = call.kept().unwrap();
        let SpanType::LlmGeneration(fields) = &span.span_type else { panic!("{:?}", span.span_type) };
        assert_eq!((fields.usage, fields.model.as_deref()), (Usage::new(10, 4), Some("gpt-4o")));
        assert!(span.input.is_none() && span.attributes.is_empty() && fields.tools.is_none());
        assert_eq!((span.status, span.trace_flags & SAMPLED), (Status::Error, 0));
        assert_eq!(span.parent_span_id, run.span_id());
        let entity = span.context.entity.as_ref().unwrap();
        assert_eq!(entity.name.as_deref(), Some("run"), "metrics of unsampled traces know the agent, too");
    }
}
