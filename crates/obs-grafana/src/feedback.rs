//! Feedback into the log events that evaluations are.

use obs_core::{Batch, Feedback, Mapped, Records};

use crate::streams::Push;
use crate::wire::{Place, Request};
use crate::{GrafanaExporter, judged};

/// Requests of all feedback: where logs go.
pub(crate) fn map(exporter: &GrafanaExporter, feedback: &Records<Feedback>) -> Mapped<Request> {
    if !exporter.pushes_to_loki() {
        return exporter.otlp(Place::Logs, &Batch::Feedback(feedback.clone()));
    }
    let mut push = Push::new(exporter.config());
    for (at, feedback) in feedback.iter().enumerate() {
        push.add(at, &judged::feedback(feedback), &exporter.complete(&feedback.resource));
    }
    push.end()
}
