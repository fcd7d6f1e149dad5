//! Open spans: what stands behind a handle while it records.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use obs_core::{
    Ancestor, ErrorInfo, Span, SpanId, SpanRecord, SpanType, Str, Timestamp, TraceContext, TraceId,
};
use obs_pipeline::Intake;
use uuid::Uuid;

use crate::automatic::TOLD;
use crate::context::{Carried, Context, Node};
use crate::failure::Failure;
use crate::instance::Instance;
use crate::limits::LeftOut;
use crate::propagation::traceparent::RANDOM;
use crate::rollup::Sums;
use crate::visible::{HIDDEN, SAMPLED, Unseen};
use crate::{called, entity, restated};

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
    /// Why nobody is to see it, if so.
    unseen: Option<Unseen>,
    /// Made when the first child, log or guard asks for it.
    node: OnceLock<Arc<Node>>,
    /// The first node that was given out, where a change of the trace's context has made it old.
    first: Option<Arc<Node>>,
    /// Whether the start of the span was counted.
    told: AtomicBool,
    /// The start on the monotonic clock, so that durations are right even if the wall clock is set.
    started: Duration,
    /// Whether a score or feedback was given to the span.
    pub(crate) judged: AtomicBool,
    /// Whether a future runs under it to whose end it was bound.
    pub(crate) awaited: AtomicBool,
    /// What was more than the limits let it gather.
    pub(crate) left_out: LeftOut,
}

