//! The metadata of rows: what has no field of its own, so that nothing is lost.

use std::slice;

use obs_core::{
    Attributes, Cost, Entity, Event, Link, LlmGeneration, Log, Payload, PromptLink, Resource, ResultType,
    Span, SpanKind, SpanType, Status, Str, TraceContext, Value,
};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::metrics::in_dollars;
use crate::wire::Time;

/// The fields of obs, the trace's, and what the application adds; one object.
#[derive(Debug, Serialize)]
pub(crate) struct Metadata<'a, O: Serialize> {
    #[serde(flatten)]
    pub(crate) own: O,
    #[serde(flatten)]
    pub(crate) shared: Shared<'a>,
    #[serde(flatten)]
    pub(crate) loose: Loose<'a>,
}

/// Names that the application's own fields cannot take; what is called so stands in an object of its own.
pub(crate) const RESERVED: &[&str] = &[
    "agent_run",
    "attributes",
    "cost",
    "data",
    "embedding",
    "entity",
    "environment",
    "eval_execution",
    "event_name",
    "events",
    "experiment_id",
    "feedback_id",
    "finish_reason",
    "kind",
    "level",
    "links",
    "max_tokens",
    "mcp_tool_call",
    "memory_lookup",
    "memory_update",
    "model",
    "name",
    "organization_id",
    "parameters",
    "parent_entity",
    "prompt",
    "provider",
    "rag_query",
    "range",
    "raw_scores",
    "release",
    "request_id",
    "resource",
    "response_id",
    "response_model",
    "result_type",
    "score_id",
    "scorer",
    "service",
    "session_id",
    "source",
    "span_kind",
    "span_type",
    "status",
    "streaming",
    "tags",
    "temperature",
    "thread_id",
    "time",
    "tool_call",
    "tools",
    "top_p",
    "trace_flags",
    "trace_metadata",
    "trace_name",
    "trace_state",
    "user_id",
    "value",
    "version",
    "workflow_run",
    "workflow_step",
];

/// What is known of the whole trace, on every row, since Braintrust filters by row.
#[derive(Debug, Serialize)]
pub(crate) struct Shared<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    experiment_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity: Option<&'a Entity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_entity: Option<&'a Entity>,
    #[serde(skip_serializing_if = "nothing")]
    resource: &'a Attributes,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn nothing(attributes: &&Attributes) -> bool {
    attributes.is_empty()
}

impl<'a> Shared<'a> {
    pub(crate) fn of(context: &'a TraceContext, resource: &'a Resource) -> Self {
        Self {
            trace_name: context.name.as_deref(),
            user_id: context.user_id.as_deref(),
            session_id: context.session_id.as_deref(),
            thread_id: context.thread_id.as_deref(),
            request_id: context.request_id.as_deref(),
            organization_id: context.organization_id.as_deref(),
            environment: context.environment.as_deref(),
            release: context.release.as_deref(),
            version: context.version.as_deref(),
            service: context.service.as_deref().or(resource.service_name()),
            experiment_id: context.experiment_id.as_deref(),
            entity: context.entity.as_ref(),
            parent_entity: context.parent_entity.as_ref(),
            resource: &resource.attributes,
        }
    }

    /// With the experiment and the user that the record names itself.
    pub(crate) fn naming(self, experiment_id: Option<&'a Str>, user_id: Option<&'a Str>) -> Self {
        Self {
            experiment_id: experiment_id.map(Str::as_str).or(self.experiment_id),
            user_id: user_id.map(Str::as_str).or(self.user_id),
            ..self
        }
    }
}

/// Fields of the application's own, each where it can be filtered by its name: the first of the sources that has a name
/// counts; what is covered stands in the object that the source is named by.
#[derive(Debug)]
pub(crate) struct Loose<'a> {
    pub(crate) sources: [(&'static str, &'a Attributes); 3],
}

static NONE: Attributes = Attributes::new();

