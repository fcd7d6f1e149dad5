//! Feedback into events.

use obs_core::{Feedback, Mapped, Records};

use crate::wire::Request;
use crate::{NewRelicExporter, judged};

/// Requests of all feedback.
pub(crate) fn map(exporter: &NewRelicExporter, feedback: &Records<Feedback>) -> Mapped<Request> {
    let kind = &exporter.config().feedback_event_type;
    judged::map(
        exporter,
        feedback,
        |feedback| &feedback.resource,
        |feedback, resource, max| judged::feedback(kind, feedback, resource, max),
    )
}
