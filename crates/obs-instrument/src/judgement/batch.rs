//! Many judgements at once.

use std::collections::HashMap;
use std::sync::Arc;

use obs_core::{Feedback, Score, ScoreValue, Signal, Str, Target, TraceId};

use crate::ids;
use crate::observability::Instance;
use crate::reading::Judgement;
use crate::trace::TraceHandle;

macro_rules! one {
    ($name:ident, $record:ident) => {
        pub(crate) fn $name(instance: &Instance, target: Target, of: Str, value: ScoreValue) -> $record {
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

pub(crate) fn scores(instance: &Arc<Instance>, scores: impl IntoIterator<Item = Score>) {
    if instance.intake().wants().contains(Signal::Scores) {
        record(instance, scores.into_iter().map(Judgement::Score));
    }
}

pub(crate) fn feedbacks(instance: &Arc<Instance>, feedback: impl IntoIterator<Item = Feedback>) {
    if instance.intake().wants().contains(Signal::Feedback) {
        record(instance, feedback.into_iter().map(Judgement::Feedback));
    }
}

fn record(instance: &Arc<Instance>, judgements: impl Iterator<Item = Judgement>) {
    let mut traces: HashMap<TraceId, TraceHandle> = HashMap::new();
    for judgement in judgements {
        let target = judgement.target();
        match target.trace_id().filter(|_| target.root_span_id().is_none() && instance.reader().is_some()) {
            Some(id) => traces.entry(id).or_insert_with(|| TraceHandle::new(instance, id)).take(judgement),
            None => judgement.record(instance.intake()),
        }
    }
}
