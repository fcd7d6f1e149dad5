//! Where the fields of scores and feedback stand.

use obs_core::{Feedback, Score, ScoreValue, Value as Attribute};
use serde_json::{Value, json};

use super::of_record::{corrects, data_type, run_of, session_of, stamp, text, trace_of, value};

/// What it is, where it stands in the body, and how it is read off the record.
pub(super) type Judged<T> = (&'static str, &'static str, fn(&T) -> Value);

pub(super) const SCORES: &[Judged<Score>] = &[
    ("id", "/id", |score| score.id.to_string().into()),
    ("time", "/timestamp", |score| stamp(score.time.as_nanos())),
    ("trace", "/traceId", |score| trace_of(&score.target)),
    ("observation", "/observationId", |score| {
        text(score.target.span_id().map(|id| id.to_string()).as_deref())
    }),
    ("session", "/sessionId", |score| session_of(&score.target)),
    ("dataset run", "/datasetRunId", |score| run_of(&score.target)),
    ("name", "/name", |score| score.name.as_str().into()),
    ("type", "/dataType", |score| data_type(&score.value).into()),
    ("value", "/value", |score| value(&score.value)),
    ("comment", "/comment", |score| text(score.comment.as_deref())),
    ("environment", "/environment", |score| text(score.context.environment.as_deref())),
    ("scorer", "/metadata/scorerId", |score| {
        text(score.scorer.as_ref().and_then(|scorer| scorer.id.as_deref()))
    }),
    ("scorer's name", "/metadata/scorerName", |score| {
        text(score.scorer.as_ref().and_then(|scorer| scorer.name.as_deref()))
    }),
    ("source", "/metadata/source", |score| text(score.source.as_deref())),
    ("experiment", "/metadata/experimentId", |score| text(score.experiment_id.as_deref())),
    ("range", "/metadata/range", |score| match &score.value {
        ScoreValue::Numeric { range: Some(range), .. } => json!({ "min": range.min, "max": range.max }),
        _ => Value::Null,
    }),
    ("judge", "/metadata/judge", |score| text(score.metadata.get("judge").and_then(Attribute::as_str))),
];

pub(super) const FEEDBACK: &[Judged<Feedback>] = &[
    ("id", "/id", |feedback| feedback.id.to_string().into()),
    ("time", "/timestamp", |feedback| stamp(feedback.time.as_nanos())),
    ("observation", "/observationId", |feedback| {
        text(feedback.target.span_id().map(|id| id.to_string()).as_deref())
    }),
    ("environment", "/environment", |feedback| text(feedback.context.environment.as_deref())),
    ("experiment", "/metadata/experimentId", |feedback| text(feedback.experiment_id.as_deref())),
    ("trace", "/traceId", |feedback| trace_of(&feedback.target)),
    ("session", "/sessionId", |feedback| session_of(&feedback.target)),
    ("dataset run", "/datasetRunId", |feedback| run_of(&feedback.target)),
    ("name", "/name", |feedback| {
        if corrects(feedback) { "output".into() } else { format!("feedback_{}", feedback.kind).into() }
    }),
    ("type", "/dataType", |feedback| {
        if corrects(feedback) { "CORRECTION" } else { data_type(&feedback.value) }.into()
    }),
    ("value", "/value", |feedback| value(&feedback.value)),
    ("comment", "/comment", |feedback| text(feedback.comment.as_deref())),
    ("user", "/metadata/userId", |feedback| text(feedback.user_id.as_deref())),
    ("source", "/metadata/source", |feedback| text(feedback.source.as_deref())),
];
