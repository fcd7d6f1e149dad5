//! Spans under way.

use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use obs_core::{
    Attributes, ErrorInfo, Event, Level, Link, Payload, ScoreValue, Span, SpanId, SpanKind, SpanRef, Status,
    Str, Target, Timestamp, TraceContext, TraceId, Value,
};

use crate::context::Context;
use crate::judgement::{FeedbackBuilder, ScoreBuilder};
use crate::logger::LogBuilder;
use crate::observability::Instance;
use crate::open::{Open, Recording, begin};
use crate::{FutureExt, Generic, Kind, ids, pool};

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
        parent: Context,
        fields: impl FnOnce() -> T,
    ) -> Self {
        let state =
            if instance.has_spans() { begin(instance, name.into(), parent, fields) } else { Recording::Off };
        Self { state, kind: PhantomData }
    }

    /// A span that records nothing.
    pub fn noop() -> Self {
        Self { state: Recording::Off, kind: PhantomData }
    }

    #[inline]
    pub(crate) fn parts(&self) -> Option<(&Span, &Open)> {
        match &self.state {
            Recording::On(slot) => slot.parts(),
            Recording::Off | Recording::Unsampled(_) => None,
        }
    }

    #[inline]
    fn parts_mut(&mut self) -> Option<(&mut Span, &mut Open)> {
        match &mut self.state {
            Recording::On(slot) => slot.parts_mut(),
            Recording::Off | Recording::Unsampled(_) => None,
        }
    }

    #[inline]
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Span)) -> &mut Self {
        if let Some((span, _)) = self.parts_mut() {
            change(span);
        }
        self
    }

    /// Whether what is set here will be recorded.
    pub fn is_recording(&self) -> bool {
        self.parts().is_some()
    }

    /// The trace's id, sampled or not; `None` if no destination takes more than metrics.
    pub fn trace_id(&self) -> Option<TraceId> {
        match &self.state {
            Recording::Off => None,
            Recording::Unsampled(span) => Some(span.ids.get().0),
            Recording::On(_) => self.parts().map(|(span, _)| span.trace_id),
        }
    }

    /// The span's id, sampled or not; `None` if no destination takes more than metrics.
    pub fn span_id(&self) -> Option<SpanId> {
        match &self.state {
            Recording::Off => None,
            Recording::Unsampled(span) => Some(span.ids.get().1),
            Recording::On(_) => self.parts().map(|(span, _)| span.span_id),
        }
    }

    /// What logs and exemplars carry.
    pub fn reference(&self) -> Option<SpanRef> {
        self.parts().map(|(span, _)| span.reference())
    }

    /// The context under which children, logs and scores attach to this span.
    pub fn context(&self) -> Context {
        match &self.state {
            Recording::Off => Context::NONE,
            Recording::Unsampled(span) => span.context(),
            Recording::On(_) => self.parts().map_or(Context::NONE, |(span, open)| open.context(span)),
        }
    }

    /// Makes this the thread's current span until the guard is dropped; for futures use [`FutureExt`].
    #[must_use = "the span is left when the guard is dropped"]
    pub fn enter(&self) -> crate::Entered {
        self.context().enter()
    }

    /// Runs a function with this as the current span.
    pub fn scope<R>(&self, run: impl FnOnce() -> R) -> R {
        self.context().scope(run)
    }

    /// Awaits a future with this as the current span, then ends it: failed if the result is an error.
    ///
    /// # Errors
    /// What the future returns.
    pub async fn run<R, E: fmt::Display>(
        mut self,
        future: impl Future<Output = Result<R, E>>,
    ) -> Result<R, E> {
        let result = future.with_context(self.context()).await;
        if let Err(error) = &result {
            self.fail_with(|| ErrorInfo::message(error.to_string()));
        }
        self.end();
        result
    }

    /// Sets typed fields; not called when not recording.
    #[inline]
    pub fn fields(&mut self, set: impl FnOnce(&mut T)) -> &mut Self {
        self.change(|span| {
            if let Some(fields) = T::of(&mut span.span_type) {
                set(fields);
            }
        })
    }

    /// What the span was given.
    #[inline]
    pub fn input(&mut self, input: impl Into<Payload>) -> &mut Self {
        self.change(|span| span.input = Some(input.into()))
    }

    /// What the span was given; not called when not recording.
    #[inline]
    pub fn input_with<P: Into<Payload>>(&mut self, input: impl FnOnce() -> P) -> &mut Self {
        self.change(|span| span.input = Some(input().into()))
    }

    /// What the span gave back.
    #[inline]
    pub fn output(&mut self, output: impl Into<Payload>) -> &mut Self {
        self.change(|span| span.output = Some(output.into()))
    }

    /// What the span gave back; not called when not recording.
    #[inline]
    pub fn output_with<P: Into<Payload>>(&mut self, output: impl FnOnce() -> P) -> &mut Self {
        self.change(|span| span.output = Some(output().into()))
    }

    /// Adds an attribute, replacing one of the same key.
    pub fn attribute(&mut self, key: impl Into<Str>, value: impl Into<Value>) -> &mut Self {
        self.change(|span| span.attributes.insert(key, value))
    }

    /// Adds attributes; not called when not recording.
    pub fn attributes(&mut self, set: impl FnOnce(&mut Attributes)) -> &mut Self {
        self.change(|span| set(&mut span.attributes))
    }

    /// Notes that something happened now.
    pub fn event(&mut self, name: impl Into<Str>, attributes: Attributes) -> &mut Self {
        let Some(time) = self.now() else { return self };
        self.change(|span| span.events.push(Event { time, name: name.into(), attributes }))
    }

    /// Relates this span to another one.
    pub fn link(&mut self, trace_id: TraceId, span_id: SpanId, attributes: Attributes) -> &mut Self {
        self.change(|span| span.links.push(Link { trace_id, span_id, trace_state: None, attributes }))
    }

    /// Gives the span another name.
    pub fn rename(&mut self, name: impl Into<Str>) -> &mut Self {
        self.change(|span| span.name = name.into())
    }

    /// The span's role in a call between services, where it differs from its type's usual one.
    pub fn kind(&mut self, kind: SpanKind) -> &mut Self {
        self.change(|span| span.kind = kind)
    }

    /// Changes what is known of the whole trace: for this span, and for what is started under it from now on.
    ///
    /// Call it before children are started.
    pub fn trace(&mut self, change: impl FnOnce(&mut TraceContext)) -> &mut Self {
        if let Some((span, open)) = self.parts_mut() {
            change(Arc::make_mut(&mut span.context));
            open.renew_node();
        }
        self
    }

    /// Declares the span fine.
    pub fn ok(&mut self) -> &mut Self {
        self.change(|span| span.status = Status::Ok)
    }

    /// Records an error with its type, message and sources; the span goes on until it ends.
    ///
    /// Ancestors that fail with the same error share its `error_id`.
    pub fn fail<E: Error + ?Sized>(&mut self, error: &E) -> &mut Self {
        self.fail_with(|| ErrorInfo::of(error))
    }

    /// Records an error described by hand; not called when not recording.
    pub fn fail_with(&mut self, error: impl FnOnce() -> ErrorInfo) -> &mut Self {
        if let Some((span, open)) = self.parts_mut() {
            let mut error = error();
            let known = || open.known_node().and_then(|node| node.known_error(&error));
            let id = error.error_id.or_else(known).unwrap_or_else(|| ids::record_id(open.now(span)));
            error.error_id = Some(id);
            if let Some(parent) = &open.parent {
                parent.child_failed(&error.message, id);
            }
            span.status = Status::Error;
            span.error = Some(Box::new(error));
        }
        self
    }

    /// The target of a score or feedback on this span.
    pub fn target(&self) -> Option<Target> {
        self.parts().map(|(span, open)| Target::Span {
            trace_id: span.trace_id,
            span_id: span.span_id,
            root_span_id: open.root_span_id(span),
        })
    }

    /// The target of a score or feedback on the whole trace.
    pub fn trace_target(&self) -> Option<Target> {
        self.parts().map(|(span, open)| Target::Trace {
            trace_id: span.trace_id,
            root_span_id: open.root_span_id(span),
        })
    }

    /// A log record under this span; it is recorded when the builder is dropped.
    pub fn log(&self, level: Level, message: impl Into<Str>) -> LogBuilder<'_> {
        match self.parts() {
            Some((span, open)) => {
                LogBuilder::new(open.intake(), level, message, &self.context(), &span.context, &span.resource)
            }
            None => LogBuilder::noop(),
        }
    }

    /// A score of this span; it is recorded when the builder is dropped.
    pub fn score(&self, name: impl Into<Str>, value: impl Into<ScoreValue>) -> ScoreBuilder {
        self.judge(self.target(), |span, open, target| {
            open.judged.store(true, Ordering::Relaxed);
            ScoreBuilder::new(open.intake(), target, name, value, span)
        })
    }

    /// A score of the whole trace; it is recorded when the builder is dropped.
    pub fn score_trace(&self, name: impl Into<Str>, value: impl Into<ScoreValue>) -> ScoreBuilder {
        self.judge(self.trace_target(), |span, open, target| {
            ScoreBuilder::new(open.intake(), target, name, value, span)
        })
    }

    /// Feedback on this span; it is recorded when the builder is dropped.
    pub fn feedback(&self, kind: impl Into<Str>, value: impl Into<ScoreValue>) -> FeedbackBuilder {
        self.judge(self.target(), |span, open, target| {
            open.judged.store(true, Ordering::Relaxed);
            FeedbackBuilder::new(open.intake(), target, kind, value, span)
        })
    }

    /// Feedback on the whole trace; it is recorded when the builder is dropped.
    pub fn feedback_trace(&self, kind: impl Into<Str>, value: impl Into<ScoreValue>) -> FeedbackBuilder {
        self.judge(self.trace_target(), |span, open, target| {
            FeedbackBuilder::new(open.intake(), target, kind, value, span)
        })
    }

    fn judge<B: Default>(&self, target: Option<Target>, make: impl FnOnce(&Span, &Open, Target) -> B) -> B {
        self.parts().zip(target).map(|((span, open), target)| make(span, open, target)).unwrap_or_default()
    }

    /// The time, if recording.
    pub(crate) fn now(&self) -> Option<Timestamp> {
        self.parts().map(|(span, open)| open.now(span))
    }

    /// The span's start, if recording.
    pub(crate) fn started(&self) -> Option<Timestamp> {
        self.parts().map(|(span, _)| span.start)
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
    fn finish(&mut self, end: Option<Timestamp>) {
        let Recording::On(mut slot) = std::mem::replace(&mut self.state, Recording::Off) else { return };
        if let Some((span, open)) = slot.parts_mut() {
            span.end = Some(end.unwrap_or_else(|| open.now(span)).max(span.start));
            span.judged = *open.judged.get_mut();
            if let Some(fields) = T::of(&mut span.span_type) {
                fields.settle(span.status == Status::Error);
            }
        }
        slot.deliver();
        pool::give_back(slot);
    }
}

impl<T: Kind> Drop for ActiveSpan<T> {
    #[inline]
    fn drop(&mut self) {
        if matches!(self.state, Recording::On(_)) {
            if std::thread::panicking() {
                self.fail_with(|| ErrorInfo {
                    error_type: Some("panic".into()),
                    ..ErrorInfo::message("the thread panicked while the span was open")
                });
            }
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
