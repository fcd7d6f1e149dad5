//! What stands behind a context.

use std::sync::Arc;

use obs_core::{Ancestor, Attributes, MAX_DEPTH, SpanId, Str, TraceContext, TraceId};

use crate::Baggage;
use crate::called::Called;
use crate::failure::Failures;
use crate::instance::Instance;
use crate::propagation::traceparent::TraceParent;
use crate::propagation::tracestate::TraceState;
use crate::rollup::{Rollup, Sums};
use crate::visible::SAMPLED;

#[derive(Clone)]
pub(crate) enum State {
    /// Outside of every trace.
    None { instance: Option<Arc<Instance>> },
    /// The trace is not recorded, or not here; what is below it is not, either.
    Unsampled { span: UnsampledSpan, instance: Option<Arc<Instance>> },
    /// A span that is kept in this process, or a sampled one in another; its flags say whether it is sampled.
    Known(Arc<Node>),
}

/// A span that is not recorded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UnsampledSpan {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    /// Without the one that says it is sampled.
    pub(crate) trace_flags: u8,
    pub(crate) is_remote: bool,
}

impl Default for State {
    fn default() -> Self {
        Self::None { instance: None }
    }
}

/// What goes on to children and to other processes besides the ids; absent where there is nothing of the kind.
#[derive(Debug, Clone, Default)]
pub(crate) struct Carried {
    pub(crate) baggage: Baggage,
    /// Of a trace that another process does not sample; the node of a sampled one has its own.
    pub(crate) trace_state: Option<Str>,
    /// As above.
    pub(crate) root_span_id: Option<SpanId>,
}

impl Carried {
    /// Copies the baggage of these keys.
    pub(crate) fn tell(&self, keys: &[Str], attributes: &mut Attributes) {
        for key in keys {
            if let Some(value) = self.baggage.get(key) {
                attributes.insert(key.clone(), Str::copied(value));
            }
        }
    }

    pub(crate) fn shared(self) -> Option<Arc<Self>> {
        let empty = self.baggage.is_empty() && self.trace_state.is_none() && self.root_span_id.is_none();
        (!empty).then(|| Arc::new(self))
    }
}

/// What came from another process.
#[derive(Debug, Default)]
pub(crate) struct Remote {
    pub(crate) parent: Option<TraceParent>,
    pub(crate) state: TraceState,
    pub(crate) baggage: Baggage,
    /// The one that records here what names none.
    pub(crate) instance: Option<Arc<Instance>>,
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
    /// The instance that records the span; for one in another process, the one that records here what names none.
    pub(crate) instance: Option<Arc<Instance>>,
    /// The node above it in this process, through which a hidden span reaches whoever shows it.
    parent: Option<Arc<Self>>,
    /// How many nodes are above it.
    depth: usize,
    /// Whether it is a hidden span, given out under the ids of the one that shows it.
    hidden: bool,
    /// The node that was given out before, where the trace's context has changed since.
    renews: Option<Arc<Self>>,
    /// The model of the call that this is, or is directly in.
    pub(crate) called: Option<Arc<Called>>,
    failures: Failures,
    rollup: Rollup,
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
            parent: None,
            depth: 0,
            hidden: false,
            renews: None,
            called: None,
            failures: Failures::default(),
            rollup: Rollup::default(),
        }
    }

    /// Whether the span is in another process.
    pub(crate) fn is_remote(&self) -> bool {
        self.ancestor.is_none()
    }

    /// Whether this instance does not record the span: it is in another process, or as if it were.
    pub(crate) fn is_foreign(&self, instance: &Arc<Instance>) -> bool {
        self.is_remote() || self.instance.as_ref().is_none_or(|own| !Arc::ptr_eq(own, instance))
    }

    /// A hidden span below the one that shows it: under that one's ids, with an own memory.
    pub(crate) fn behind(shown: &Arc<Self>, trace: Arc<TraceContext>, instance: &Arc<Instance>) -> Self {
        let near = !shown.is_foreign(instance);
        let ancestor = shown.ancestor.clone().filter(|_| near);
        let mut node = Self::new(
            shown.trace_id,
            shown.span_id,
            ancestor,
            shown.root_span_id,
            shown.trace_flags,
            shown.trace_state.clone(),
            trace,
            Some(Arc::clone(instance)),
        );
        node.hidden = true;
        node.under(Some(shown))
    }

    /// The node below another one.
    ///
    /// Chains are as long as those of [`Ancestor`], so that spans which follow each other for ever do no harm.
    pub(crate) fn under(mut self, parent: Option<&Arc<Self>>) -> Self {
        let near = |parent: &&Arc<Self>| parent.depth < MAX_DEPTH;
        let nearest = || parent?.up().find(|node| !node.hidden).filter(|_| self.hidden);
        let parent = parent.filter(near).or_else(nearest).cloned();
        self.depth = parent.as_ref().map_or(0, |parent| parent.depth + 1);
        self.parent = parent;
        self
    }

    /// The same span under another `tracestate`, with the same memory.
    pub(crate) fn with_trace_state(self: &Arc<Self>, trace_state: Option<Str>) -> Self {
        let mut node = Self::new(
            self.trace_id,
            self.span_id,
            self.ancestor.clone(),
            self.root_span_id,
            self.trace_flags,
            trace_state,
            Arc::clone(&self.trace),
            self.instance.clone(),
        );
        (node.hidden, node.depth) = (self.hidden, self.depth);
        node.parent.clone_from(&self.parent);
        node.called.clone_from(&self.called);
        node.renewing(Some(Arc::clone(self.renews.as_ref().unwrap_or(self))))
    }

    /// The node in place of one that was given out before, whose memory it shares.
    pub(crate) fn renewing(mut self, before: Option<Arc<Self>>) -> Self {
        self.renews = before;
        self
    }

    /// The node as it was first given out, and those above it in this process.
    pub(crate) fn up(self: &Arc<Self>) -> impl Iterator<Item = &Arc<Self>> {
        fn first(node: &Arc<Node>) -> &Arc<Node> {
            node.renews.as_ref().unwrap_or(node)
        }
        std::iter::successors(Some(first(self)), |node| node.parent.as_ref().map(first))
    }

    /// What spans below have failed with.
    pub(crate) fn failures(&self) -> &Failures {
        &self.renews.as_deref().unwrap_or(self).failures
    }

    /// What hidden spans below have used.
    #[inline]
    pub(crate) fn rollup(&self) -> &Rollup {
        &self.renews.as_deref().unwrap_or(self).rollup
    }

    /// Adds what a hidden span used to the nearest visible span that is open in this process and of the same instance:
    /// what a tenant pays is none of another's concern.
    pub(crate) fn add_hidden(self: &Arc<Self>, sums: &Sums, instance: &Arc<Instance>) {
        let shows = |node: &Arc<Self>| !node.hidden && node.is_sampled() && !node.is_foreign(instance);
        let _ = self.up().any(|node| shows(node) && node.rollup().add(sums));
    }

    /// Notes that a score or feedback on a hidden span names the one that shows it.
    pub(crate) fn judge_shown(self: &Arc<Self>) {
        if let Some(shown) = self.up().find(|node| !node.hidden) {
            shown.rollup().judge();
        }
    }

    /// Whether the trace is one that destinations see.
    #[inline]
    pub(crate) const fn is_sampled(&self) -> bool {
        self.trace_flags & SAMPLED != 0
    }
}

impl Drop for Node {
    /// Lets go of a long chain without recursion.
    fn drop(&mut self) {
        let mut next = self.parent.take();
        while let Some(mut node) = next.and_then(Arc::into_inner) {
            next = node.parent.take();
        }
    }
}
