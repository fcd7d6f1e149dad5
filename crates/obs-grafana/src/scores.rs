//! Scores into the log events that evaluations are.

use obs_core::{Batch, Mapped, Records, Score};

use crate::streams::Push;
use crate::wire::{Place, Request};
use crate::{GrafanaExporter, judged};

/// Requests of all scores: where logs go.
pub(crate) fn map(exporter: &GrafanaExporter, scores: &Records<Score>) -> Mapped<Request> {
    if !exporter.pushes_to_loki() {
        return exporter.otlp(Place::Logs, &Batch::Scores(scores.clone()));
    }
    let mut push = Push::new(exporter.config());
    for (at, score) in scores.iter().enumerate() {
        push.add(at, &judged::score(score), &exporter.complete(&score.resource));
    }
    push.end()
}
