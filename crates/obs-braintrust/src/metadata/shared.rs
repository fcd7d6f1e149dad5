//! What is known of the whole trace.

use obs_core::{Attributes, Entity, Resource, Str, TraceContext};
use serde::Serialize;

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
pub(super) fn nothing(attributes: &&Attributes) -> bool {
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
