//! Scores and feedback.

use obs_core::{Batch, Feedback, Score, ScoreValue, Scorer, Signal, Str, Target};
use obs_testkit::fixtures;
use serde_json::{Value, json};

use super::{Field, hold, hold_attributes, hold_correlation, or_null, time};
use crate::server::sent;

fn scorer(score: &Score, read: fn(Scorer) -> Option<Str>) -> Option<Str> {
    score.scorer.clone().and_then(read)
}

fn session(target: &Target, known: Option<&Str>) -> Value {
    match target {
        Target::Session { session_id } => json!(session_id),
        _ => or_null(known),
    }
}

fn run(target: &Target) -> Value {
    match target {
        Target::ExperimentRun { run_id } => json!(run_id),
        _ => Value::Null,
    }
}

/// What a score has wherever it goes.
const JUDGED: &[Field<Score>] = &[
    ("time", "/timestamp", |score| time(score.time)),
    ("trace", "/traceId", |score| or_null(score.target.trace_id())),
    ("span", "/spanId", |score| or_null(score.target.span_id())),
    ("experiment", "/experimentId", |score| {
        or_null(score.experiment_id.as_ref().or(score.context.experiment_id.as_ref()))
    }),
    ("session", "/correlationContext/sessionId", |score| {
        session(&score.target, score.context.session_id.as_ref())
    }),
    ("run", "/correlationContext/runId", |score| run(&score.target)),
];

const SCORE: &[Field<Score>] = &[
    ("id", "/scoreId", |score| json!(score.id)),
    ("scorer", "/scorerId", |score| {
        json!(scorer(score, |scorer| scorer.id).unwrap_or_else(|| score.name.clone()))
    }),
    ("scorer's name", "/scorerName", |score| {
        json!(scorer(score, |scorer| scorer.name).unwrap_or_else(|| score.name.clone()))
    }),
    ("scorer's version", "/scorerVersion", |score| or_null(scorer(score, |scorer| scorer.version))),
    ("what was measured", "/metadata/name", |score| json!(score.name)),
    ("source", "/scoreSource", |score| or_null(score.source.clone())),
    ("number", "/score", |score| json!(score.value.as_f64())),
    ("why", "/reason", |score| or_null(score.comment.clone())),
    ("range", "/metadata/range", |score| match &score.value {
        ScoreValue::Numeric { range, .. } => or_null(range.as_ref()),
        _ => Value::Null,
    }),
];

const WORDS: &[Field<Score>] = &[
    ("id", "/feedbackId", |score| json!(score.id)),
    ("what was measured", "/feedbackType", |score| json!(score.name)),
    ("who", "/feedbackSource", |_| json!("scorer")),
    ("scorer", "/sourceId", |score| or_null(scorer(score, |scorer| scorer.id))),
    ("scorer whole", "/metadata/scorer", |score| or_null(score.scorer.clone())),
    ("source", "/metadata/source", |score| or_null(score.source.clone())),
    ("words", "/value", |score| words(&score.value)),
    ("why", "/comment", |score| or_null(score.comment.clone())),
];

fn words(value: &ScoreValue) -> Value {
    match value {
        ScoreValue::Categorical(words) | ScoreValue::Text(words) => json!(words),
        ScoreValue::Boolean(value) => json!(u8::from(*value)),
        ScoreValue::Numeric { value, .. } => json!(value),
    }
}

const FEEDBACK: &[Field<Feedback>] = &[
    ("id", "/feedbackId", |feedback| json!(feedback.id)),
    ("time", "/timestamp", |feedback| time(feedback.time)),
    ("trace", "/traceId", |feedback| or_null(feedback.target.trace_id())),
    ("span", "/spanId", |feedback| or_null(feedback.target.span_id())),
    ("kind", "/feedbackType", |feedback| json!(feedback.kind)),
    ("where", "/feedbackSource", |feedback| or_null(feedback.source.clone())),
    ("who", "/feedbackUserId", |feedback| or_null(feedback.user_id.clone())),
    ("value", "/value", |feedback| words(&feedback.value)),
    ("words", "/comment", |feedback| or_null(feedback.comment.clone())),
    ("experiment", "/experimentId", |feedback| {
        or_null(feedback.experiment_id.as_ref().or(feedback.context.experiment_id.as_ref()))
    }),
    ("session", "/correlationContext/sessionId", |feedback| {
        session(&feedback.target, feedback.context.session_id.as_ref())
    }),
    ("run", "/correlationContext/runId", |feedback| run(&feedback.target)),
];

fn is_told(value: &ScoreValue) -> bool {
    value.as_f64().is_none_or(f64::is_finite)
}

#[tokio::test]
async fn every_item_says_what_its_score_says() {
    let batches = [
        fixtures::batch(Signal::Scores),
        fixtures::nasty(Signal::Scores),
        fixtures::trace_batches().swap_remove(2),
    ];
    for batch in batches {
        let Batch::Scores(records) = batch.clone() else { panic!("no scores") };
        let sent = sent(batch).await;
        let told = records.iter().filter(|score| is_told(&score.value));
        let (numbers, words): (Vec<&Score>, Vec<&Score>) =
            told.partition(|score| score.value.as_f64().is_some());
        let of = |route: &str| {
            sent.items.iter().filter(|(at, _)| at == route).map(|(_, item)| item).collect::<Vec<_>>()
        };
        let (scores, feedback) = (of("scores"), of("feedback"));
        assert_eq!((scores.len(), feedback.len()), (numbers.len(), words.len()));
        for (table, items, records) in [(SCORE, scores, numbers), (WORDS, feedback, words)] {
            for (item, score) in items.into_iter().zip(records) {
                hold(JUDGED, score, item);
                hold(table, score, item);
                hold_correlation(&score.context, &score.resource, item);
                hold_attributes(&score.metadata, "attributes", item);
            }
        }
    }
}

#[tokio::test]
async fn every_item_says_what_its_feedback_says() {
    let batches = [
        fixtures::batch(Signal::Feedback),
        fixtures::nasty(Signal::Feedback),
        fixtures::trace_batches().swap_remove(3),
    ];
    for batch in batches {
        let Batch::Feedback(records) = batch.clone() else { panic!("no feedback") };
        let sent = sent(batch).await;
        let told: Vec<_> = records.iter().filter(|feedback| is_told(&feedback.value)).collect();
        assert_eq!(sent.items.len(), told.len());
        for ((_, item), feedback) in sent.items.iter().zip(told) {
            hold(FEEDBACK, feedback, item);
            hold_correlation(&feedback.context, &feedback.resource, item);
            hold_attributes(&feedback.metadata, "attributes", item);
        }
    }
}
