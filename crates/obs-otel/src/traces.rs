//! Spans into requests.

use std::borrow::Cow;

use obs_core::{Mapped, Records, Refused, Span, SpanRecord, encode_within};
use obs_otlp::encode::{Fields, SpanParts, TraceRequests, genai, openinference};

use crate::chunks::calls;
use crate::resource::OfBatch;
use crate::wire::{Request, Service};
use crate::{Conventions, OtelExporter};

/// Requests of the spans that have ended.
pub(crate) fn map(exporter: &OtelExporter, records: &Records<SpanRecord>) -> Mapped<Request> {
    let limits = exporter.limits(Service::Traces);
    let mut requests =
        TraceRequests::new(limits.encoding, limits.items, limits.bytes).expecting(records.len());
    let mut resources = OfBatch::new(exporter.resources());
    let mut refused = Vec::new();
    for (at, record) in records.iter().enumerate() {
        match record {
            SpanRecord::Ended(span) => push(exporter, &mut requests, &mut resources, at, span),
            SpanRecord::Started(_) => refused.push(started(at)),
        }
    }
    calls(Service::Traces, limits.bytes, requests.finish(), refused, |at| {
        let record = records.get(at).ok_or_else(|| Refused::encode(at, "the record is gone"))?;
        encode_within(at, record, limits.bytes, |record| {
            let mut alone = TraceRequests::new(limits.encoding, 1, usize::MAX);
            push(exporter, &mut alone, &mut OfBatch::new(exporter.resources()), 0, record.span());
            Ok(alone.finish().pop().map(|chunk| chunk.body).unwrap_or_default())
        })
    })
}

/// Why the start of a span is not sent: OTLP has no spans without an end.
fn started(at: usize) -> Refused {
    Refused::encode(at, "a span that only began: OTLP takes spans when they have ended")
}

fn push<'a>(
    exporter: &'a OtelExporter,
    requests: &mut TraceRequests,
    resources: &mut OfBatch<'a>,
    at: usize,
    span: &'a Span,
) {
    let name = name(exporter, span);
    let parts = SpanParts {
        name: &name,
        kind: genai::kind(span),
        ..SpanParts::of(span, span.end.unwrap_or(span.start))
    };
    let put = attributes(exporter.conventions());
    requests.push(at, resources.complete(&span.resource), &parts, |to| put(span, to));
}

/// What puts the attributes of a span under the names of these conventions.
pub(crate) fn attributes(conventions: Conventions) -> fn(&Span, &mut Fields<'_>) {
    match conventions {
        Conventions::GenAi => genai::attributes,
        Conventions::OpenInference => openinference::attributes,
        Conventions::Both => |span, to| {
            genai::attributes(span, to);
            openinference::own_attributes(span, to);
        },
    }
}

/// The name by the conventions, behind the prefix of the config.
fn name<'a>(exporter: &OtelExporter, span: &'a Span) -> Cow<'a, str> {
    let name = genai::name(span);
    match exporter.prefix() {
        Some(prefix) => format!("{prefix}.{name}").into(),
        None => name,
    }
}
