//! Scores and feedback as log records: the event `gen_ai.evaluation.result`, under the span that was judged.
//!
//! OpenTelemetry has names for what was measured, its number, its word and why.
//! The rest goes out under names of ours, `obs.evaluation.*`, so that the feature `ingest` reads the same record back.
//! Feedback is the same event, with `obs.evaluation.kind` = `feedback`.
//!
//! ```
//! use obs_core::{Score, SpanId, Target, Timestamp, TraceId};
//! use obs_otlp::encode::{Encoding, LogRequests, evaluation};
//!
//! let target = Target::Span {
//!     trace_id: TraceId::new(7).unwrap(),
//!     span_id: SpanId::new(9).unwrap(),
//!     root_span_id: None,
//! };
//! let score = Score::new("6ba7b810-9dad-11d1-80b4-00c04fd430c8".parse()?, Timestamp::from_nanos(5), target, "relevance", 0.75);
//! let mut requests = LogRequests::new(Encoding::Json, 512, 4 << 20);
//! evaluation::push_score(&mut requests, 0, &score);
//! let body = String::from_utf8(requests.finish().remove(0).body)?;
//! assert!(body.contains(r#""eventName":"gen_ai.evaluation.result""#));
//! assert!(body.contains(r#"{"key":"gen_ai.evaluation.score.value","value":{"doubleValue":0.75}}"#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use obs_core::{
    Attributes, Feedback, Level, Score, ScoreValue, Scorer, SpanRef, Str, Target, Timestamp, TraceContext,
    Value,
};

use super::genai::{self, names as n};
use super::{Fields, LogParts, LogRequests};
use crate::conventions::Convention::GenAi;
use crate::conventions::{self, Field, name};

/// The event's name.
pub const EVENT: &str = "gen_ai.evaluation.result";

const NAME: &str = name(GenAi, Field::EvaluationName);
const NUMBER: &str = name(GenAi, Field::EvaluationScore);
pub(crate) const LABEL: &str = name(GenAi, Field::EvaluationLabel);
const EXPLANATION: &str = name(GenAi, Field::EvaluationExplanation);

/// OpenTelemetry's attribute for the id of a log record.
pub(crate) const ID: &str = "log.record.uid";

/// What the names of ours begin with.
const OURS: &str = "obs.evaluation.";
pub(crate) const KIND: &str = "obs.evaluation.kind";
pub(crate) const FEEDBACK: &str = "feedback";
pub(crate) const TARGET: &str = "obs.evaluation.target";
pub(crate) const TRACE: &str = "trace";
pub(crate) const SESSION: &str = "session";
pub(crate) const EXPERIMENT_RUN: &str = "experiment_run";
pub(crate) const ROOT: &str = "obs.evaluation.target.root_span_id";
pub(crate) const TARGET_SESSION: &str = "obs.evaluation.target.session_id";
pub(crate) const TARGET_RUN: &str = "obs.evaluation.target.run_id";
/// What kind of value it is, where it is no number.
pub(crate) const VALUE_TYPE: &str = "obs.evaluation.value_type";
pub(crate) const BOOLEAN: &str = "boolean";
pub(crate) const CATEGORICAL: &str = "categorical";
pub(crate) const TEXT: &str = "text";
pub(crate) const RANGE_MIN: &str = "obs.evaluation.range.min";
pub(crate) const RANGE_MAX: &str = "obs.evaluation.range.max";
pub(crate) const SOURCE: &str = "obs.evaluation.source";
pub(crate) const SCORER_ID: &str = "obs.evaluation.scorer.id";
pub(crate) const SCORER_NAME: &str = "obs.evaluation.scorer.name";
pub(crate) const SCORER_VERSION: &str = "obs.evaluation.scorer.version";
pub(crate) const USER_ID: &str = "obs.evaluation.user_id";
pub(crate) const EXPERIMENT_ID: &str = "obs.evaluation.experiment_id";
/// What stands before a key of the metadata that means something else to readers.
pub(crate) const METADATA: &str = "obs.evaluation.metadata.";

/// Adds a score, which is the record at this position of its batch.
pub fn push_score(requests: &mut LogRequests, at: usize, score: &Score) {
    let parts = parts(score.time, &score.target);
    requests.push(at, &score.resource, &parts, |to| score_attributes(score, to));
}

/// Adds feedback, which is the record at this position of its batch.
pub fn push_feedback(requests: &mut LogRequests, at: usize, feedback: &Feedback) {
    let parts = parts(feedback.time, &feedback.target);
    requests.push(at, &feedback.resource, &parts, |to| feedback_attributes(feedback, to));
}

/// The event of a judgement: at the span that was judged, at the root of a trace if it is known, and outside of traces for a session or a run of an experiment.
pub fn parts(time: Timestamp, target: &Target) -> LogParts<'static> {
    let span_id = target.span_id().or_else(|| target.root_span_id());
    let span = target.trace_id().map(|trace_id| SpanRef { trace_id, span_id });
    LogParts { event_name: EVENT, span, ..LogParts::new(time, Level::Info) }
}

