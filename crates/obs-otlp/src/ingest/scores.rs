//! Evaluation results, which OpenTelemetry carries as `gen_ai.evaluation.result` events.

use obs_core::{
    Attributes, Feedback, Log, Record, Score, ScoreValue, Scorer, Span, Str, Target, Timestamp, Value,
};
use uuid::Uuid;

use super::judgement::Own;

use super::value::{name, number};
use crate::conventions::{self, Field};
use crate::encode::evaluation as own;

/// The namespace of ids that are made from what a score says, so that the same event makes the same score again.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f62_732d_6f74_6c70_8a65_7661_6c73_636f);

/// What an event of an evaluation says; nothing, if it names no measure or holds no result.
struct Judgement {
    id: Uuid,
    measure: Str,
    value: ScoreValue,
    comment: Option<Str>,
    metadata: Attributes,
}

/// The evaluation of a target; `None` if the attributes name no measure or hold no result.
pub(super) fn read(time: Timestamp, target: Target, attributes: &Attributes) -> Option<Score> {
    let judgement = judgement(time, &target, attributes, None)?;
    let mut score = Score::new(judgement.id, time, target, judgement.measure, judgement.value);
    score.comment = judgement.comment;
    score.metadata = judgement.metadata;
    Some(score)
}

/// Reads the result; what our own writer says of it besides comes first, and its id is kept.
fn judgement(
    time: Timestamp,
    target: &Target,
    attributes: &Attributes,
    own: Option<&Own>,
) -> Option<Judgement> {
    let (mut measure, mut value, mut label, mut comment) = (None, None, None, None);
    let mut metadata = Attributes::new();
    for (key, attribute) in attributes.iter() {
        let filled = match conventions::lookup(key).map(|meaning| meaning.field) {
            Some(Field::EvaluationName) => fill(&mut measure, name(attribute)),
            Some(Field::EvaluationScore) => fill(&mut value, number(attribute)),
            Some(Field::EvaluationLabel) => fill(&mut label, attribute_label(attribute, own)),
            Some(Field::EvaluationExplanation) => fill(&mut comment, name(attribute)),
            _ => false,
        };
        if !filled {
            let key = key.strip_prefix(own::METADATA).map_or_else(|| key.clone(), Str::copied);
            metadata.push(key, attribute.clone());
        }
    }
    let measure: Str = measure?;
    let value = match (own.and_then(|own| own.value(value, label.as_ref())), value, label) {
        (Some(value), ..) => value,
        (None, Some(value), label) => {
            if let Some(label) = label {
                metadata.push(own::LABEL, Value::Str(label));
            }
            ScoreValue::Numeric { value, range: own.and_then(|own| own.range) }
        }
        (None, None, Some(label)) => ScoreValue::Categorical(label),
        (None, None, None) => return None,
    };
    let id = own.and_then(|own| own.id);
    let id = id.unwrap_or_else(|| self::id(time, target, &measure, &value, comment.as_ref(), &metadata));
    Some(Judgement { id, measure, value, comment, metadata })
}

/// A word; the empty one only where our own writer says that the value is a word.
fn attribute_label(attribute: &Value, own: Option<&Own>) -> Option<Str> {
    match attribute {
        Value::Str(word) if own.is_some_and(|own| own.value_type.is_some()) => Some(word.clone()),
        attribute => name(attribute),
    }
}

/// The score or feedback that a log is, if it is an evaluation result of something that can be told.
pub(super) fn of_log(log: &Log) -> Option<Record> {
    if log.event_name.as_deref() != Some(own::EVENT) {
        return None;
    }
    let mut attributes = log.attributes.clone();
    let mut own = Own::take(&mut attributes);
    let target = own.target(log)?;
    let mut judgement = judgement(log.time, &target, &attributes, Some(&own))?;
    if !log.message.is_empty() {
        judgement.metadata.insert("log.message", log.message.clone());
    }
    if let Some(data) = &log.data {
        judgement.metadata.insert("log.data", Value::Str(data.shared().clone()));
    }
    let Judgement { id, measure, value, comment, metadata } = judgement;
    let (time, context, resource) = (log.time, log.context.clone(), log.resource.clone());
    let (source, experiment_id) = (own.source.take(), own.experiment_id.take());
    Some(if own.is_feedback {
        let kind = measure;
        let user_id = own.user_id.take();
        Record::Feedback(Feedback {
            id,
            time,
            target,
            kind,
            value,
            comment,
            source,
            user_id,
            experiment_id,
            metadata,
            context,
            resource,
        })
    } else {
        let name = measure;
        let scorer = Some(own.scorer).filter(|scorer| *scorer != Scorer::default());
        Record::Score(Score {
            id,
            time,
            target,
            name,
            value,
            comment,
            source,
            scorer,
            experiment_id,
            metadata,
            context,
            resource,
        })
    })
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
            (event.name == own::EVENT).then(|| read(event.time, target.clone(), &event.attributes)).flatten();
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
