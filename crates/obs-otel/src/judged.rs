//! What scores and feedback have in common: both are the event `gen_ai.evaluation.result`.

use std::sync::Arc;

use obs_core::{Mapped, Records, Refused, Resource, VisitText, encode_within};
use obs_otlp::encode::{Fields, LogParts, LogRequests};

use crate::OtelExporter;
use crate::chunks::calls;
use crate::resource::OfBatch;
use crate::wire::{Request, Service};

/// How a judgement is read.
pub(crate) struct Reading<T> {
    pub(crate) resource: fn(&T) -> &Arc<Resource>,
    pub(crate) parts: fn(&T) -> LogParts<'static>,
    pub(crate) attributes: fn(&T, &mut Fields<'_>),
}

/// Requests of judgements, each a log record.
pub(crate) fn map<T: VisitText + Clone>(
    exporter: &OtelExporter,
    records: &Records<T>,
    read: &Reading<T>,
) -> Mapped<Request> {
    let limits = exporter.limits(Service::Logs);
    let mut requests = LogRequests::new(limits.encoding, limits.items, limits.bytes).expecting(records.len());
    let mut resources = OfBatch::new(exporter.resources());
    for (at, judged) in records.iter().enumerate() {
        let resource = resources.complete((read.resource)(judged));
        requests.push(at, resource, &(read.parts)(judged), |to| (read.attributes)(judged, to));
    }
    calls(Service::Logs, limits.bytes, requests.finish(), Vec::new(), |at| {
        let judged = records.get(at).ok_or_else(|| Refused::encode(at, "the record is gone"))?;
        encode_within(at, judged, limits.bytes, |judged| {
            let mut alone = LogRequests::new(limits.encoding, 1, usize::MAX);
            let resource = exporter.resources().complete_once((read.resource)(judged));
            alone.push(0, &resource, &(read.parts)(judged), |to| (read.attributes)(judged, to));
            Ok(alone.finish().pop().map(|chunk| chunk.body).unwrap_or_default())
        })
    })
}
