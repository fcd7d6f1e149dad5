//! Spans under way.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use obs_core::{Payload, Span, SpanId, SpanRef, Status, Str, Timestamp, TraceId};

use crate::begin::{Recording, Unsampled, begin};
use crate::context::Context;
use crate::fail::dropped_by_panic;
use crate::instance::Instance;
use crate::open::{Open, Slot};
use crate::{Generic, Kind, pool};

/// The attribute, `true`, of a span whose future was dropped before its end; such a span has not failed.
pub const CANCELLED: &str = "obs.cancelled";

/// A span under way; it ends when it is ended or dropped.
///
/// If the trace is not sampled, or no destination takes more than metrics, every method does nothing at almost no cost; closures that
/// would fill fields are then not called.
/// Setters take `&mut self` and chain; the type parameter says which typed fields there are.
pub struct ActiveSpan<T: Kind = Generic> {
    pub(crate) state: Recording,
    pub(crate) kind: PhantomData<fn() -> T>,
}

impl<T: Kind> ActiveSpan<T> {
    #[inline]
    pub(crate) fn start(
        instance: &Arc<Instance>,
        name: impl Into<Str>,
        parent: impl FnOnce() -> Context,
        fields: impl FnOnce() -> T,
    ) -> Self {
        let state = if instance.has_spans() {
            begin(instance, name.into(), parent(), false, fields)
        } else {
            Recording::Through(parent())
        };
        Self { state, kind: PhantomData }
    }

    /// Starts a span under the current context; one that nobody records is known for that by a few loads.
    #[inline]
    pub(crate) fn start_here(
        instance: &Arc<Instance>,
        name: impl Into<Str>,
        fields: impl FnOnce() -> T,
    ) -> Self {
        if instance.records_no_root() && Context::nothing_is_current() {
            return Self { state: Unsampled::root(instance), kind: PhantomData };
        }
        if !instance.has_spans() {
            return Self::noop();
        }
        Self { state: begin(instance, name.into(), Context::current(), false, fields), kind: PhantomData }
    }

    /// A span that the application's users are not to see.
    pub(crate) fn start_internal(
        instance: &Arc<Instance>,
        name: impl Into<Str>,
        parent: impl FnOnce() -> Context,
        fields: impl FnOnce() -> T,
    ) -> Self {
        let state = if instance.has_spans() {
            begin(instance, name.into(), parent(), true, fields)
        } else {
            Recording::Through(parent())
        };
        Self { state, kind: PhantomData }
    }

    /// A span that records nothing, and leaves the context as it is.
    pub fn noop() -> Self {
        Self { state: Recording::Off, kind: PhantomData }
    }

