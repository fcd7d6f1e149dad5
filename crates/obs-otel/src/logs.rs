//! Logs into requests.

use obs_core::{Log, Mapped, Records, Refused, encode_within};
use obs_otlp::encode::{LogParts, LogRequests, genai};

use crate::OtelExporter;
use crate::chunks::calls;
use crate::resource::OfBatch;
use crate::wire::{Request, Service};

/// Requests of log records.
pub(crate) fn map(exporter: &OtelExporter, records: &Records<Log>) -> Mapped<Request> {
    let limits = exporter.limits(Service::Logs);
    let mut requests = LogRequests::new(limits.encoding, limits.items, limits.bytes).expecting(records.len());
    let mut resources = OfBatch::new(exporter.resources());
    for (at, log) in records.iter().enumerate() {
        push(&mut requests, &mut resources, at, log);
    }
    calls(Service::Logs, limits.bytes, requests.finish(), Vec::new(), |at| {
        let log = records.get(at).ok_or_else(|| Refused::encode(at, "the record is gone"))?;
        encode_within(at, log, limits.bytes, |log| {
            let mut alone = LogRequests::new(limits.encoding, 1, usize::MAX);
            push(&mut alone, &mut OfBatch::alone(exporter.resources()), 0, log);
            Ok(alone.finish().pop().map(|chunk| chunk.body).unwrap_or_default())
        })
    })
}

fn push<'a>(requests: &mut LogRequests, resources: &mut OfBatch<'a>, at: usize, log: &'a Log) {
    let resource = resources.complete(&log.resource);
    requests.push(at, resource, &LogParts::of(log), |to| genai::log_attributes(log, to));
}
