//! Feedback into feedback.

use obs_core::{Feedback, Mapped, Records, Refused, ScoreValue, Value};

use crate::MastraExporter;
use crate::correlation::Correlation;
use crate::judged::{Judged, ids, no_number};
use crate::metadata::{Loose, Metadata, Shared};
use crate::pack::{Packer, Request, Route, push};
use crate::wire::{FeedbackBody, Time};

/// One item for each.
pub(crate) fn map(exporter: &MastraExporter, records: &Records<Feedback>) -> Mapped<Request> {
    let mut packer = Packer::new(exporter.max_request_size());
    for (at, feedback) in records.iter().enumerate() {
        match feedback.value.as_f64() {
            Some(value) if !value.is_finite() => packer.refuse(Refused::encode(at, no_number(value))),
            _ => packer.add(Route::Feedback, at, feedback, |feedback, out| push(out, &body(feedback))),
        }
    }
    packer.finish()
}

fn body(feedback: &Feedback) -> FeedbackBody<'_, Metadata<'_, Judged<'_>>> {
    let (trace_id, span_id) = ids(&feedback.target);
    let correlation = Correlation::of(&feedback.context, &feedback.resource, (trace_id, span_id))
        .with_target(&feedback.target)
        .with_experiment(feedback.experiment_id.as_deref());
    FeedbackBody {
        feedback_id: feedback.id,
        timestamp: Time(feedback.time),
        trace_id,
        span_id,
        feedback_source: feedback.source.as_deref(),
        feedback_type: &feedback.kind,
        value: value(&feedback.value),
        feedback_user_id: feedback.user_id.as_deref(),
        comment: feedback.comment.as_deref(),
        source_id: None,
        experiment_id: correlation.experiment_id(),
        correlation_context: correlation,
        metadata: Metadata {
            own: Judged {
                name: None,
                scorer: None,
                value: &feedback.value,
                target: &feedback.target,
                source: None,
            },
            shared: Shared { context: &feedback.context, resource: &feedback.resource },
            loose: Loose::of(&feedback.metadata, &feedback.context),
        },
    }
}

/// A number or a text, the two that Mastra takes; a truth value is 0 or 1, as a thumb is there.
fn value(value: &ScoreValue) -> Value {
    match value {
        ScoreValue::Numeric { value, .. } => Value::F64(*value),
        ScoreValue::Boolean(value) => Value::I64((*value).into()),
        ScoreValue::Categorical(words) | ScoreValue::Text(words) => Value::Str(words.clone()),
    }
}
