//! Scores into feedback.

use obs_core::{Mapped, Records, Refused, Score, encode_within};

use crate::LangsmithExporter;
use crate::judgement::{Given, Judged, Judgement, gather, source_type};
use crate::multipart::feedback_size;
use crate::sending::Request;
use crate::wire::SourceMetadata;

/// One feedback for each score.
pub(crate) fn map(exporter: &LangsmithExporter, records: &Records<Score>) -> Mapped<Request> {
    gather(exporter, records.iter().enumerate().map(|(at, score)| encode(exporter, at, score)))
}

fn encode(exporter: &LangsmithExporter, at: usize, score: &Score) -> Result<Judged, Refused> {
    let mut judged = judgement(score).encode(exporter, at)?;
    let room = exporter.server.limits().bytes.saturating_sub(feedback_size(0));
    if judged.json.len() > room {
        let again = |score: &Score| {
            judgement(score)
                .encode(exporter, at)
                .map(|judged| judged.json)
                .map_err(|refused| refused.reason.into())
        };
        judged.json = encode_within(at, score, room, again)?;
    }
    Ok(judged)
}

fn judgement(score: &Score) -> Judgement<'_> {
    let Score {
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
    } = score;
    let scorer = scorer.as_ref();
    Judgement {
        id: *id,
        time: *time,
        target,
        key: name.as_str().into(),
        value: Given::Value(value),
        comment: comment.as_deref(),
        correction: None,
        source_type: source_type(source.as_deref(), scorer.is_some()),
        source: SourceMetadata {
            source: source.as_ref(),
            scorer_id: scorer.and_then(|scorer| scorer.id.as_ref()),
            scorer_name: scorer.and_then(|scorer| scorer.name.as_ref()),
            scorer_version: scorer.and_then(|scorer| scorer.version.as_ref()),
            user_id: None,
            experiment_id: experiment_id.as_ref(),
            free: metadata,
            context,
            resource,
        },
    }
}
