//! Logs, scores and feedback on a span while it is open.

use obs_core::{Level, ScoreValue, Span, Str, Target};

use crate::begin::Recording;
use crate::judgement::{FeedbackBuilder, ScoreBuilder};
use crate::logger::LogBuilder;
use crate::open::Open;
use crate::{ActiveSpan, Kind};

impl<T: Kind> ActiveSpan<T> {
    /// The target of a score or feedback on this span.
    pub fn target(&self) -> Option<Target> {
        self.seen().map(|(span, open)| Target::Span {
            trace_id: span.trace_id,
            span_id: open.shown_span_id(span),
            root_span_id: open.root_span_id(span),
        })
    }

    /// The target of a score or feedback on the whole trace.
    pub fn trace_target(&self) -> Option<Target> {
        self.seen().map(|(span, open)| Target::Trace {
            trace_id: span.trace_id,
            root_span_id: open.root_span_id(span),
        })
    }

    /// A log record under this span; it is recorded when the builder is dropped.
    pub fn log(&self, level: Level, message: impl Into<Str>) -> LogBuilder<'_> {
        match &self.state {
            Recording::Off | Recording::Through(_) => LogBuilder::noop(),
            Recording::Unsampled(span) => LogBuilder::of_unsampled(&span.context(), level, message),
            Recording::On(slot) | Recording::Measured(slot) => match slot.parts() {
                Some((span, open)) if open.instance.takes_log(level) => {
                    LogBuilder::new(&open.instance, &span.resource, level, || message, &open.context(span))
                }
                _ => LogBuilder::noop(),
            },
        }
    }

    /// A score of this span; it is recorded when the builder is dropped.
    pub fn score(&self, name: impl Into<Str>, value: impl Into<ScoreValue>) -> ScoreBuilder {
        self.judge(self.target(), |span, open, target| {
            open.judge();
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
            open.judge();
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
        self.seen().zip(target).map(|((span, open), target)| make(span, open, target)).unwrap_or_default()
    }
}
