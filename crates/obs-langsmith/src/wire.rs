//! LangSmith's JSON, in LangSmith's words; no logic.

use std::borrow::Cow;
use std::collections::BTreeMap;

use obs_core::{Attributes, Payload, Resource, Rfc3339, Str, TraceContext, Value};
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::metadata::{Metadata, Who, of_context};
use crate::object::Object;

/// A run without the fields that travel beside it.
#[derive(Debug, Serialize)]
pub(crate) struct RunBody<'a> {
    pub(crate) id: Uuid,
    pub(crate) trace_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parent_run_id: Option<Uuid>,
    pub(crate) dotted_order: &'a str,
    pub(crate) name: &'a str,
    pub(crate) run_type: &'static str,
    pub(crate) start_time: Rfc3339,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) end_time: Option<Rfc3339>,
    /// The project, by one of both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session_id: Option<Uuid>,
    #[serde(skip_serializing_if = "<[Str]>::is_empty")]
    pub(crate) tags: &'a [Str],
}

/// Something that happened during a run.
#[derive(Debug, Serialize)]
pub(crate) struct RunEvent<'a> {
    pub(crate) name: &'a str,
    pub(crate) time: Rfc3339,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kwargs: Option<&'a Attributes>,
}

/// What LangSmith keeps beside a run.
#[derive(Debug, Serialize)]
pub(crate) struct Extra<'a> {
    pub(crate) metadata: Metadata<'a>,
    pub(crate) runtime: Runtime<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) invocation_params: Option<InvocationParams<'a>>,
}

/// What made a run.
#[derive(Debug, Serialize)]
pub(crate) struct Runtime<'a> {
    pub(crate) sdk: &'static str,
    pub(crate) sdk_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<&'a Str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scope_version: Option<&'a Str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scope_attributes: Option<&'a Attributes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resource: Option<&'a Attributes>,
}

/// What a model was called with.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct InvocationParams<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<&'a Str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tools: Option<&'a Payload>,
    #[serde(flatten)]
    pub(crate) other: BTreeMap<&'a str, &'a Value>,
}

/// A feedback: a score's or a person's.
#[derive(Debug, Serialize)]
pub(crate) struct FeedbackBody<'a> {
    pub(crate) id: Uuid,
    pub(crate) key: &'a str,
    /// None, said as `null`, is feedback on the project as a whole.
    pub(crate) run_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trace_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) score: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) comment: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) correction: Option<Cow<'a, str>>,
    pub(crate) feedback_source: FeedbackSource<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) feedback_config: Option<FeedbackConfig<'a>>,
    pub(crate) created_at: Rfc3339,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) extend_trace_retention: Option<bool>,
}

/// A score's number; a truth value is a whole one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Number {
    Truth(u8),
    Value(f64),
}

/// Who judged.
#[derive(Debug, Serialize)]
pub(crate) struct FeedbackSource<'a> {
    pub(crate) r#type: &'static str,
    pub(crate) metadata: SourceMetadata<'a>,
}

/// What is known of who judged, and what else was said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SourceMetadata<'a> {
    pub(crate) source: Option<&'a Str>,
    pub(crate) scorer_id: Option<&'a Str>,
    pub(crate) scorer_name: Option<&'a Str>,
    pub(crate) scorer_version: Option<&'a Str>,
    pub(crate) user_id: Option<&'a Str>,
    pub(crate) experiment_id: Option<&'a Str>,
    pub(crate) free: &'a Attributes,
    pub(crate) context: &'a TraceContext,
    pub(crate) resource: &'a Resource,
}

impl Serialize for SourceMetadata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = Object::new(serializer.serialize_map(None)?);
        out.some("source", self.source)?;
        out.some("scorer_id", self.scorer_id)?;
        out.some("scorer_name", self.scorer_name)?;
        out.some("scorer_version", self.scorer_version)?;
        let Self { user_id, experiment_id, context, resource, .. } = *self;
        of_context(&mut out, context, resource, Who { user_id, experiment_id })?;
        out.list::<Str>("tags", &context.tags)?;
        if !resource.attributes.is_empty() {
            out.put("resource", &resource.attributes)?;
        }
        out.some("scope", resource.scope.as_ref().map(|scope| &scope.name))?;
        out.free("metadata", self.free)?;
        out.free("trace_metadata", &context.metadata)?;
        out.end()
    }
}

/// What the values of a key can be; the first feedback of a key defines it.
#[derive(Debug, Serialize)]
pub(crate) struct FeedbackConfig<'a> {
    pub(crate) r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) min: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) categories: Vec<FeedbackCategory<'a>>,
}

/// One of the values of a key.
#[derive(Debug, Serialize)]
pub(crate) struct FeedbackCategory<'a> {
    pub(crate) value: Number,
    pub(crate) label: &'a str,
}
