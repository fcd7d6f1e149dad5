//! Where the fields of spans, traces and logs stand in OTLP.

use obs_core::{LlmGeneration, Log, Span, SpanType, Status, Str, TraceContext, Value as Attribute};
use serde_json::{Value, json};

use super::of_record::{cost, kind, of_call, of_entity, parameters, payload, stamp, text, tokens};
use crate::support::Seen;

/// Where a field stands in a span.
pub(super) enum At {
    /// An attribute as it is.
    Plain(&'static str),
    /// An attribute that is JSON in text.
    Json(&'static str),
    /// The span's own.
    Own(fn(&Seen) -> Value),
}
use At::{Json, Own, Plain};

impl At {
    pub(super) fn read(&self, seen: &Seen) -> Value {
        match self {
            Plain(key) => seen.attributes.get(*key).cloned().unwrap_or_default(),
            Json(key) => seen.json(key),
            Own(read) => read(seen),
        }
    }
}

pub(super) type Row<T> = (&'static str, At, fn(&T) -> Value);

pub(super) const SPANS: &[Row<Span>] = &[
    ("trace id", Own(|seen| seen.trace_id.to_string().into()), |span| span.trace_id.to_string().into()),
    ("span id", Own(|seen| seen.span_id.to_string().into()), |span| span.span_id.to_string().into()),
    ("parent", Own(|seen| seen.parent.clone().into()), |span| {
        let parent = span.parent_span_id.filter(|parent| *parent != span.span_id);
        parent.map_or(json!([]), |parent| parent.to_bytes().to_vec().into())
    }),
    ("name", Own(|seen| seen.name.clone().into()), |span| span.name.as_str().into()),
    ("start", Own(|seen| seen.start.into()), |span| span.start.as_nanos().into()),
    ("end", Own(|seen| seen.end.into()), |span| span.end.unwrap_or(span.start).as_nanos().into()),
    ("type", Plain("langfuse.observation.type"), |span| kind(&span.span_type).into()),
    ("level", Plain("langfuse.observation.level"), |span| {
        (if span.status == Status::Error { "ERROR" } else { "DEFAULT" }).into()
    }),
    ("status message", Plain("langfuse.observation.status_message"), |span| {
        let error = span.error.as_ref().map(|error| error.message.as_str());
        text(error.filter(|error| !error.is_empty()))
    }),
    ("input", Plain("langfuse.observation.input"), |span| payload(span.input.as_ref())),
    ("output", Plain("langfuse.observation.output"), |span| payload(span.output.as_ref())),
    ("model", Plain("langfuse.observation.model.name"), |span| match &span.span_type {
        SpanType::LlmGeneration(g) => text(g.response_model.as_deref().or(g.model.as_deref())),
        SpanType::Embedding(embedding) => text(embedding.model.as_deref()),
        _ => Value::Null,
    }),
    ("parameters", Json("langfuse.observation.model.parameters"), |span| of_call(span, parameters)),
    ("tokens", Json("langfuse.observation.usage_details"), |span| match &span.span_type {
        SpanType::LlmGeneration(generation) => tokens(&generation.usage),
        SpanType::Embedding(embedding) => tokens(&embedding.usage),
        _ => Value::Null,
    }),
    ("cost", Json("langfuse.observation.cost_details"), |span| {
        of_call(span, |call| call.cost.as_deref().map_or(Value::Null, cost))
    }),
    ("first token", Plain("langfuse.observation.completion_start_time"), |span| {
        let after = span.span_type.as_generation().and_then(|call| call.time_to_first_token);
        after.map_or(Value::Null, |after| {
            stamp(span.start.as_nanos() + u64::try_from(after.as_nanos()).unwrap())
        })
    }),
    ("prompt", Plain("langfuse.observation.prompt.name"), |span| {
        of_call(span, |call| text(call.prompt.as_ref().map(|prompt| prompt.name.as_str())))
    }),
    ("prompt version", Plain("langfuse.observation.prompt.version"), |span| {
        let version = |call: &LlmGeneration| call.prompt.as_ref()?.version.as_deref()?.parse::<i64>().ok();
        of_call(span, |call| version(call).map_or(Value::Null, Value::from))
    }),
    ("provider", Plain("langfuse.observation.metadata.provider"), |span| {
        text(span.span_type.model().and_then(|(_, provider, _)| provider).map(Str::as_str))
    }),
    ("finish reason", Plain("langfuse.observation.metadata.finishReason"), |span| {
        of_call(span, |call| text(call.finish_reason.as_deref()))
    }),
    ("chunks", Json("langfuse.observation.metadata.chunks"), |span| match &span.span_type {
        SpanType::RagQuery(query) if !query.chunks.is_empty() => serde_json::to_value(&query.chunks).unwrap(),
        _ => Value::Null,
    }),
    ("agent", Plain("langfuse.observation.metadata.agentId"), |span| match &span.span_type {
        SpanType::AgentRun(agent) => text(agent.agent_id.as_deref()),
        _ => Value::Null,
    }),
    ("tool call", Plain("langfuse.observation.metadata.toolCallId"), |span| match &span.span_type {
        SpanType::ToolCall(call) => text(call.call_id.as_deref()),
        SpanType::McpToolCall(mcp) => text(mcp.call.call_id.as_deref()),
        _ => Value::Null,
    }),
    ("error id", Plain("langfuse.observation.metadata.errorId"), |span| {
        let id = span.error.as_ref().and_then(|error| error.error_id);
        id.map_or(Value::Null, |id| id.to_string().into())
    }),
    ("error stack", Plain("langfuse.observation.metadata.errorStack"), |span| {
        text(span.error.as_ref().and_then(|error| error.stack.as_deref()))
    }),
    (
        "how many events",
        Own(|seen| seen.json("langfuse.observation.metadata.events").as_array().map_or(0, Vec::len).into()),
        |span| span.events.len().into(),
    ),
    (
        "how many links",
        Own(|seen| seen.json("langfuse.observation.metadata.links").as_array().map_or(0, Vec::len).into()),
        |span| span.links.len().into(),
    ),
];

/// What stands with every observation of a trace.
pub(super) const TRACES: &[Row<TraceContext>] = &[
    ("trace name", Plain("langfuse.trace.name"), |context| text(context.name.as_deref())),
    ("user", Plain("langfuse.user.id"), |context| text(context.user_id.as_deref())),
    ("session", Plain("langfuse.session.id"), |context| {
        text(context.session_id.as_deref().or(context.thread_id.as_deref()))
    }),
    ("tags", Plain("langfuse.trace.tags"), |context| {
        let tags: Vec<_> = context.tags.iter().map(Str::as_str).collect();
        if tags.is_empty() { Value::Null } else { tags.into() }
    }),
    ("environment", Plain("langfuse.environment"), |context| text(context.environment.as_deref())),
    ("release", Plain("langfuse.release"), |context| text(context.release.as_deref())),
    ("version", Plain("langfuse.version"), |context| text(context.version.as_deref())),
    ("experiment", Plain("langfuse.experiment.id"), |context| text(context.experiment_id.as_deref())),
    ("thread", Plain("langfuse.trace.metadata.threadId"), |context| text(context.thread_id.as_deref())),
    ("request", Plain("langfuse.trace.metadata.requestId"), |context| text(context.request_id.as_deref())),
    ("organisation", Plain("langfuse.trace.metadata.organizationId"), |context| {
        text(context.organization_id.as_deref())
    }),
    ("service", Plain("langfuse.trace.metadata.serviceName"), |context| text(context.service.as_deref())),
    ("entity's type", Plain("langfuse.trace.metadata.entityType"), |context| {
        of_entity(context.entity.as_ref(), |entity| &entity.kind)
    }),
    ("entity's id", Plain("langfuse.trace.metadata.entityId"), |context| {
        of_entity(context.entity.as_ref(), |entity| &entity.id)
    }),
    ("entity's name", Plain("langfuse.trace.metadata.entityName"), |context| {
        of_entity(context.entity.as_ref(), |entity| &entity.name)
    }),
    ("entity's version", Plain("langfuse.trace.metadata.entityVersion"), |context| {
        of_entity(context.entity.as_ref(), |entity| &entity.version)
    }),
    ("parent entity's type", Plain("langfuse.trace.metadata.parentEntityType"), |context| {
        of_entity(context.parent_entity.as_ref(), |entity| &entity.kind)
    }),
    ("parent entity's id", Plain("langfuse.trace.metadata.parentEntityId"), |context| {
        of_entity(context.parent_entity.as_ref(), |entity| &entity.id)
    }),
    ("tier", Plain("langfuse.trace.metadata.tier"), |context| {
        text(context.metadata.get("tier").and_then(Attribute::as_str))
    }),
];

pub(super) const LOGS: &[Row<Log>] = &[
    ("trace id", Own(|seen| seen.trace_id.to_string().into()), |log| {
        log.span.map_or(Value::Null, |span| span.trace_id.to_string().into())
    }),
    ("parent", Own(|seen| seen.parent.clone().into()), |log| {
        let parent = log.span.and_then(|span| span.span_id);
        parent.map_or(json!([]), |parent| parent.to_bytes().to_vec().into())
    }),
    ("start", Own(|seen| seen.start.into()), |log| log.time.as_nanos().into()),
    ("end", Own(|seen| seen.end.into()), |log| log.time.as_nanos().into()),
    ("name", Own(|seen| seen.name.clone().into()), |_| "log".into()),
    ("type", Plain("langfuse.observation.type"), |_| "event".into()),
    ("message", Plain("langfuse.observation.input"), |log| log.message.as_str().into()),
    ("level", Plain("langfuse.observation.metadata.level"), |log| log.level.as_str().into()),
    ("event name", Plain("langfuse.observation.metadata.eventName"), |log| text(log.event_name.as_deref())),
    ("data", Plain("langfuse.observation.metadata.data"), |log| payload(log.data.as_ref())),
];