/// Where a span begins.
pub(crate) struct Place {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) parent: Option<Arc<Node>>,
    pub(crate) carried: Option<Arc<Carried>>,
    pub(crate) unseen: Option<Unseen>,
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
        let Some((span, open)) = self.parts_mut() else { return };
        open.close(span);
        if let Some(open) = self.open.take() {
            open.intake().take_span(&mut self.record);
        }
    }

    /// Adds a hidden call of a model to whoever shows it, and hands the record over if somebody counts.
    pub(crate) fn deliver_unseen(&mut self) {
        let Some((span, open)) = self.parts_mut() else { return };
        let said = open.close(span);
        if let (Some(Unseen::Hidden), Some(parent)) = (open.unseen, &open.parent)
            && let Some(sums) = Sums::of(span, open.instance.cost_of(span).as_ref(), said)
        {
            parent.add_hidden(&sums, &open.instance);
        }
        if !open.instance.measures() {
            self.record = None;
        }
        if let Some(open) = self.open.take() {
            open.intake().take_span(&mut self.record);
        }
    }

    #[inline]
    pub(crate) fn fill(&mut self, instance: &Arc<Instance>, name: Str, place: Place) {
        let Place { trace_id, span_id, parent, carried, unseen } = place;
        let clock = instance.clock();
        let started = clock.monotonic();
        let near = parent.as_ref().filter(|node| !node.is_foreign(instance));
        let trace = near.map_or(instance.trace_context(), |node| &node.trace);
        let (trace, resource) = (Arc::clone(trace), Arc::clone(instance.resource()));
        let record = Span::new_in(trace_id, span_id, name, clock.at(started), trace, resource);
        let record = self.record.insert(SpanRecord::Ended(record));
        let span = record.span_mut();
        if let Some(node) = &parent {
            span.parent_span_id = Some(node.span_id);
            span.path = near.and_then(|node| node.ancestor.clone());
            span.remote_parent = span.path.is_none();
            span.trace_flags = node.trace_flags;
            span.trace_state.clone_from(&node.trace_state);
        } else {
            span.trace_flags |= RANDOM;
        }
        match unseen {
            None => {
                if let Some(carried) = &carried {
                    carried.tell(instance.baggage_attributes(), &mut span.attributes);
                }
            }
            Some(Unseen::Unsampled) => span.trace_flags &= !SAMPLED,
            Some(Unseen::Hidden) => span.trace_flags = span.trace_flags & !SAMPLED | HIDDEN,
        }
        self.open = Some(Open {
            instance: Arc::clone(instance),
            carried,
            parent,
            unseen,
            node: OnceLock::new(),
            first: None,
            told: AtomicBool::new(false),
            started,
            judged: AtomicBool::new(false),
            awaited: AtomicBool::new(false),
            left_out: LeftOut::default(),
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
        Context::known(Arc::clone(self.node(span)), self.carried.clone())
    }

    /// The time now, as far from the start of the span as the monotonic clock says.
    #[inline]
    pub(crate) fn now(&self, span: &Span) -> Timestamp {
        span.start.saturating_add(self.intake().clock().monotonic().saturating_sub(self.started))
    }

    /// The span as its children see it: a hidden one under the ids of the nearest that is visible.
    pub(crate) fn node(&self, span: &Span) -> &Arc<Node> {
        self.node.get_or_init(|| {
            self.tell_start(span);
            let trace = entity::below(span);
            let mut node = if let (Some(Unseen::Hidden), Some(shown)) = (self.unseen, &self.parent) {
                Node::behind(shown, trace, &self.instance)
            } else {
                self.visible_node(span, trace)
            };
            node.called = called::below(span, self.called_above());
            Arc::new(node.renewing(self.first.clone()))
        })
    }

    fn visible_node(&self, span: &Span, trace: Arc<TraceContext>) -> Node {
        let Span { trace_id, span_id, start, path, trace_flags, trace_state, .. } = span;
        let ancestor = Ancestor::new(*span_id, *start, span.is_root(), path.clone());
        let node = Node::new(
            *trace_id,
            *span_id,
            Some(Arc::new(ancestor)),
            self.root_span_id(span),
            *trace_flags,
            trace_state.clone(),
            trace,
            Some(Arc::clone(&self.instance)),
        );
        node.under(self.parent.as_ref())
    }

    /// The node that was given out first, or is the only one: what spans below have told it counts.
    fn known_node(&self) -> Option<&Arc<Node>> {
        self.first.as_ref().or_else(|| self.node.get())
    }

    /// Forgets the node, so that the next child sees what has changed since.
    pub(crate) fn renew_node(&mut self) {
        let node = std::mem::take(&mut self.node).into_inner();
        self.first = self.first.take().or(node);
    }

    /// The trace's root, where it is known.
    pub(crate) fn root_span_id(&self, span: &Span) -> Option<SpanId> {
        span.root_span_id().or_else(|| self.parent.as_ref()?.root_span_id)
    }

    /// The span that others are told of: itself, or where it is hidden the one that shows it.
    pub(crate) fn shown_span_id(&self, span: &Span) -> SpanId {
        match (self.unseen, &self.parent) {
            (Some(Unseen::Hidden), Some(shown)) => shown.span_id,
            _ => span.span_id,
        }
    }

    /// Whether the trace is one that destinations see.
    pub(crate) fn is_sampled(&self) -> bool {
        self.unseen != Some(Unseen::Unsampled)
    }

    /// Notes that the span was judged, or where it is hidden the one that shows it.
    pub(crate) fn judge(&self) {
        match (self.unseen, &self.parent) {
            (Some(Unseen::Hidden), Some(parent)) => parent.judge_shown(),
            _ => self.judged.store(true, Ordering::Relaxed),
        }
    }

    /// The id of an error that a span below failed with.
    pub(crate) fn known_error(&self, error: &ErrorInfo) -> Option<Uuid> {
        self.known_node()?.failures().id_of(error)
    }

    /// Tells all ancestors what the span failed with, since any of them may fail with it, whether or not those in between do.
    pub(crate) fn tell_failure(&self, error: &ErrorInfo, id: Uuid) {
        if let Some(parent) = &self.parent {
            let failure = Arc::new(Failure::new(error, id));
            parent.up().for_each(|node| node.failures().remember(&failure));
        }
    }

    /// The span ends: what was hidden under it becomes known, and its start, if nobody was told before.
    ///
    /// Tells what calls directly below have said that the span, if it is a call, only says once more.
    #[inline]
    fn close(&mut self, span: &mut Span) -> u8 {
        if *self.told.get_mut() {
            span.trace_flags |= TOLD;
        }
        self.left_out.tell(span);
        if called::lacks(&span.span_type) {
            called::inherit(span, self.called_above());
        }
        let below = self.known_node().map_or(0, |node| node.rollup().close(span));
        let said = restated::said(span, below);
        if said != 0
            && let Some(parent) = self.parent_here()
        {
            parent.rollup().said_below(said);
        }
        if below == 0 || !matches!(span.span_type, SpanType::LlmGeneration(_)) {
            return 0;
        }
        if self.instance.counts() {
            span.trace_flags |= below;
        }
        below
    }

    /// The parent, if this instance records it, too: what another one knows is none of its own.
    fn parent_here(&self) -> Option<&Arc<Node>> {
        let is_own = |parent: &&Arc<Node>| {
            parent.instance.as_ref().is_some_and(|own| Arc::ptr_eq(own, &self.instance))
        };
        self.parent.as_ref().filter(is_own)
    }

    fn called_above(&self) -> Option<&Arc<called::Called>> {
        self.parent_here()?.called.as_ref()
    }

    /// Tells that the span has started, once: before the first child, scope or log under it, so that what was set right
    /// after the start is known.
    ///
    /// Of a span that has none of those, the collector tells both at its end.
    fn tell_start(&self, span: &Span) {
        if let Some(starts) = self.instance.starts()
            && !self.told.load(Ordering::Relaxed)
        {
            let mut span = std::borrow::Cow::Borrowed(span);
            if called::lacks(&span.span_type) && self.called_above().is_some() {
                called::inherit(span.to_mut(), self.called_above());
            }
            self.told.store(starts.tell(self.intake(), &span, self.now(&span)), Ordering::Relaxed);
        }
    }
}
