//! Judgements through an instance: one by one, many at once, and of a trace after the fact.

use std::collections::HashMap;
use std::sync::Arc;

use obs_core::{Feedback, Score, ScoreValue, Signal, Str, Target, TraceId};

use super::{FeedbackBuilder, ScoreBuilder};
use crate::instance::Instance;
use crate::reading::Judgement;
use crate::trace::TraceHandle;
use crate::{Observability, ids};

impl Observability {
    /// A score of any target, of a trace that ended long ago for one; it is recorded when the builder is dropped.
    ///
    /// With a [reader](crate::ObservabilityBuilder::reader), one of a trace whose root is not told waits for it, as those of
    /// [`Self::trace`] do.
    pub fn score(&self, target: Target, name: impl Into<Str>, value: impl Into<ScoreValue>) -> ScoreBuilder {
        let instance = self.instance();
        if let Some(trace) = unread(instance, &target) {
            return trace.judge_score(target, name.into(), value.into());
        }
        let (context, resource) = (instance.trace_context(), instance.resource());
        ScoreBuilder::within(instance.intake(), target, name, value, context, resource)
    }

    /// Feedback on any target; it is recorded when the builder is dropped. As [`Self::score`].
    pub fn feedback(
        &self,
        target: Target,
        kind: impl Into<Str>,
        value: impl Into<ScoreValue>,
    ) -> FeedbackBuilder {
        let instance = self.instance();
        if let Some(trace) = unread(instance, &target) {
            return trace.judge_feedback(target, kind.into(), value.into());
        }
        let (context, resource) = (instance.trace_context(), instance.resource());
        FeedbackBuilder::within(instance.intake(), target, kind, value, context, resource)
    }

    /// A trace that was recorded before, here or in another process: to read it back, and to judge it.
    pub fn trace(&self, id: TraceId) -> TraceHandle {
        TraceHandle::new(self.instance(), id)
    }

    /// A score to be recorded with others by [`Self::scores`]: with an id, the time and what is known of this instance.
    pub fn new_score(&self, target: Target, name: impl Into<Str>, value: impl Into<ScoreValue>) -> Score {
        score(self.instance(), target, name.into(), value.into())
    }

    /// Feedback to be recorded with other by [`Self::feedback_batch`].
    pub fn new_feedback(
        &self,
        target: Target,
        kind: impl Into<Str>,
        value: impl Into<ScoreValue>,
    ) -> Feedback {
        feedback(self.instance(), target, kind.into(), value.into())
    }

    /// Records scores, such as those of a run of an evaluation.
    ///
    /// With a [reader](crate::ObservabilityBuilder::reader), those of traces whose root they do not know wait for it, as
    /// those of [`Self::trace`] do; each trace is read once.
    pub fn scores(&self, scores: impl IntoIterator<Item = Score>) {
        if self.instance().intake().wants().contains(Signal::Scores) {
            record(self.instance(), scores.into_iter().map(Judgement::Score));
        }
    }

    /// Records feedback; as [`Self::scores`].
    pub fn feedback_batch(&self, feedback: impl IntoIterator<Item = Feedback>) {
        if self.instance().intake().wants().contains(Signal::Feedback) {
            record(self.instance(), feedback.into_iter().map(Judgement::Feedback));
        }
    }
}

macro_rules! one {
    ($name:ident, $record:ident) => {
        fn $name(instance: &Instance, target: Target, of: Str, value: ScoreValue) -> $record {
            let time = instance.clock().now();
            let mut record = $record::new(ids::record_id(time), time, target, of, value);
            record.context = Arc::clone(instance.trace_context());
            record.resource = Arc::clone(instance.resource());
            record.experiment_id.clone_from(&record.context.experiment_id);
            record
        }
    };
}

one!(score, Score);
one!(feedback, Feedback);

/// The trace of a target, if it is to be read for its root.
fn unread(instance: &Arc<Instance>, target: &Target) -> Option<TraceHandle> {
    let id = target.trace_id().filter(|_| target.root_span_id().is_none())?;
    instance.reader().is_some().then(|| TraceHandle::new(instance, id))
}

fn record(instance: &Arc<Instance>, judgements: impl Iterator<Item = Judgement>) {
    let mut traces: HashMap<TraceId, TraceHandle> = HashMap::new();
    for judgement in judgements {
        match unread(instance, judgement.target()) {
            Some(trace) => traces.entry(trace.trace_id()).or_insert(trace).take(judgement),
            None => judgement.record(instance.intake()),
        }
    }
}
