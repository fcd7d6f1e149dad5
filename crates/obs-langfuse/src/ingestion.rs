//! The batches of events that servers before 3.22 take: every record as an event of its own, its trace as another.

use obs_core::{
    Log, Mapped, Payload, Records, Refused, Resource, Span, SpanRecord, Timestamp, TraceContext, TraceId,
};
use uuid::Uuid;

use crate::batches::{Batches, Events};
use crate::judged::{self, Judgement};
use crate::logs::{self, Ids};
use crate::metadata::{Item, Metadata, Part};
use crate::observation::{Observation, Parameters, parent};
use crate::trace::Trace;
use crate::wire::{Input, ObservationBody, Request, TraceBody};
use crate::{LangfuseConfig, span_metadata, text, trace, traces};

/// The most bytes of a root's input and output that its trace repeats.
const REPEATED: usize = 1_000_000;

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
                    Ok(()) => batches.take(at, events),
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
