//! What is told of a span.

use obs_core::{
    Attributes, Cost, Event, Link, LlmGeneration, Payload, PromptLink, ResultType, Span, SpanKind, SpanType,
    Status, Str, Value,
};
use serde::{Serialize, Serializer};

use super::shared::nothing;
use super::typed::Typed;
use crate::numbers::in_dollars;
use crate::wire::Time;

/// What a span has that a row has no field for.
#[derive(Debug, Serialize)]
pub(crate) struct OfSpan<'a> {
    span_type: &'static str,
    #[serde(skip_serializing_if = "SpanKind::is_internal")]
    span_kind: SpanKind,
    #[serde(skip_serializing_if = "Status::is_unset")]
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_flags: Option<u8>,
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
    typed: Option<Typed<'a>>,
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
            other => Some(Typed(other)),
        };
        Self {
            span_type: span.span_type.name(),
            span_kind: span.kind,
            status: span.status,
            trace_flags: span.unusual_flags(),
            trace_state: span.trace_state.as_deref(),
            links: &span.links,
            events: Events(&span.events),
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
struct Events<'a>(&'a [Event]);

impl Events<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
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
        serializer.collect_seq(self.0.iter().map(|event| One {
            time: Time(event.time),
            name: &event.name,
            attributes: &event.attributes,
        }))
    }
}
