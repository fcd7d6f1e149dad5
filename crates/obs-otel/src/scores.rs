//! Scores into requests.

use obs_core::{Mapped, Records, Score};
use obs_otlp::encode::evaluation;

use crate::OtelExporter;
use crate::judged::{self, Reading};
use crate::wire::Request;

/// Requests of scores, each a log record under the span that was judged.
pub(crate) fn map(exporter: &OtelExporter, records: &Records<Score>) -> Mapped<Request> {
    let read = Reading {
        resource: |judged: &Score| &judged.resource,
        parts: |judged| evaluation::parts(judged.time, &judged.target),
        attributes: evaluation::score_attributes,
    };
    judged::map(exporter, records, &read)
}
