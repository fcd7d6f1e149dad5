//! The batches of events that servers before 3.22 take: every record as an event of its own, its trace as another.

use std::collections::HashSet;

use obs_core::{
    Call, Log, Mapped, Payload, Records, Refused, Resource, Span, SpanRecord, Timestamp, TraceContext,
    TraceId, VisitText, encode_within, write_json,
};
use serde::Serialize;
use uuid::Uuid;

use crate::judged::{self, Judgement};
use crate::logs::{self, Ids};
use crate::metadata::{Item, Metadata, Part};
use crate::observation::{Observation, Parameters, parent};
use crate::text;
use crate::trace::Trace;
use crate::wire::{EventHead, Input, ObservationBody, Place, Request, TraceBody};
use crate::{LangfuseConfig, span_metadata, trace, traces};

/// The most bytes of a batch.
const BYTES: usize = 3_500_000;

const HEAD: &[u8] = b"{\"batch\":[";
const TAIL: &[u8] = b"]}";

/// The most bytes of one record's events.
const ROOM: usize = BYTES - HEAD.len() - TAIL.len();

/// The most bytes of a root's input and output that its trace repeats.
const REPEATED: usize = 1_000_000;

/// The namespace of ids that are made of an event's content.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f62_735f_6c66_5f65_8f10_3c7e_2a55_91d4);

/// Batches of the spans that have ended.
pub(crate) fn spans(config: &LangfuseConfig, records: &Records<SpanRecord>) -> Mapped<Request> {
    let mut batches = Batches::default();
    for (at, record) in records.iter().enumerate() {
        match record {
            SpanRecord::Ended(_) => {
                batches.add(at, record, |record, events| span_events(config, record.span(), events));
            }
            SpanRecord::Started(_) => batches.refused.push(traces::started(at)),
        }
    }
    batches.end()
}

/// Batches of all logs that belong to a trace, or may be one.
pub(crate) fn logs(config: &LangfuseConfig, records: &Records<Log>, derived: &[Uuid]) -> Mapped<Request> {
    let mut batches = Batches::default();
    for (at, (log, id)) in records.iter().zip(derived).enumerate() {
        match logs::ids(config, at, log, *id) {
            Ok(ids) => batches.add(at, log, |log, events| log_events(config, log, ids, events)),
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
                    Ok(()) => batches.take(at, events.0),
                    Err(cause) => batches.refused.push(Refused::encode(at, cause)),
                }
            }
            Err(cause) => batches.refused.push(cause),
        }
    }
    batches.end()
}

