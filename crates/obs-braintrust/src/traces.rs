//! Spans into rows.

use std::collections::HashMap;

use obs_core::{Mapped, Payload, Records, Span, SpanId, SpanRecord, SpanType, Status, TraceId};
use obs_otlp::chat::{self, Role};
use serde_json::value::RawValue;

use crate::ids::{Ids, Place};
use crate::metadata::{Loose, Metadata, OfSpan, Shared};
use crate::numbers::{self, Stage};
use crate::pack::{Packer, Request, Route, push};
use crate::wire::{Document, Fault, Row, SpanAttributes, Time};
use crate::{BraintrustExporter, shallow};

/// One row for a span, also where its start and its end are both in the batch: the end has all that the start has.
pub(crate) fn map(exporter: &BraintrustExporter, records: &Records<SpanRecord>) -> Mapped<Request> {
    let mut folded = folded(records);
    let mut packer = Packer::new(exporter.room());
    for (at, record) in records.iter().enumerate() {
        let span = record.span();
        let (stage, starts) = match record {
            SpanRecord::Started(_) if folded.contains_key(&key(span)) => continue,
            SpanRecord::Started(_) => (Stage::Started, Vec::new()),
            SpanRecord::Ended(_) => {
                (Stage::Ended, folded.get_mut(&key(span)).map(std::mem::take).unwrap_or_default())
            }
        };
        let ids = Ids::of_span(span);
        let place = Place::of(span.context.experiment_id.as_ref());
        packer.add((place, Route::Insert, ids.id), at, &starts, &*shallow::span(span), |span, out| {
            push(out, &row(exporter, span, stage))
        });
    }
    packer.finish()
}

fn key(span: &Span) -> (TraceId, SpanId) {
    (span.trace_id, span.span_id)
}

/// The positions of starts whose end is in the batch, too; empty for batches without starts.
fn folded(records: &Records<SpanRecord>) -> HashMap<(TraceId, SpanId), Vec<usize>> {
    let mut starts: HashMap<_, Vec<usize>> = HashMap::new();
    for (at, record) in records.iter().enumerate() {
        if let SpanRecord::Started(span) = record {
            starts.entry(key(span)).or_default().push(at);
        }
    }
    if !starts.is_empty() {
        let ended: std::collections::HashSet<_> =
            records.iter().filter_map(SpanRecord::ended).map(key).collect();
        starts.retain(|key, _| ended.contains(key));
    }
    starts
}

fn row<'a>(
    exporter: &'a BraintrustExporter,
    span: &'a Span,
    stage: Stage,
) -> Row<'a, Metadata<'a, OfSpan<'a>>> {
    let Ids { id, span: span_id, root, parents } = Ids::of_span(span);
    let (kind, purpose) = kind(&span.span_type);
    let generation = span.span_type.as_generation();
    let document = |payload: &'a Payload, role| match generation {
        Some(_) => said(payload, role),
        None => Document::Payload(payload),
    };
    let parameters = generation.map(|call| &call.parameters.other);
    let loose = match parameters {
        Some(parameters) => Loose::with_parameters(parameters, &span.attributes, &span.context),
        None => Loose::of(&span.attributes, &span.context),
    };
    Row {
        id,
        span_id,
        root_span_id: root,
        span_parents: parents,
        input: span.input.as_ref().map(|input| document(input, Role::User)),
        output: span.output.as_ref().map(|output| document(output, Role::Assistant)),
        error: fault(span),
        metadata: Metadata {
            own: OfSpan::new(span),
            shared: Shared::of(&span.context, &span.resource),
            loose,
        },
        metrics: Some(numbers::of_span(span, stage)),
        span_attributes: Some(SpanAttributes {
            name: Some(span.name.as_str().into()),
            kind,
            purpose,
            log_level: None,
        }),
        tags: if span.is_root() { unique(&span.context.tags) } else { Vec::new() },
        created: Some(Time(span.start)),
        context: Some(exporter.origin(&span.context, &span.resource)),
        _is_merge: true,
    }
}

/// Braintrust's type of a span, and its purpose.
const fn kind(span_type: &SpanType) -> (&'static str, Option<&'static str>) {
    match span_type {
        SpanType::LlmGeneration(_) | SpanType::Embedding(_) => ("llm", None),
        SpanType::ToolCall(_) | SpanType::McpToolCall(_) => ("tool", None),
        SpanType::WorkflowStep(_)
        | SpanType::MemoryLookup(_)
        | SpanType::MemoryUpdate(_)
        | SpanType::RagQuery(_) => ("function", None),
        SpanType::EvalExecution(_) => ("score", Some("scorer")),
        SpanType::AgentRun(_) | SpanType::WorkflowRun(_) | SpanType::Generic => ("task", None),
    }
}

/// What a model was told or said, as the chat that Braintrust shows; other documents as they are.
fn said(payload: &Payload, role: Role) -> Document<'_> {
    match chat::messages(payload, role) {
        Some(std::borrow::Cow::Owned(json)) => {
            RawValue::from_string(json).map_or(Document::Payload(payload), Document::Json)
        }
        Some(std::borrow::Cow::Borrowed(_)) | None => Document::Payload(payload),
    }
}

/// What went wrong: its message where there is no more to tell.
fn fault(span: &Span) -> Option<Fault<'_>> {
    match &span.error {
        Some(error) if **error == obs_core::ErrorInfo::message(error.message.clone()) => {
            Some(Fault::Message(&error.message))
        }
        Some(error) => Some(Fault::Whole(error)),
        None if span.status == Status::Error => Some(Fault::Message("it failed, and did not say how")),
        None => None,
    }
}

/// Tags without those that come again, which Braintrust refuses.
fn unique(tags: &[obs_core::Str]) -> Vec<&str> {
    let mut unique: Vec<&str> = Vec::with_capacity(tags.len());
    for tag in tags {
        if !unique.contains(&tag.as_str()) {
            unique.push(tag);
        }
    }
    unique
}
