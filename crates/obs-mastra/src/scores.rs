//! Scores that are numbers into scores, and those that are words into feedback.

use obs_core::{Mapped, Records, Refused, Score, ScoreValue, Value};

use crate::MastraExporter;
use crate::correlation::Correlation;
use crate::judged::{Judged, ids, no_number};
use crate::metadata::{Loose, Metadata, Shared};
use crate::pack::{Packer, Request, Route, push};
use crate::wire::{FeedbackBody, ScoreBody, Time};

/// One item for a score.
pub(crate) fn map(exporter: &MastraExporter, records: &Records<Score>) -> Mapped<Request> {
    let mut packer = Packer::new(exporter.max_request_size());
    for (at, score) in records.iter().enumerate() {
        match score.value.as_f64() {
            Some(value) if value.is_finite() => {
                packer.add(Route::Scores, at, score, |score, out| push(out, &of_number(score, value)));
            }
            Some(value) => packer.refuse(Refused::encode(at, no_number(value))),
            None => packer.add(Route::Feedback, at, score, |score, out| push(out, &of_words(score))),
        }
    }
    packer.finish()
}

fn of_number(score: &Score, value: f64) -> ScoreBody<'_, Metadata<'_, Judged<'_>>> {
    let (trace_id, span_id) = ids(&score.target);
    let correlation = correlation(score);
    let scorer = score.scorer.as_ref();
    ScoreBody {
        score_id: score.id,
        timestamp: Time(score.time),
        trace_id,
        span_id,
        scorer_id: scorer.and_then(|scorer| scorer.id.as_deref()).unwrap_or(&score.name),
        scorer_name: scorer.and_then(|scorer| scorer.name.as_deref()).unwrap_or(&score.name),
        scorer_version: scorer.and_then(|scorer| scorer.version.as_deref()),
        score_source: score.source.as_deref(),
        score: value,
        reason: score.comment.as_deref(),
        experiment_id: correlation.experiment_id(),
        correlation_context: correlation,
        metadata: metadata(
            score,
            Judged {
                name: Some(&score.name),
                scorer: None,
                value: &score.value,
                target: &score.target,
                source: None,
            },
        ),
    }
}

/// Mastra's scores are numbers, and no number stands for words: its feedback takes both.
fn of_words(score: &Score) -> FeedbackBody<'_, Metadata<'_, Judged<'_>>> {
    let (trace_id, span_id) = ids(&score.target);
    let correlation = correlation(score);
    let words = match &score.value {
        ScoreValue::Categorical(words) | ScoreValue::Text(words) => words.clone(),
        ScoreValue::Numeric { .. } | ScoreValue::Boolean(_) => obs_core::Str::default(),
    };
    FeedbackBody {
        feedback_id: score.id,
        timestamp: Time(score.time),
        trace_id,
        span_id,
        feedback_source: Some(SCORER),
        feedback_type: &score.name,
        value: Value::Str(words),
        feedback_user_id: None,
        comment: score.comment.as_deref(),
        source_id: score.scorer.as_ref().and_then(|scorer| scorer.id.as_deref()),
        experiment_id: correlation.experiment_id(),
        correlation_context: correlation,
        metadata: metadata(
            score,
            Judged {
                name: None,
                scorer: score.scorer.as_ref(),
                value: &score.value,
                target: &score.target,
                source: score.source.as_deref(),
            },
        ),
    }
}

/// What tells a program's words from a person's.
const SCORER: &str = "scorer";

fn correlation(score: &Score) -> Correlation<'_> {
    Correlation::of(&score.context, &score.resource, ids(&score.target))
        .with_target(&score.target)
        .with_experiment(score.experiment_id.as_deref())
}

fn metadata<'a>(score: &'a Score, own: Judged<'a>) -> Metadata<'a, Judged<'a>> {
    Metadata {
        own,
        shared: Shared { context: &score.context, resource: &score.resource },
        loose: Loose::of(&score.metadata, &score.context),
    }
}
