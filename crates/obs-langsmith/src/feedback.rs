//! What people said into feedback.

use std::borrow::Cow;

use obs_core::{Feedback, Mapped, Records, Refused, ScoreValue, Str, encode_within};

use crate::LangsmithExporter;
use crate::judgement::{Given, Judged, Judgement, gather, source_type, words};
use crate::multipart::feedback_size;
use crate::sending::Request;
use crate::wire::SourceMetadata;

/// One feedback for each feedback.
pub(crate) fn map(exporter: &LangsmithExporter, records: &Records<Feedback>) -> Mapped<Request> {
    gather(exporter, records.iter().enumerate().map(|(at, feedback)| encode(exporter, at, feedback)))
}

fn encode(exporter: &LangsmithExporter, at: usize, feedback: &Feedback) -> Result<Judged, Refused> {
    let prefix = &exporter.settings.feedback_prefix;
    let mut judged = judgement(prefix, feedback).encode(exporter, at)?;
    let room = exporter.server.limits().bytes.saturating_sub(feedback_size(0));
    if judged.json.len() > room {
        let again = |feedback: &Feedback| {
            let judged = judgement(prefix, feedback).encode(exporter, at);
            judged.map(|judged| judged.json).map_err(|refused| refused.reason.into())
        };
        judged.json = encode_within(at, feedback, room, again)?;
    }
    Ok(judged)
}

fn judgement<'a>(prefix: &str, feedback: &'a Feedback) -> Judgement<'a> {
    let Feedback {
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
    } = feedback;
    // Words have a place of their own where they are a correction, and are shown where they are a comment.
    let words = words(value).map(Str::as_str);
    let correction = (kind == "correction").then(|| text(value));
    let said = words.filter(|_| kind == "comment");
    Judgement {
        id: *id,
        time: *time,
        target,
        key: if prefix.is_empty() || kind.is_empty() {
            kind.as_str().into()
        } else {
            format!("{prefix}{kind}").into()
        },
        value: if correction.is_some() { Given::Elsewhere } else { Given::Value(value) },
        comment: comment.as_deref().or(said),
        correction,
        source_type: source_type(source.as_deref(), false),
        source: SourceMetadata {
            source: source.as_ref(),
            scorer_id: None,
            scorer_name: None,
            scorer_version: None,
            user_id: user_id.as_ref(),
            experiment_id: experiment_id.as_ref(),
            free: metadata,
            context,
            resource,
        },
    }
}

/// A value as a text: a correction of a number is the right number, which is no score.
fn text(value: &ScoreValue) -> Cow<'_, str> {
    match value {
        ScoreValue::Categorical(words) | ScoreValue::Text(words) => words.as_str().into(),
        ScoreValue::Numeric { value, .. } => value.to_string().into(),
        ScoreValue::Boolean(value) => value.to_string().into(),
    }
}
