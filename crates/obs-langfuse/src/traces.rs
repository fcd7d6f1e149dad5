//! Spans into observations.

use obs_core::{Call, Mapped, Records, Refused, Span, SpanRecord, encode_within};
use obs_otlp::encode::{Chunk, Encoding, SpanParts, TraceRequests};

use crate::metadata::Metadata;
use crate::observation::{Observation, parent};
use crate::trace::Trace;
use crate::wire::{Place, Request};
use crate::{Ingestion, LangfuseConfig, LangfuseExporter, ingestion, span_metadata, trace};

/// The most spans of a request.
pub(crate) const ITEMS: usize = 512;

/// The most bytes of a request, whatever the config says: larger ones only make the server slow.
pub(crate) const BYTES: usize = 4 << 20;

/// Requests of the spans that have ended.
pub(crate) fn map(exporter: &LangfuseExporter, records: &Records<SpanRecord>) -> Mapped<Request> {
    let config = exporter.config();
    if config.ingestion == Ingestion::Legacy {
        return ingestion::spans(config, records);
    }
    let mut requests = requests(config).expecting(records.len());
    let mut refused = Vec::new();
    for (at, record) in records.iter().enumerate() {
        match record {
            SpanRecord::Ended(span) => push(config, &mut requests, at, span),
            SpanRecord::Started(_) => refused.push(started(at)),
        }
    }
    calls(config, requests.finish(), refused, |at, max| {
        let record = records.get(at).ok_or_else(|| Refused::encode(at, "the record is gone"))?;
        encode_within(at, record, max, |record| Ok(alone(config, record.span())))
    })
}

/// Why the start of a span is not sent: the server would take its missing end for the start, and show it as ended.
pub(crate) fn started(at: usize) -> Refused {
    Refused::encode(at, "a span that only began: Langfuse takes spans when they have ended")
}

/// An empty set of requests within the config's limits.
pub(crate) fn requests(config: &LangfuseConfig) -> TraceRequests {
    TraceRequests::new(Encoding::Protobuf, ITEMS, max_request_size(config))
        .with_shared_attributes(Metadata::write_shared)
}

/// The most bytes of a request with spans, as it takes effect.
pub(crate) fn max_request_size(config: &LangfuseConfig) -> usize {
    usize::try_from(config.max_request_size.get()).unwrap_or(usize::MAX).min(BYTES)
}

/// The calls of these requests; a record that alone is too large is made smaller by `shorten`.
pub(crate) fn calls(
    config: &LangfuseConfig,
    chunks: Vec<Chunk>,
    refused: Vec<Refused>,
    shorten: impl Fn(usize, usize) -> Result<Vec<u8>, Refused>,
) -> Mapped<Request> {
    let mut mapped = Mapped { calls: Vec::with_capacity(chunks.len()), refused };
    let max = max_request_size(config);
    for Chunk { body, records } in chunks {
        let body = match records[..] {
            [at] if body.len() > max => shorten(at, max),
            _ => Ok(body),
        };
        match body {
            Ok(body) => {
                let request = Request { place: Place::Traces, body, len: records.len(), events: Vec::new() };
                mapped.calls.push(Call { request, records });
            }
            Err(cause) => mapped.refused.push(cause),
        }
    }
    mapped
}

/// The request of one span.
fn alone(config: &LangfuseConfig, span: &Span) -> Vec<u8> {
    let mut requests = unlimited();
    push(config, &mut requests, 0, span);
    requests.finish().pop().map(|chunk| chunk.body).unwrap_or_default()
}

/// An empty request for one record of whatever size.
pub(crate) fn unlimited() -> TraceRequests {
    TraceRequests::new(Encoding::Protobuf, 1, usize::MAX).with_shared_attributes(Metadata::write_shared)
}

fn push(config: &LangfuseConfig, requests: &mut TraceRequests, at: usize, span: &Span) {
    let observation = Observation::of(span);
    let known = Trace::of(config, &span.context, &span.resource);
    let mut metadata = Metadata::of_observation();
    trace::put(&span.context, &span.resource, &mut metadata);
    metadata.end_of_trace();
    span_metadata::put(span, observation.tokens.differs, &mut metadata);
    let parts = SpanParts {
        parent_span_id: parent(span),
        // The server keeps neither, so that they go with the metadata.
        events: &[],
        exception: None,
        links: &[],
        ..SpanParts::of(span, span.end.unwrap_or(span.start))
    };
    requests.push(at, &span.resource, &parts, |to| {
        observation.write(to);
        known.write(to);
        metadata.write(to);
    });
}