impl<'a> Loose<'a> {
    /// A record's attributes before the trace's.
    pub(crate) fn of(attributes: &'a Attributes, context: &'a TraceContext) -> Self {
        Self::with_parameters(&NONE, attributes, context)
    }

    pub(crate) fn with_parameters(
        parameters: &'a Attributes,
        attributes: &'a Attributes,
        context: &'a TraceContext,
    ) -> Self {
        let trace = ("trace_metadata", &context.metadata);
        Self { sources: [("parameters", parameters), ("attributes", attributes), trace] }
    }

    fn is_covered(&self, source: usize, name: &str) -> bool {
        RESERVED.contains(&name)
            || self.sources[..source].iter().any(|(_, before)| before.get(name).is_some())
    }
}

impl Serialize for Loose<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (nth, (object, attributes)) in self.sources.iter().enumerate() {
            let mut covered = false;
            for (name, value) in attributes.iter() {
                if self.is_covered(nth, name) {
                    covered = true;
                } else {
                    map.serialize_entry(name, value)?;
                }
            }
            if covered {
                map.serialize_entry(object, &Covered(self, nth))?;
            }
        }
        map.end()
    }
}

/// What of a source is covered.
struct Covered<'a>(&'a Loose<'a>, usize);

impl Serialize for Covered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(loose, nth) = self;
        let (_, attributes) = loose.sources[*nth];
        serializer.collect_map(attributes.iter().filter(|(name, _)| loose.is_covered(*nth, name)))
    }
}

/// What a span has that a row has no field for.
#[derive(Debug, Serialize)]
pub(crate) struct OfSpan<'a> {
    span_type: &'static str,
    #[serde(skip_serializing_if = "SpanKind::is_internal")]
    span_kind: SpanKind,
    #[serde(skip_serializing_if = "Status::is_unset")]
    status: Status,
    #[serde(skip_serializing_if = "sampled")]
    trace_flags: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_state: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    links: &'a [Link],
    #[serde(skip_serializing_if = "Events::is_empty")]
    events: Events<'a>,
    /// Where the root's row is another service's, which alone shows tags.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tags: &'a [Str],
    #[serde(flatten)]
    call: Option<Call<'a>>,
    /// All other types as their own object, under the type's name.
    #[serde(flatten)]
    typed: Option<&'a SpanType>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn sampled(flags: &u8) -> bool {
    *flags == 1
}

impl<'a> OfSpan<'a> {
    pub(crate) fn new(span: &'a Span) -> Self {
        let call = match &span.span_type {
            SpanType::LlmGeneration(generation) => Some(Call::of(generation)),
            SpanType::Embedding(embedding) => {
                let (model, provider) = (embedding.model.as_deref(), embedding.provider.as_deref());
                Some(Call { model, provider, ..Call::default() })
            }
            _ => None,
        };
        let typed = match &span.span_type {
            SpanType::LlmGeneration(_) | SpanType::Generic => None,
            other => Some(other),
        };
        Self {
            span_type: span.span_type.name(),
            span_kind: span.kind,
            status: span.status,
            trace_flags: span.trace_flags,
            trace_state: span.trace_state.as_deref(),
            links: &span.links,
            events: Events(span.events.iter()),
            tags: if span.remote_parent { &span.context.tags } else { &[] },
            call,
            typed,
        }
    }
}

/// What a model call has, flat, as Braintrust's own clients write it.
#[derive(Debug, Default, Serialize)]
struct Call<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<&'a Payload>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_type: Option<ResultType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    streaming: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<&'a PromptLink>,
    /// What `estimated_cost` does not say: its parts, another currency, that a price was missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<&'a Cost>,
}

