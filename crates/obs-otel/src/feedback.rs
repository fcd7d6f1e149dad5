//! Feedback into requests.

use obs_core::{Feedback, Mapped, Records};
use obs_otlp::encode::evaluation;

use crate::OtelExporter;
use crate::judged::{self, Reading};
use crate::wire::Request;

/// Requests of feedback, each a log record under the span that was judged.
pub(crate) fn map(exporter: &OtelExporter, records: &Records<Feedback>) -> Mapped<Request> {
    let read = Reading {
        resource: |judged: &Feedback| &judged.resource,
        parts: |judged| evaluation::parts(judged.time, &judged.target),
        attributes: evaluation::feedback_attributes,
    };
    judged::map(exporter, records, &read)
}
