//! The batches of events that servers before 3.22 take: every record as an event of its own, its trace as another.

use std::collections::HashSet;
use std::sync::Arc;

use obs_core::{
    Call, Log, Mapped, Payload, Records, Refused, Resource, Span, SpanRecord, Timestamp, TraceContext,
    TraceId, VisitText, encode_within, write_json,
};
use serde::Serialize;
use uuid::Uuid;

use crate::judged::{self, Judgement};
use crate::logs::{self, Ids};
use crate::metadata::{Item, Metadata, Part};
use crate::observation::{Observation, parent};
use crate::text::Iso;
use crate::trace::Trace;
use crate::wire::{EventHead, Input, ObservationBody, Place, Request, TraceBody};
use crate::{LangfuseConfig, span_metadata, trace, traces};

/// The most bytes of a batch.
const BYTES: usize = 3_500_000;

const HEAD: &[u8] = b"{\"batch\":[";
const TAIL: &[u8] = b"]}";

/// The most bytes of one record's events.
const ROOM: usize = BYTES - HEAD.len() - TAIL.len();

/// The namespace of ids that are made of an event's content.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f62_735f_6c66_5f65_8f10_3c7e_2a55_91d4);

/// Batches of the spans that have ended.
pub(crate) fn spans(config: &LangfuseConfig, records: &Records<SpanRecord>) -> Mapped<Request> {
    let mut traces = Traces::default();
    let mut batches = Batches::default();
    for (at, record) in records.iter().enumerate() {
        if let SpanRecord::Started(_) = record {
            batches.refused.push(traces::started(at));
            continue;
        }
        let is_new = traces.is_new(record.span().trace_id, &record.span().context);
        batches.add(at, record, |record, events| span_events(config, record.span(), is_new, events));
    }
    batches.end()
}

/// Batches of all logs that belong to a trace, or may be one.
pub(crate) fn logs(config: &LangfuseConfig, records: &Records<Log>, derived: &[Uuid]) -> Mapped<Request> {
    let mut traces = Traces::default();
    let mut batches = Batches::default();
    for (at, (log, id)) in records.iter().zip(derived).enumerate() {
        match logs::ids(config, at, log, *id) {
            Ok(ids) => {
                let is_new = traces.is_new(ids.trace_id, &log.context);
                batches.add(at, log, |log, events| log_events(config, log, ids, is_new, events));
            }
            Err(cause) => batches.refused.push(cause),
        }
    }
    batches.end()
}

/// Batches of scores or feedback.
pub(crate) fn judgements<T: Judgement>(config: &LangfuseConfig, records: &Records<T>) -> Mapped<Request> {
    let mut batches = Batches::default();
    for (at, record) in records.iter().enumerate() {
        match judged::encoded(config, at, record, judged::BYTES) {
            Ok(body) => {
                let mut events = Events::default();
                let time = record.judged(config).time;
                match events.push_json("score-create", time, &body) {
                    Ok(()) => batches.take(at, events),
                    Err(cause) => batches.refused.push(Refused::encode(at, cause)),
                }
            }
            Err(cause) => batches.refused.push(cause),
        }
    }
    batches.end()
}

fn span_events(config: &LangfuseConfig, span: &Span, is_new: bool, to: &mut Events) -> Result<(), String> {
    let observation = Observation::of(span);
    let known = Trace::of(config, &span.context, &span.resource);
    let mut metadata = metadata(&known, &span.context, &span.resource);
    span_metadata::put(span, observation.tokens.differs, &mut metadata);
    let parent_observation_id = parent(span);
    let is_root = parent_observation_id.is_none();
    if is_new || is_root {
        let start = span.ancestors().last().map_or(span.start, |top| top.start);
        let name = known.name.as_deref().or(is_root.then_some(span.name.as_str()));
        let io = if is_root { (span.input.as_ref(), span.output.as_ref()) } else { (None, None) };
        to.push(
            "trace-create",
            start,
            &trace_body(span.trace_id, start, name, &known, metadata.trace(), io),
        )?;
    }
    let kind = match observation.kind {
        "generation" | "embedding" => "generation-create",
        _ => "span-create",
    };
    let body = ObservationBody {
        id: span.span_id,
        trace_id: span.trace_id,
        parent_observation_id,
        name: &span.name,
        start_time: Iso(span.start),
        end_time: span.end.map(Iso),
        completion_start_time: observation.first_token.map(Iso),
        level: observation.level,
        status_message: observation.status_message,
        model: observation.model,
        model_parameters: observation.parameters.as_ref(),
        usage_details: observation.tokens.details.as_ref(),
        cost_details: observation.cost.as_ref(),
        prompt_name: observation.prompt.map(|(name, _)| name),
        prompt_version: observation.prompt.map(|(_, version)| version),
        environment: known.environment.as_deref(),
        version: version(&known, &span.resource),
        metadata: metadata.observation(),
        input: observation.input.map(Input::Document),
        output: observation.output,
    };
    to.push(kind, span.start, &body)
}

fn log_events(
    config: &LangfuseConfig,
    log: &Log,
    ids: Ids,
    is_new: bool,
    to: &mut Events,
) -> Result<(), String> {
    let known = Trace::of(config, &log.context, &log.resource);
    let mut metadata = metadata(&known, &log.context, &log.resource);
    logs::put(log, &mut metadata);
    if is_new {
        let name = known.name.as_deref();
        let body = trace_body(ids.trace_id, log.time, name, &known, metadata.trace(), (None, None));
        to.push("trace-create", log.time, &body)?;
    }
    let body = ObservationBody {
        id: ids.span_id,
        trace_id: ids.trace_id,
        parent_observation_id: ids.parent,
        name: &config.log_name,
        start_time: Iso(log.time),
        end_time: None,
        completion_start_time: None,
        level: logs::level(log.level),
        status_message: None,
        model: None,
        model_parameters: None,
        usage_details: None,
        cost_details: None,
        prompt_name: None,
        prompt_version: None,
        environment: known.environment.as_deref(),
        version: version(&known, &log.resource),
        metadata: metadata.observation(),
        input: Some(Input::Message(&log.message)),
        output: None,
    };
    to.push("event-create", log.time, &body)
}