fn span_events(config: &LangfuseConfig, span: &Span, to: &mut Events) -> Result<(), String> {
    let observation = Observation::of(span);
    let known = Trace::of(config, &span.context, &span.resource);
    let mut metadata = metadata(&known, &span.context, &span.resource);
    span_metadata::put(span, observation.tokens.differs, &mut metadata);
    let parent_observation_id = parent(span);
    let is_root = parent_observation_id.is_none();
    let start = span.ancestors().last().map_or(span.start, |top| top.start);
    let name = known.name.as_deref().or(is_root.then_some(span.name.as_str()));
    let io = repeated(span).filter(|_| is_root).unwrap_or_default();
    to.push("trace-create", start, &trace_body(span.trace_id, start, name, &known, metadata.trace(), io))?;
    let kind = match observation.kind {
        "generation" | "embedding" => "generation-create",
        _ => "span-create",
    };
    let body = ObservationBody {
        id: span.span_id,
        trace_id: span.trace_id,
        parent_observation_id,
        name: &span.name,
        start_time: text::time(span.start),
        end_time: span.end.map(text::time),
        completion_start_time: observation.first_token.map(text::time),
        level: observation.level,
        status_message: observation.status_message,
        model: observation.model,
        model_parameters: observation.parameters.map(Parameters::parts_as_text),
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

fn log_events(config: &LangfuseConfig, log: &Log, ids: Ids, to: &mut Events) -> Result<(), String> {
    let known = Trace::of(config, &log.context, &log.resource);
    let mut metadata = metadata(&known, &log.context, &log.resource);
    logs::put(log, &mut metadata);
    let name = known.name.as_deref();
    let body = trace_body(ids.trace_id, log.time, name, &known, metadata.trace(), (None, None));
    to.push("trace-create", log.time, &body)?;
    let body = ObservationBody {
        id: ids.span_id,
        trace_id: ids.trace_id,
        parent_observation_id: ids.parent,
        name: &config.log_name,
        start_time: text::time(log.time),
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

/// A root's input and output, which a trace shows as its own, unless they are so large that one place must do.
fn repeated(span: &Span) -> Option<(Option<&Payload>, Option<&Payload>)> {
    let bytes = |payload: Option<&Payload>| payload.map_or(0, |payload| payload.as_str().len());
    let (input, output) = (span.input.as_ref(), span.output.as_ref());
    (bytes(input) + bytes(output) <= REPEATED).then_some((input, output))
}

/// The trace's metadata; here it holds what the OTLP endpoint takes from elsewhere, too.
fn metadata<'a>(known: &Trace<'a>, context: &'a TraceContext, resource: &'a Resource) -> Metadata<'a> {
    let mut metadata = Metadata::of_observation();
    trace::put(context, resource, &mut metadata);
    if let Some(experiment) = known.experiment {
        metadata.put("experimentId", Item::Text(experiment));
    }
    if !resource.attributes.is_empty() {
        metadata.put_as_server("resourceAttributes", Item::Attributes(&resource.attributes));
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
        timestamp: text::time(start),
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

/// The events of one record, each with its id.
#[derive(Default)]
struct Events(Vec<(Uuid, Vec<u8>)>);

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
        let mut json = Vec::with_capacity(body.len() + 128);
        write_json(&mut json, &EventHead { id, timestamp: text::time(time), kind })
            .map_err(|cause| cause.to_string())?;
        // The body comes before the brace that ends the head.
        json.pop();
        json.extend_from_slice(b",\"body\":");
        json.extend_from_slice(body);
        json.push(b'}');
        self.0.push((id, json));
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
    /// What was told already: the same of a trace need not be told with each of its records.
    told: HashSet<Uuid>,
}

impl Batches {
    /// Adds a record's events, made smaller where they are too large.
    fn add<T: VisitText + Clone>(
        &mut self,
        at: usize,
        record: &T,
        encode: impl Fn(&T, &mut Events) -> Result<(), String>,
    ) {
        let mut events = Vec::new();
        let encoded = encode_within(at, record, ROOM, |record| {
            let mut of_record = Events::default();
            encode(record, &mut of_record)?;
            events = of_record.0;
            Ok(joined(&events))
        });
        match encoded {
            Ok(_) => self.take(at, events),
            Err(cause) => self.refused.push(cause),
        }
    }

    /// Adds these events; the last is the record's own, those before it tell of its trace.
    fn take(&mut self, at: usize, mut events: Vec<(Uuid, Vec<u8>)>) {
        let own = events.last().map(|(id, _)| *id);
        events.retain(|(id, _)| self.told.insert(*id) || Some(*id) == own);
        let json = joined(&events);
        let full = self.body.len() + 1 + json.len() + TAIL.len() > BYTES;
        if !self.records.is_empty() && (full || self.records.len() == traces::ITEMS) {
            self.cut();
        }
        self.body.extend_from_slice(if self.records.is_empty() { HEAD } else { b"," });
        self.body.extend_from_slice(&json);
        let position = self.records.len();
        self.events.extend(events.into_iter().map(|(id, _)| (id, position)));
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

fn joined(events: &[(Uuid, Vec<u8>)]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(events.iter().map(|(_, json)| json.len() + 1).sum());
    for (_, json) in events {
        if !joined.is_empty() {
            joined.push(b',');
        }
        joined.extend_from_slice(json);
    }
    joined
}