    #[inline]
    pub(crate) fn parts(&self) -> Option<(&Span, &Open)> {
        match &self.state {
            Recording::On(slot) => slot.parts(),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn parts_mut(&mut self) -> Option<(&mut Span, &mut Open)> {
        match &mut self.state {
            Recording::On(slot) => slot.parts_mut(),
            _ => None,
        }
    }

    /// [`Self::parts`] also of a span that is only measured.
    #[inline]
    pub(crate) fn kept(&self) -> Option<(&Span, &Open)> {
        match &self.state {
            Recording::On(slot) | Recording::Measured(slot) => slot.parts(),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn kept_mut(&mut self) -> Option<(&mut Span, &mut Open)> {
        match &mut self.state {
            Recording::On(slot) | Recording::Measured(slot) => slot.parts_mut(),
            _ => None,
        }
    }

    /// [`Self::kept`], if the trace is one that destinations see.
    pub(crate) fn seen(&self) -> Option<(&Span, &Open)> {
        self.kept().filter(|(_, open)| open.is_sampled())
    }

    #[inline]
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Span)) -> &mut Self {
        if let Some((span, _)) = self.parts_mut() {
            change(span);
        }
        self
    }

    #[inline]
    pub(crate) fn keep(&mut self, change: impl FnOnce(&mut Span)) -> &mut Self {
        if let Some((span, _)) = self.kept_mut() {
            change(span);
        }
        self
    }

    /// Whether nothing of the span goes anywhere, not even its ids.
    pub(crate) fn is_off(&self) -> bool {
        matches!(self.state, Recording::Off | Recording::Through(_))
    }

    /// Whether what is set here will be recorded.
    ///
    /// A span that is only measured says no, though its typed fields, its status and its error are kept.
    pub fn is_recording(&self) -> bool {
        self.parts().is_some()
    }

    /// The trace's id, sampled or not; `None` if no destination takes more than metrics.
    pub fn trace_id(&self) -> Option<TraceId> {
        match &self.state {
            Recording::Off | Recording::Through(_) => None,
            Recording::Unsampled(span) => Some(span.ids.get().0),
            Recording::On(_) | Recording::Measured(_) => self.kept().map(|(span, _)| span.trace_id),
        }
    }

    /// The span's id, sampled or not; `None` if no destination takes more than metrics.
    ///
    /// A hidden span has that of the span it is shown as.
    pub fn span_id(&self) -> Option<SpanId> {
        match &self.state {
            Recording::Off | Recording::Through(_) => None,
            Recording::Unsampled(span) => Some(span.ids.get().1),
            Recording::On(_) | Recording::Measured(_) => {
                self.kept().map(|(span, open)| open.shown_span_id(span))
            }
        }
    }

    /// What logs and exemplars carry.
    pub fn reference(&self) -> Option<SpanRef> {
        let (span, open) = self.seen()?;
        Some(SpanRef { trace_id: span.trace_id, span_id: Some(open.shown_span_id(span)) })
    }

    /// The time, if recording.
    pub(crate) fn now(&self) -> Option<Timestamp> {
        self.kept().map(|(span, open)| open.now(span))
    }

    /// The span's start, if recording.
    pub(crate) fn started(&self) -> Option<Timestamp> {
        self.kept().map(|(span, _)| span.start)
    }

    /// Ends the span now.
    #[inline]
    pub fn end(mut self) {
        self.finish(None);
    }

    /// Sets its output and ends it.
    pub fn end_with(mut self, output: impl Into<Payload>) {
        self.output(output);
        self.finish(None);
    }

    /// Ends the span at a time of the caller's; one before its start counts as its start.
    pub fn end_at(mut self, end: Timestamp) {
        self.finish(Some(end));
    }

    #[inline]
    pub(crate) fn finish(&mut self, end: Option<Timestamp>) {
        if matches!(self.state, Recording::On(_) | Recording::Measured(_)) {
            self.finish_open(end);
        }
    }

    fn finish_open(&mut self, end: Option<Timestamp>) {
        match std::mem::replace(&mut self.state, Recording::Off) {
            Recording::Off | Recording::Through(_) | Recording::Unsampled(_) => {}
            Recording::On(mut slot) => {
                close::<T>(&mut slot, end);
                slot.deliver();
                pool::give_back(slot);
            }
            Recording::Measured(mut slot) => {
                close::<T>(&mut slot, end);
                slot.deliver_unseen();
                pool::give_back(slot);
            }
        }
    }
}

impl<T: Kind> ActiveSpan<T> {
    /// Notes why the span is dropped instead of ended, if that is known.
    fn give_up(&mut self) {
        let panicking = std::thread::panicking();
        let Some((span, open)) = self.kept() else { return };
        // An error that was told says more than that there was a panic, too.
        if panicking && span.error.is_none() {
            self.fail_with(dropped_by_panic);
        } else if !panicking && open.awaited.load(Ordering::Relaxed) {
            self.attribute(CANCELLED, true);
        }
    }
}

/// Fills in what is known at the end.
#[inline]
fn close<T: Kind>(slot: &mut Slot, end: Option<Timestamp>) {
    if let Some((span, open)) = slot.parts_mut() {
        span.end = Some(end.unwrap_or_else(|| open.now(span)).max(span.start));
        span.judged = *open.judged.get_mut();
        if let Some(fields) = T::of(&mut span.span_type) {
            fields.settle(span.status == Status::Error);
            open.left_out.items =
                open.left_out.items.saturating_add(fields.cap(open.instance.limits().items));
        }
    }
}

impl<T: Kind> Drop for ActiveSpan<T> {
    #[inline]
    fn drop(&mut self) {
        if matches!(self.state, Recording::On(_) | Recording::Measured(_)) {
            self.give_up();
            self.finish(None);
        }
    }
}

impl<T: Kind> fmt::Debug for ActiveSpan<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActiveSpan")
            .field("type", &T::NAME)
            .field("trace_id", &self.trace_id())
            .field("span_id", &self.span_id())
            .field("recording", &self.is_recording())
            .finish()
    }
}
