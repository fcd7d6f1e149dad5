//! Arbitrary scores and feedback.

use obs_core::{Feedback, Range, Score, ScoreValue, Scorer, Target};
use proptest::option::of;
use proptest::prelude::*;
use uuid::Uuid;

use super::shared::{
    attributes, context, number, optional_texts, resource, span_id, text, timestamp, trace_id,
};

/// Any target.
pub fn target() -> BoxedStrategy<Target> {
    prop_oneof![
        (trace_id(), span_id(), of(span_id())).prop_map(|(trace_id, span_id, root_span_id)| Target::Span {
            trace_id,
            span_id,
            root_span_id,
        }),
        (trace_id(), of(span_id()))
            .prop_map(|(trace_id, root_span_id)| Target::Trace { trace_id, root_span_id }),
        text().prop_map(|session_id| Target::Session { session_id }),
        text().prop_map(|run_id| Target::ExperimentRun { run_id }),
    ]
    .boxed()
}

/// Any value of a score or feedback.
pub fn score_value() -> BoxedStrategy<ScoreValue> {
    let range = (number(), number()).prop_map(|(min, max)| Range { min, max });
    prop_oneof![
        (number(), of(range)).prop_map(|(value, range)| ScoreValue::Numeric { value, range }),
        any::<bool>().prop_map(ScoreValue::Boolean),
        text().prop_map(ScoreValue::Categorical),
        text().prop_map(ScoreValue::Text),
    ]
    .boxed()
}

prop_compose! {
    /// Any score.
    pub fn score()(
        id in any::<u128>(),
        time in timestamp(),
        target in target(),
        name in text(),
        value in score_value(),
        [comment, source, experiment_id] in optional_texts::<3>(),
        scorer in of(optional_texts::<3>()),
        metadata in attributes(),
        context in context(),
        resource in resource(),
    ) -> Score {
        let scorer = scorer.map(|[id, name, version]| Scorer { id, name, version });
        let id = Uuid::from_u128(id);
        Score { id, time, target, name, value, comment, source, scorer, experiment_id, metadata, context, resource }
    }
}

prop_compose! {
    /// Any feedback.
    pub fn feedback()(
        id in any::<u128>(),
        time in timestamp(),
        target in target(),
        kind in text(),
        value in score_value(),
        [comment, source, user_id, experiment_id] in optional_texts::<4>(),
        metadata in attributes(),
        context in context(),
        resource in resource(),
    ) -> Feedback {
        let id = Uuid::from_u128(id);
        Feedback { id, time, target, kind, value, comment, source, user_id, experiment_id, metadata, context, resource }
    }
}