impl<'a> Call<'a> {
    fn of(call: &'a LlmGeneration) -> Self {
        let more = |cost: &&Cost| {
            cost.partial || cost.input.is_some() || cost.output.is_some() || in_dollars(cost).is_none()
        };
        Self {
            // Braintrust finds prices by the name under which the model is asked for.
            model: call.model.as_deref().or(call.response_model.as_deref()),
            provider: call.provider.as_deref(),
            response_model: call.response_model.as_deref(),
            response_id: call.response_id.as_deref(),
            temperature: call.parameters.temperature.map(Value::F64),
            top_p: call.parameters.top_p.map(Value::F64),
            max_tokens: call.parameters.max_tokens,
            tools: call.tools.as_ref(),
            result_type: call.result_type,
            finish_reason: call.finish_reason.as_deref(),
            streaming: call.streaming,
            prompt: call.prompt.as_deref(),
            cost: call.cost.as_deref().filter(more),
        }
    }
}

/// What happened during a span, with times as people read them.
#[derive(Debug)]
struct Events<'a>(slice::Iter<'a, Event>);

impl Events<'_> {
    fn is_empty(&self) -> bool {
        self.0.len() == 0
    }
}

impl Serialize for Events<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct One<'a> {
            time: Time,
            name: &'a str,
            #[serde(skip_serializing_if = "nothing")]
            attributes: &'a Attributes,
        }
        serializer.collect_seq(self.0.clone().map(|event| One {
            time: Time(event.time),
            name: &event.name,
            attributes: &event.attributes,
        }))
    }
}

/// What a log has that a row has no field for.
#[derive(Debug, Serialize)]
pub(crate) struct OfLog<'a> {
    level: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Payload>,
}

impl<'a> OfLog<'a> {
    pub(crate) fn new(log: &'a Log) -> Self {
        Self { level: log.level.as_str(), event_name: log.event_name.as_deref(), data: log.data.as_ref() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use obs_core::{Batch, Signal};
    use obs_testkit::fixtures;
    use serde_json::Value as Json;

    use super::*;

    fn names(written: &impl Serialize) -> BTreeSet<String> {
        let Ok(Json::Object(fields)) = serde_json::to_value(written) else { panic!("no object") };
        fields.into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn every_name_of_ours_is_reserved() {
        let (Batch::Traces(spans), Batch::Logs(logs)) =
            (fixtures::batch(Signal::Traces), fixtures::batch(Signal::Logs))
        else {
            panic!("other signals")
        };
        let spans = spans.iter().map(|record| names(&OfSpan::new(record.span())));
        let logs = logs.iter().map(|log| names(&OfLog::new(log)));
        let shared = names(&Shared::of(&fixtures::context(), &fixtures::resource()));
        let all: BTreeSet<String> = spans.chain(logs).flatten().chain(shared).collect();
        assert!(all.len() > 40, "{all:?}");
        for name in &all {
            assert!(RESERVED.contains(&name.as_str()), "{name} is not reserved");
        }
    }

    #[test]
    fn a_name_that_is_taken_stands_in_its_source_s_object_and_none_stands_twice() {
        let of = |value: i64| RESERVED.iter().copied().chain(["own", "page"]).map(move |name| (name, value));
        let (parameters, attributes): (Attributes, Attributes) = (of(1).collect(), of(2).collect());
        let context = TraceContext { metadata: of(3).collect(), ..TraceContext::default() };
        let loose = Loose::with_parameters(&parameters, &attributes, &context);
        let written = serde_json::to_string(&loose).unwrap();
        assert_eq!(written.matches("\"own\":").count(), 3);
        let read: Json = serde_json::from_str(&written).unwrap();
        assert_eq!((&read["own"], &read["page"]), (&Json::from(1), &Json::from(1)));
        for (object, value, taken) in [("parameters", 1, 0), ("attributes", 2, 2), ("trace_metadata", 3, 2)] {
            let covered = read[object].as_object().unwrap();
            assert_eq!(covered.len(), RESERVED.len() + taken);
            assert!(covered.values().all(|found| *found == value));
        }
        assert_eq!(names(&loose).len(), 2 + 3);
    }
}
