//! Open spans: what stands behind a handle while it records.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use obs_core::{Ancestor, Span, SpanId, SpanRecord, Str, Timestamp, TraceId};
use obs_pipeline::Intake;

use crate::context::{Carried, Context, Node, State, instances};
use crate::observability::Instance;
use crate::{Kind, ids, pool};

/// What a handle holds.
pub(crate) enum Recording {
    /// No destination takes more than metrics, or the span has ended.
    Off,
    /// The trace is not recorded, but its ids go on to other processes.
    Unsampled(Unsampled),
    On(Box<Slot>),
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
    carried: Option<Arc<Carried>>,
}

impl Unsampled {
    fn new(ids: Ids, instance: &Instance, carried: Option<Arc<Carried>>) -> Recording {
        Recording::Unsampled(Self { ids, instance: instance.number(), carried })
    }

    pub(crate) fn context(&self) -> Context {
        let (trace_id, span_id) = self.ids.get();
        Context::unsampled(trace_id, span_id, instances::find(self.instance), self.carried.clone())
    }
}

/// A place for an open span; the record is built here and moved from here into the intake, once.
#[derive(Default)]
pub(crate) struct Slot {
    /// Always [`SpanRecord::Ended`], which it will be when it leaves.
    record: Option<SpanRecord>,
    open: Option<Open>,
}

/// What an open span needs besides its record.
pub(crate) struct Open {
    pub(crate) instance: Arc<Instance>,
    /// What goes on to its children besides its ids.
    pub(crate) carried: Option<Arc<Carried>>,
    pub(crate) parent: Option<Arc<Node>>,
    /// Made when the first child, log or guard asks for it.
    node: OnceLock<Arc<Node>>,
    /// The start on the monotonic clock, so that durations are right even if the wall clock is set.
    started: Duration,
    /// Whether a score or feedback was given to the span.
    pub(crate) judged: AtomicBool,
}

impl Slot {
    #[inline]
    pub(crate) fn parts(&self) -> Option<(&Span, &Open)> {
        Some((self.record.as_ref()?.span(), self.open.as_ref()?))
    }

    #[inline]
    pub(crate) fn parts_mut(&mut self) -> Option<(&mut Span, &mut Open)> {
        Some((self.record.as_mut()?.span_mut(), self.open.as_mut()?))
    }

    /// Hands the record to the intake.
    #[inline]
    pub(crate) fn deliver(&mut self) {
        if let Some(open) = self.open.take() {
            open.intake().take_span(&mut self.record);
        }
    }

    fn fill(
        &mut self,
        instance: &Arc<Instance>,
        trace_id: TraceId,
        span_id: SpanId,
        name: Str,
        parent: Option<Arc<Node>>,
        carried: Option<Arc<Carried>>,
    ) {
        let clock = instance.clock();
        let started = clock.monotonic();
        let near = parent.as_ref().filter(|node| !node.is_foreign(instance));
        let trace = near.map_or(instance.trace_context(), |node| &node.trace);
        let (trace, resource) = (Arc::clone(trace), Arc::clone(instance.resource()));
        let record = Span::new_in(trace_id, span_id, name, clock.at(started), trace, resource);
        let record = self.record.insert(SpanRecord::Ended(record));
        if let Some(node) = &parent {
            let span = record.span_mut();
            span.parent_span_id = Some(node.span_id);
            span.path = near.and_then(|node| node.ancestor.clone());
            span.remote_parent = span.path.is_none();
            span.trace_flags = node.trace_flags;
            span.trace_state.clone_from(&node.trace_state);
        }
        let instance = Arc::clone(instance);
        self.open = Some(Open {
            instance,
            carried,
            parent,
            node: OnceLock::new(),
            started,
            judged: AtomicBool::new(false),
        });
    }
}

impl Open {
    #[inline]
    pub(crate) fn intake(&self) -> &Intake {
        self.instance.intake()
    }

    /// The context of what is started under the span.
    pub(crate) fn context(&self, span: &Span) -> Context {
        Context::sampled(Arc::clone(self.node(span)), self.carried.clone())
    }

    /// The time now, as far from the start of the span as the monotonic clock says.
    #[inline]
    pub(crate) fn now(&self, span: &Span) -> Timestamp {
        span.start.saturating_add(self.intake().clock().monotonic().saturating_sub(self.started))
    }

    /// The span as its children see it.
    pub(crate) fn node(&self, span: &Span) -> &Arc<Node> {
        self.node.get_or_init(|| {
            let Span { trace_id, span_id, start, path, trace_flags, trace_state, context, .. } = span;
            let ancestor = Ancestor::new(*span_id, *start, span.is_root(), path.clone());
            Arc::new(Node::new(
                *trace_id,
                *span_id,
                Some(Arc::new(ancestor)),
                self.root_span_id(span),
                *trace_flags,
                trace_state.clone(),
                Arc::clone(context),
                Some(Arc::clone(&self.instance)),
            ))
        })
    }

    /// The node, if anything asked for it before.
    pub(crate) fn known_node(&self) -> Option<&Arc<Node>> {
        self.node.get()
    }

    /// Forgets the node, so that the next child sees what has changed since.
    pub(crate) fn renew_node(&mut self) {
        self.node = OnceLock::new();
    }

    /// The trace's root, where it is known.
    pub(crate) fn root_span_id(&self, span: &Span) -> Option<SpanId> {
        span.root_span_id().or_else(|| self.parent.as_ref()?.root_span_id)
    }
}

/// Starts a span under a context.
#[inline]
pub(crate) fn begin<T: Kind>(
    instance: &Arc<Instance>,
    name: Str,
    parent: Context,
    fields: impl FnOnce() -> T,
) -> Recording {
    let (state, carried) = parent.into_parts();
    let (trace_id, span_id, parent) = match state {
        State::Sampled(node) => (node.trace_id, ids::span_id(), Some(node)),
        State::Unsampled { trace_id, .. } => {
            return Unsampled::new(Ids::known(trace_id, ids::span_id()), instance, carried);
        }
        State::None { .. } => {
            if instance.sampling().is_never() {
                return Unsampled::new(Ids::default(), instance, carried);
            }
            let (trace_id, span_id) = ids::root();
            if !instance.sampling().sample(trace_id, &name, T::NAME) {
                return Unsampled::new(Ids::known(trace_id, span_id), instance, carried);
            }
            (trace_id, span_id, None)
        }
    };
    let mut slot = pool::take();
    slot.fill(instance, trace_id, span_id, name, parent, carried);
    if let Some((span, _)) = slot.parts_mut() {
        span.kind = T::SPAN_KIND;
        span.span_type = fields().into_type();
        if instance.intake().wants_started() {
            instance.intake().span_started(span.clone());
        }
    }
    Recording::On(slot)
}
