//! Spans into requests.

use std::borrow::Cow;
use std::collections::HashSet;

use obs_core::{Mapped, Records, Refused, Span, SpanRecord, encode_within};
use obs_otlp::conventions::own;
use obs_otlp::encode::{Chunk, Fields, SpanParts, TraceRequests, genai, openinference};

use crate::children::{self, Families};
use crate::chunks::calls_of;
use crate::resource::OfBatch;
use crate::wire::{Items, Request, Service};
use crate::{Conventions, OtelExporter};

/// Requests of the spans that have ended.
pub(crate) fn map(exporter: &OtelExporter, records: &Records<SpanRecord>) -> Mapped<Request> {
    let limits = exporter.limits(Service::Traces);
    let mut refused = Vec::new();
    let mut ended = Vec::with_capacity(records.len());
    for (at, record) in records.iter().enumerate() {
        match record {
            SpanRecord::Ended(span) => ended.push((at, span)),
            SpanRecord::Started(_) => refused.push(started(at)),
        }
    }
    let chunks = if exporter.creates_child_spans() {
        each(encode(exporter, ended))
    } else {
        with_events(exporter, records, &ended)
    };
    calls_of(Service::Traces, limits.bytes, chunks, refused, |at| {
        let record = records.get(at).ok_or_else(|| Refused::encode(at, "the record is gone"))?;
        encode_within(at, record, limits.bytes, |record| {
            let mut alone = TraceRequests::new(limits.encoding, 1, usize::MAX);
            push(exporter, &mut alone, &mut OfBatch::alone(exporter.resources()), 0, record.span());
            Ok(alone.finish().pop().map(|chunk| chunk.body).unwrap_or_default())
        })
    })
}

/// Why the start of a span is not sent: OTLP has no spans without an end.
pub(crate) fn started(at: usize) -> Refused {
    Refused::encode(at, "a span that only began: OTLP takes spans when they have ended")
}

/// Each span as a span.
fn encode(exporter: &OtelExporter, spans: Vec<(usize, &Span)>) -> Vec<Chunk> {
    let limits = exporter.limits(Service::Traces);
    let mut requests = TraceRequests::new(limits.encoding, limits.items, limits.bytes).expecting(spans.len());
    let mut resources = OfBatch::new(exporter.resources());
    for (at, span) in spans {
        push(exporter, &mut requests, &mut resources, at, span);
    }
    requests.finish()
}

/// Chunks in which each record is a span.
fn each(chunks: Vec<Chunk>) -> Vec<(Chunk, Items)> {
    chunks.into_iter().map(|chunk| (chunk, Items::Records)).collect()
}

/// Roots with their children as events; a family that is too large for one request goes as spans.
fn with_events(
    exporter: &OtelExporter,
    records: &Records<SpanRecord>,
    ended: &[(usize, &Span)],
) -> Vec<(Chunk, Items)> {
    let limits = exporter.limits(Service::Traces);
    let families = children::families(exporter, records);
    let folded: HashSet<usize> = families.values().flatten().copied().collect();
    let mut requests = TraceRequests::new(limits.encoding, limits.items, limits.bytes);
    let mut resources = OfBatch::new(exporter.resources());
    for (at, span) in ended.iter().filter(|(at, _)| !folded.contains(at)) {
        let children = families.get(at).map_or(&[][..], Vec::as_slice);
        let children: Vec<&Span> =
            children.iter().filter_map(|at| records.get(*at).map(SpanRecord::span)).collect();
        children::push(exporter, &mut requests, &mut resources, *at, span, &children);
    }
    let whole = |chunk: Chunk| with_children(chunk, &families);
    let chunks = requests.finish().into_iter().map(whole);
    let too_large = |chunk: &Chunk| chunk.body.len() > limits.bytes && chunk.records.len() > 1;
    chunks
        .flat_map(|(chunk, items)| {
            if !too_large(&chunk) {
                return vec![(chunk, items)];
            }
            let spans = chunk.records.iter().filter_map(|at| Some((*at, records.get(*at)?.span())));
            each(encode(exporter, spans.collect()))
        })
        .collect()
}

/// A chunk with the positions of the children that are in it as events.
fn with_children(mut chunk: Chunk, families: &Families) -> (Chunk, Items) {
    let of = |root| families.get(root).map_or(&[][..], Vec::as_slice);
    let sizes = chunk.records.iter().map(|root| 1 + of(root).len()).collect();
    let children: Vec<usize> = chunk.records.iter().flat_map(of).copied().collect();
    chunk.records.extend(children);
    chunk.records.sort_unstable();
    (chunk, Items::families(sizes))
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
        Conventions::GenAi => |span, to| {
            genai::attributes(span, to);
            own_name(span, to);
        },
        Conventions::OpenInference => |span, to| {
            openinference::attributes(span, to);
            own_name(span, to);
        },
        Conventions::Both => |span, to| {
            genai::attributes(span, to);
            openinference::own_attributes(span, to);
            own_name(span, to);
        },
    }
}

/// The name that the application gave the span, where the conventions give it another.
fn own_name(span: &Span, to: &mut Fields<'_>) {
    if !genai::keeps_name(span) && span.attributes.get(own::SPAN_NAME).is_none() {
        to.str(own::SPAN_NAME, &span.name);
    }
}

/// The name by the conventions, behind the prefix of the config.
pub(crate) fn name<'a>(exporter: &OtelExporter, span: &'a Span) -> Cow<'a, str> {
    let name = genai::name(span);
    match exporter.prefix() {
        Some(prefix) => format!("{prefix}.{name}").into(),
        None => name,
    }
}
