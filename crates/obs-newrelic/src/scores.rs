//! Scores into events.

use obs_core::{Mapped, Records, Score};

use crate::wire::Request;
use crate::{NewRelicExporter, judged};

/// Requests of all scores.
pub(crate) fn map(exporter: &NewRelicExporter, scores: &Records<Score>) -> Mapped<Request> {
    let kind = &exporter.config().score_event_type;
    judged::map(
        exporter,
        scores,
        |score| &score.resource,
        |score, resource, max| judged::score(kind, score, resource, max),
    )
}
