//! Evaluation results, which OpenTelemetry carries as `gen_ai.evaluation.result` events.

use obs_core::{Attributes, Score, ScoreValue, Span, Str, Target, Timestamp, Value};
use uuid::Uuid;

use super::value::{name, number};
use crate::conventions::{self, Field};

/// The event's name.
pub(super) const EVENT: &str = "gen_ai.evaluation.result";

/// The namespace of ids that are made from what a score says, so that the same event makes the same score again.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f62_732d_6f74_6c70_8a65_7661_6c73_636f);

/// The evaluation of a target; `None` if the attributes name no measure or hold no result.
pub(super) fn read(time: Timestamp, target: Target, attributes: &Attributes) -> Option<Score> {
    let (mut measure, mut value, mut label, mut comment) = (None, None, None, None);
    let mut metadata = Attributes::new();
    for (key, attribute) in attributes.iter() {
        let filled = match conventions::lookup(key).map(|meaning| meaning.field) {
            Some(Field::EvaluationName) => fill(&mut measure, name(attribute)),
            Some(Field::EvaluationScore) => fill(&mut value, number(attribute)),
            Some(Field::EvaluationLabel) => fill(&mut label, name(attribute)),
            Some(Field::EvaluationExplanation) => fill(&mut comment, name(attribute)),
            _ => false,
        };
        if !filled {
            metadata.push(key.clone(), attribute.clone());
        }
    }
    let measure: Str = measure?;
    let value = match (value, label) {
        (Some(value), label) => {
            if let Some(label) = label {
                metadata.push("gen_ai.evaluation.score.label", Value::Str(label));
            }
            ScoreValue::numeric(value)
        }
        (None, Some(label)) => ScoreValue::Categorical(label),
        (None, None) => return None,
    };
    let id = id(time, &target, &measure, &value, comment.as_ref(), &metadata);
    let mut score = Score::new(id, time, target, measure, value);
    score.comment = comment;
    score.metadata = metadata;
    Some(score)
}

fn fill<T>(slot: &mut Option<T>, new: Option<T>) -> bool {
    let fits = new.is_some();
    if fits {
        *slot = new;
    }
    fits
}

/// A UUID made from everything the score says, with a separator that no part holds.
fn id(
    time: Timestamp,
    target: &Target,
    measure: &str,
    value: &ScoreValue,
    comment: Option<&Str>,
    metadata: &Attributes,
) -> Uuid {
    let parts = (time, target, measure, value, comment, metadata);
    Uuid::new_v5(&NAMESPACE, &serde_json::to_vec(&parts).unwrap_or_default())
}

/// Takes the evaluations out of a span's events; they are of that span.
pub(super) fn of_span(span: &mut Span) -> Vec<Score> {
    let target = Target::Span { trace_id: span.trace_id, span_id: span.span_id, root_span_id: None };
    let mut scores = Vec::new();
    span.events.retain(|event| {
        let score =
            (event.name == EVENT).then(|| read(event.time, target.clone(), &event.attributes)).flatten();
        let kept = score.is_none();
        scores.extend(score);
        kept
    });
    for score in &mut scores {
        score.context = span.context.clone();
        score.resource = span.resource.clone();
    }
    scores
}