/// Puts all that a score says beside its time and place.
pub fn score_attributes(score: &Score, to: &mut Fields<'_>) {
    to.str(NAME, &score.name);
    value(&score.value, to);
    some(EXPLANATION, score.comment.as_ref(), to);
    to.display(ID, score.id);
    target(&score.target, &score.context, to);
    some(SOURCE, score.source.as_ref(), to);
    if let Some(Scorer { id, name, version }) = &score.scorer {
        some(SCORER_ID, id.as_ref(), to);
        some(SCORER_NAME, name.as_ref(), to);
        some(SCORER_VERSION, version.as_ref(), to);
    }
    some(EXPERIMENT_ID, score.experiment_id.as_ref(), to);
    metadata(&score.metadata, &score.value, to);
    genai::put_context(&score.context, to);
}

/// Puts all that feedback says beside its time and place; its kind is what was measured.
pub fn feedback_attributes(feedback: &Feedback, to: &mut Fields<'_>) {
    to.str(NAME, &feedback.kind);
    value(&feedback.value, to);
    some(EXPLANATION, feedback.comment.as_ref(), to);
    to.display(ID, feedback.id);
    to.str(KIND, FEEDBACK);
    target(&feedback.target, &feedback.context, to);
    some(SOURCE, feedback.source.as_ref(), to);
    some(USER_ID, feedback.user_id.as_ref(), to);
    some(EXPERIMENT_ID, feedback.experiment_id.as_ref(), to);
    metadata(&feedback.metadata, &feedback.value, to);
    genai::put_context(&feedback.context, to);
}

/// A number as such, yes and no as 1 and 0 and in words, words as the label.
fn value(value: &ScoreValue, to: &mut Fields<'_>) {
    match value {
        ScoreValue::Numeric { value, range } => {
            to.f64(NUMBER, *value);
            if let Some(range) = range {
                to.f64(RANGE_MIN, range.min);
                to.f64(RANGE_MAX, range.max);
            }
        }
        ScoreValue::Boolean(value) => {
            to.f64(NUMBER, f64::from(u8::from(*value)));
            to.str(LABEL, if *value { "true" } else { "false" });
            to.str(VALUE_TYPE, BOOLEAN);
        }
        ScoreValue::Categorical(word) => {
            to.str(LABEL, word);
            to.str(VALUE_TYPE, CATEGORICAL);
        }
        ScoreValue::Text(words) => {
            to.str(LABEL, words);
            to.str(VALUE_TYPE, TEXT);
        }
    }
}

/// What the ids of the record do not say of the target.
///
/// What is said of a session is found under `session.id`, as everything else of it.
fn target(target: &Target, context: &TraceContext, to: &mut Fields<'_>) {
    match target {
        Target::Span { root_span_id, .. } => {
            if let Some(root) = root_span_id {
                to.display(ROOT, root);
            }
        }
        Target::Trace { .. } => to.str(TARGET, TRACE),
        Target::Session { session_id } => {
            to.str(TARGET, SESSION);
            to.str(TARGET_SESSION, session_id);
            if context.session_id.as_ref().is_none_or(|session_id| session_id.is_empty()) {
                some(n::SESSION_ID, Some(session_id), to);
            }
        }
        Target::ExperimentRun { run_id } => {
            to.str(TARGET, EXPERIMENT_RUN);
            to.str(TARGET_RUN, run_id);
        }
    }
}

/// The metadata under its own keys; one that means something else to readers goes out behind a prefix.
fn metadata(metadata: &Attributes, of: &ScoreValue, to: &mut Fields<'_>) {
    for (key, value) in metadata.iter() {
        if is_free(key, value, of) {
            to.value(key, value);
        } else {
            to.value(&format!("{METADATA}{key}"), value);
        }
    }
}

/// Whether readers take the pair for nothing but what it is: metadata of an evaluation.
fn is_free(key: &str, value: &Value, of: &ScoreValue) -> bool {
    if key == ID || key.starts_with(OURS) {
        return false;
    }
    match conventions::lookup(key).map(|meaning| meaning.field) {
        // A word beside a number, as others have it, is read as metadata.
        Some(Field::EvaluationLabel) => {
            key == LABEL
                && matches!(of, ScoreValue::Numeric { .. })
                && value.as_str().is_some_and(|word| !word.is_empty())
        }
        Some(
            Field::RunId
            | Field::EventName
            | Field::LogAttribute
            | Field::LogTraceId
            | Field::LogSpanId
            | Field::EvaluationName
            | Field::EvaluationScore
            | Field::EvaluationExplanation,
        ) => false,
        Some(field) => !(Field::TraceName..=Field::MetadataKey).contains(&field),
        None => !key.starts_with(n::LOG_DATA),
    }
}

/// Text that is there and not empty: to readers of OTLP the empty text is none.
fn some(key: &str, text: Option<&Str>, to: &mut Fields<'_>) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        to.str(key, text);
    }
}
