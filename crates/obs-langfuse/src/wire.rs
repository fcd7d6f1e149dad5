//! Requests and answers in Langfuse's words; no logic.

use std::borrow::Cow;

use obs_core::{Attributes, Decision, Event, Link, Payload, Rfc3339, SpanId, Str, TraceId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::metadata::Part;
use crate::observation::Parameters;
use crate::text;
use crate::usage::Details;

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The OTLP endpoint.
    Traces,
    /// The endpoint for scores, with one of them or an array.
    Scores,
    /// The endpoint for batches of events.
    Ingestion,
}

/// A request before compression.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) place: Place,
    pub(crate) body: Vec<u8>,
    /// How many records it carries.
    pub(crate) len: usize,
    /// For a batch of events, their ids and the records they are of, by position in the request.
    pub(crate) events: Vec<(Uuid, usize)>,
}

/// A score.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScoreBody<'m, 'a> {
    pub(crate) id: Uuid,
    #[serde(flatten)]
    pub(crate) target: TargetBody<'a>,
    pub(crate) name: Cow<'a, str>,
    #[serde(flatten)]
    pub(crate) value: ValueBody<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) comment: Option<&'a str>,
    #[serde(skip_serializing_if = "Part::is_empty")]
    pub(crate) metadata: Part<'m, 'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) environment: Option<&'a str>,
    pub(crate) timestamp: Rfc3339,
}

/// What a score is of: the server wants exactly one.
#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub(crate) enum TargetBody<'a> {
    Observation { trace_id: TraceId, observation_id: SpanId },
    Trace { trace_id: TraceId },
    Session { session_id: Cow<'a, str> },
    DatasetRun { dataset_run_id: &'a str },
}

/// A score's value and its type.
#[derive(Serialize)]
#[serde(tag = "dataType", content = "value", rename_all = "UPPERCASE")]
pub(crate) enum ValueBody<'a> {
    Numeric(f64),
    Boolean(u8),
    Categorical(&'a str),
    Text(Cow<'a, str>),
    Correction(&'a str),
}

/// What the endpoint for scores answers to an array, and to one score with status 207.
#[derive(Deserialize)]
pub(crate) struct ScoresAnswer {
    pub(crate) rejected: usize,
    #[serde(default)]
    pub(crate) errors: Vec<ScoreFault>,
}

/// Why a score was refused.
#[derive(Deserialize)]
pub(crate) struct ScoreFault {
    #[serde(default)]
    pub(crate) message: String,
}

/// What stands before the body of an event of a batch.
#[derive(Serialize)]
pub(crate) struct EventHead {
    pub(crate) id: Uuid,
    pub(crate) timestamp: Rfc3339,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
}

/// A trace, in a batch of events.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TraceBody<'m, 'a> {
    pub(crate) id: TraceId,
    pub(crate) timestamp: Rfc3339,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<&'m str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_id: Option<&'m str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session_id: Option<&'m str>,
    #[serde(skip_serializing_if = "<[Str]>::is_empty")]
    pub(crate) tags: &'m [Str],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) environment: Option<&'m str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) release: Option<&'m str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<&'m str>,
    #[serde(skip_serializing_if = "Part::is_empty")]
    pub(crate) metadata: Part<'m, 'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) input: Option<&'m Payload>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output: Option<&'m Payload>,
}

/// An observation, in a batch of events.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ObservationBody<'m, 'a> {
    pub(crate) id: SpanId,
    pub(crate) trace_id: TraceId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parent_observation_id: Option<SpanId>,
    pub(crate) name: &'m str,
    pub(crate) start_time: Rfc3339,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) end_time: Option<Rfc3339>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) completion_start_time: Option<Rfc3339>,
    pub(crate) level: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status_message: Option<&'m str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<&'m str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model_parameters: Option<Parameters<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) usage_details: Option<&'m Details<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cost_details: Option<&'m Details<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prompt_name: Option<&'m str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prompt_version: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) environment: Option<&'m str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<&'m str>,
    #[serde(skip_serializing_if = "Part::is_empty")]
    pub(crate) metadata: Part<'m, 'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) input: Option<Input<'m>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output: Option<&'m Payload>,
}

/// What an observation was given: a span's input, or a log's message.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Input<'m> {
    Document(&'m Payload),
    Message(&'m str),
}

/// What the endpoint for batches answers.
#[derive(Deserialize)]
pub(crate) struct IngestionAnswer {
    #[serde(default)]
    pub(crate) successes: Option<Vec<EventTaken>>,
    #[serde(default)]
    pub(crate) errors: Option<Vec<EventFault>>,
}

/// An event that was taken.
#[derive(Deserialize)]
pub(crate) struct EventTaken {
    #[serde(default)]
    pub(crate) id: String,
}

/// Why an event was refused.
#[derive(Deserialize)]
pub(crate) struct EventFault {
    #[serde(default)]
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) message: Option<String>,
    #[serde(default)]
    pub(crate) error: Option<serde_json::Value>,
}

/// What the endpoint for projects answers.
#[derive(Deserialize)]
pub(crate) struct ProjectsAnswer {
    #[serde(default)]
    pub(crate) data: Vec<Project>,
}

/// A project.
#[derive(Deserialize)]
pub(crate) struct Project {
    pub(crate) id: String,
}

/// A choice of an agent's, in metadata.
#[derive(Serialize)]
pub(crate) struct DecisionBody<'a> {
    time: Rfc3339,
    action: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Str]>::is_empty")]
    alternatives: &'a [Str],
}

impl<'a> DecisionBody<'a> {
    pub(crate) fn of(decision: &'a Decision) -> Self {
        Self {
            time: text::time(decision.time),
            action: &decision.action,
            reasoning: decision.reasoning.as_deref(),
            alternatives: &decision.alternatives,
        }
    }
}

/// An event of a span, in metadata.
#[derive(Serialize)]
pub(crate) struct EventBody<'a> {
    time: Rfc3339,
    name: &'a str,
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    attributes: &'a Attributes,
}

impl<'a> EventBody<'a> {
    pub(crate) fn of(event: &'a Event) -> Self {
        Self { time: text::time(event.time), name: &event.name, attributes: &event.attributes }
    }
}

/// A link of a span, in metadata.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LinkBody<'a> {
    trace_id: TraceId,
    span_id: SpanId,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_state: Option<&'a str>,
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    attributes: &'a Attributes,
}

impl<'a> LinkBody<'a> {
    pub(crate) fn of(link: &'a Link) -> Self {
        Self {
            trace_id: link.trace_id,
            span_id: link.span_id,
            trace_state: link.trace_state.as_deref(),
            attributes: &link.attributes,
        }
    }
}
