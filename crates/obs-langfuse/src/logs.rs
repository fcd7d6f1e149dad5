//! Logs into observations of type `event`, which have no length, under the span that they were made in.

use obs_core::{Level, Log, Mapped, Records, Refused, SpanId, TraceId, encode_within};
use obs_otlp::encode::{SpanParts, TraceRequests};
use uuid::Uuid;

use crate::attribute;
use crate::metadata::{Item, Metadata};
use crate::trace::Trace;
use crate::wire::Request;
use crate::{Ingestion, LangfuseConfig, LangfuseExporter, LogsWithoutTrace, ingestion, trace, traces};

/// Where an event stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ids {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) parent: Option<SpanId>,
}

/// Requests of all logs that belong to a trace, or may be one.
pub(crate) fn map(exporter: &LangfuseExporter, records: &Records<Log>) -> Mapped<Request> {
    let config = exporter.config();
    let derived = records.derived_ids();
    if config.ingestion == Ingestion::Legacy {
        return ingestion::logs(config, records, &derived);
    }
    let mut requests = traces::requests(config).expecting(records.len());
    let mut refused = Vec::new();
    for (at, (log, id)) in records.iter().zip(&derived).enumerate() {
        match ids(config, at, log, *id) {
            Ok(ids) => push(config, &mut requests, at, ids, log),
            Err(cause) => refused.push(cause),
        }
    }
    traces::calls(config, requests.finish(), refused, |at, max| {
        let (Some(log), Some(id)) = (records.get(at), derived.get(at)) else {
            return Err(Refused::encode(at, "the record is gone"));
        };
        let ids = ids(config, at, log, *id)?;
        encode_within(at, log, max, |log| {
            let mut requests = traces::unlimited();
            push(config, &mut requests, 0, ids, log);
            Ok(requests.finish().pop().map(|chunk| chunk.body).unwrap_or_default())
        })
    })
}

/// Where a log stands, or why it stands nowhere.
///
/// The ids are made of what the log says, so that sending it again overwrites itself.
pub(crate) fn ids(config: &LangfuseConfig, at: usize, log: &Log, derived: Uuid) -> Result<Ids, Refused> {
    let (whole, low) = (derived.as_u128(), derived.as_u64_pair().1);
    // A UUID's variant stands in its lower half, which for that is never zero.
    let (Some(own), Some(span_id)) = (TraceId::new(whole), SpanId::new(low)) else {
        return Err(Refused::encode(at, "no id can be made of it"));
    };
    match (log.span, config.logs_without_trace) {
        (Some(place), _) => Ok(Ids { trace_id: place.trace_id, span_id, parent: place.span_id }),
        (None, LogsWithoutTrace::OwnTrace) => Ok(Ids { trace_id: own, span_id, parent: None }),
        (None, LogsWithoutTrace::Drop) => {
            let reason = "the log was made outside of any trace, and Langfuse has none elsewhere; \
                          logs_without_trace = \"own_trace\" makes each a trace of its own";
            Err(Refused::encode(at, reason))
        }
    }
}

/// Langfuse's name of a level.
pub(crate) const fn level(level: Level) -> &'static str {
    match level {
        Level::Trace | Level::Debug => "DEBUG",
        Level::Info => "DEFAULT",
        Level::Warn => "WARNING",
        Level::Error | Level::Fatal => "ERROR",
    }
}

/// Adds what a log says beyond its message.
pub(crate) fn put<'a>(log: &'a Log, to: &mut Metadata<'a>) {
    to.put("level", Item::Text(log.level.as_str()));
    to.text("eventName", log.event_name.as_ref());
    if let Some(data) = &log.data {
        to.put("data", Item::Document(data));
    }
    to.attributes(&log.attributes);
}

fn push(config: &LangfuseConfig, requests: &mut TraceRequests, at: usize, ids: Ids, log: &Log) {
    let known = Trace::of(config, &log.context, &log.resource);
    let mut metadata = Metadata::of_observation();
    trace::put(&log.context, &log.resource, &mut metadata);
    metadata.end_of_trace();
    put(log, &mut metadata);
    let parts = SpanParts {
        parent_span_id: ids.parent,
        ..SpanParts::new(ids.trace_id, ids.span_id, &config.log_name, log.time, log.time)
    };
    requests.push(at, &log.resource, &parts, |to| {
        to.str(attribute::TYPE, attribute::EVENT);
        to.str(attribute::LEVEL, level(log.level));
        to.str(attribute::INPUT, &log.message);
        known.write(to);
        metadata.write(to);
    });
}
