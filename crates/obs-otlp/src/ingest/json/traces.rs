//! Spans in JSON.

use obs_core::Record;
use opentelemetry_proto::tonic::trace::v1::{Span, Status, span};
use serde_json::Value;

use super::fields::Fields;
use crate::ingest::collect::Source;
use crate::ingest::spans;

const KINDS: [&str; 6] = ["unspecified", "internal", "server", "client", "producer", "consumer"];
const CODES: [&str; 3] = ["unset", "ok", "error"];

pub(super) fn read(
    value: &Value,
    source: &mut Source,
    records: &mut Vec<Record>,
    refused: &mut Vec<(String, String)>,
) {
    if let Err(reason) = span(value).and_then(|span| spans::convert(&span, source, records)) {
        refused.push((String::new(), reason));
    }
}

fn span(value: &Value) -> Result<Span, String> {
    let fields = Fields::of(value)?;
    Ok(Span {
        trace_id: fields.id("traceId", 16)?,
        span_id: fields.id("spanId", 8)?,
        trace_state: fields.string("traceState")?,
        parent_span_id: fields.id("parentSpanId", 8)?,
        flags: fields.u32("flags")?,
        name: fields.string("name")?,
        kind: fields.name_of("kind", "SPAN_KIND_", &KINDS)?,
        start_time_unix_nano: fields.u64("startTimeUnixNano")?,
        end_time_unix_nano: fields.u64("endTimeUnixNano")?,
        attributes: fields.attributes("attributes")?,
        dropped_attributes_count: fields.u32("droppedAttributesCount")?,
        events: fields.list("events", event)?,
        dropped_events_count: fields.u32("droppedEventsCount")?,
        links: fields.list("links", link)?,
        dropped_links_count: fields.u32("droppedLinksCount")?,
        status: fields.message("status", |status| {
            Ok(Status {
                message: status.string("message")?,
                code: status.name_of("code", "STATUS_CODE_", &CODES)?,
            })
        })?,
    })
}

fn event(value: &Value) -> Result<span::Event, String> {
    let fields = Fields::of(value)?;
    Ok(span::Event {
        time_unix_nano: fields.u64("timeUnixNano")?,
        name: fields.string("name")?,
        attributes: fields.attributes("attributes")?,
        dropped_attributes_count: fields.u32("droppedAttributesCount")?,
    })
}

fn link(value: &Value) -> Result<span::Link, String> {
    let fields = Fields::of(value)?;
    Ok(span::Link {
        trace_id: fields.id("traceId", 16)?,
        span_id: fields.id("spanId", 8)?,
        trace_state: fields.string("traceState")?,
        attributes: fields.attributes("attributes")?,
        dropped_attributes_count: fields.u32("droppedAttributesCount")?,
        flags: fields.u32("flags")?,
    })
}