/// The trace's metadata; here it holds what the OTLP endpoint takes from elsewhere, too.
fn metadata<'a>(known: &Trace<'a>, context: &'a TraceContext, resource: &'a Resource) -> Metadata<'a> {
    let mut metadata = Metadata::default();
    trace::put(context, resource, &mut metadata);
    if let Some(experiment) = known.experiment {
        metadata.put("experimentId", Item::Text(experiment));
    }
    if !resource.attributes.is_empty() {
        metadata.put("resourceAttributes", Item::Attributes(&resource.attributes));
    }
    metadata.end_of_trace();
    metadata
}

fn version<'a>(known: &Trace<'a>, resource: &'a Resource) -> Option<&'a str> {
    known.version.or_else(|| resource.attributes.get("service.version")?.as_str())
}

fn trace_body<'m, 'a>(
    id: TraceId,
    start: Timestamp,
    name: Option<&'m str>,
    known: &'m Trace<'a>,
    metadata: Part<'m, 'a>,
    (input, output): (Option<&'m Payload>, Option<&'m Payload>),
) -> TraceBody<'m, 'a> {
    TraceBody {
        id,
        timestamp: Iso(start),
        name,
        user_id: known.user.as_deref(),
        session_id: known.session.as_deref(),
        tags: known.tags,
        environment: known.environment.as_deref(),
        release: known.release,
        version: known.version,
        metadata,
        input,
        output,
    }
}

/// Which traces a batch has told of already, each as it was known then.
#[derive(Default)]
struct Traces(HashSet<(TraceId, usize)>);

impl Traces {
    fn is_new(&mut self, trace_id: TraceId, context: &Arc<TraceContext>) -> bool {
        self.0.insert((trace_id, Arc::as_ptr(context).addr()))
    }
}

/// The events of one record, with commas between them.
#[derive(Default)]
struct Events {
    json: Vec<u8>,
    ids: Vec<Uuid>,
}

impl Events {
    fn push<T: Serialize>(&mut self, kind: &'static str, time: Timestamp, body: &T) -> Result<(), String> {
        let mut json = Vec::with_capacity(1_024);
        write_json(&mut json, body).map_err(|cause| cause.to_string())?;
        self.push_json(kind, time, &json)
    }

    /// Adds an event of this body.
    ///
    /// Its id is made of its content: the server drops an id that it has seen, so that a batch sent again changes nothing,
    /// and what differs has another.
    fn push_json(&mut self, kind: &'static str, time: Timestamp, body: &[u8]) -> Result<(), String> {
        let id = Uuid::new_v5(&NAMESPACE, &[kind.as_bytes(), body].concat());
        if !self.json.is_empty() {
            self.json.push(b',');
        }
        let head = EventHead { id, timestamp: Iso(time), kind };
        write_json(&mut self.json, &head).map_err(|cause| cause.to_string())?;
        // The body comes before the brace that ends the head.
        self.json.pop();
        self.json.extend_from_slice(b",\"body\":");
        self.json.extend_from_slice(body);
        self.json.push(b'}');
        self.ids.push(id);
        Ok(())
    }
}

/// Batches under way.
#[derive(Default)]
struct Batches {
    done: Vec<Call<Request>>,
    refused: Vec<Refused>,
    body: Vec<u8>,
    records: Vec<usize>,
    events: Vec<(Uuid, usize)>,
}

impl Batches {
    /// Adds a record's events, made smaller where they are too large.
    fn add<T: VisitText + Clone>(
        &mut self,
        at: usize,
        record: &T,
        encode: impl Fn(&T, &mut Events) -> Result<(), String>,
    ) {
        let mut ids = Vec::new();
        let encoded = encode_within(at, record, ROOM, |record| {
            let mut events = Events::default();
            encode(record, &mut events)?;
            ids = events.ids;
            Ok(events.json)
        });
        match encoded {
            Ok(json) => self.take(at, Events { json, ids }),
            Err(cause) => self.refused.push(cause),
        }
    }

    fn take(&mut self, at: usize, events: Events) {
        let full = self.body.len() + 1 + events.json.len() + TAIL.len() > BYTES;
        if !self.records.is_empty() && (full || self.records.len() == traces::ITEMS) {
            self.cut();
        }
        self.body.extend_from_slice(if self.records.is_empty() { HEAD } else { b"," });
        self.body.extend_from_slice(&events.json);
        let position = self.records.len();
        self.events.extend(events.ids.into_iter().map(|id| (id, position)));
        self.records.push(at);
    }

    fn cut(&mut self) {
        let (mut body, records) = (std::mem::take(&mut self.body), std::mem::take(&mut self.records));
        body.extend_from_slice(TAIL);
        let events = std::mem::take(&mut self.events);
        let request = Request { place: Place::Ingestion, body, len: records.len(), events };
        self.done.push(Call { request, records });
    }

    fn end(mut self) -> Mapped<Request> {
        if !self.records.is_empty() {
            self.cut();
        }
        Mapped { calls: self.done, refused: self.refused }
    }
}
