//! What is known of the whole trace, under the names that spans have by OTLP.

use obs_core::{Entity, TraceContext};
use obs_otlp::conventions::Convention::{GenAi, General, Langfuse, Mastra, OpenInference};
use obs_otlp::conventions::{Field, name};

use crate::pairs::json;
use crate::wire::Scalar;

const ENTITY: [&str; 4] = ["obs.entity.kind", "obs.entity.id", "obs.entity.name", "obs.entity.version"];
const PARENT_ENTITY: [&str; 4] =
    ["obs.parent_entity.kind", "obs.parent_entity.id", "obs.parent_entity.name", "obs.parent_entity.version"];

/// Gives every attribute with its name.
pub(crate) fn put<'a>(context: &'a TraceContext, mut to: impl FnMut(&'a str, Scalar<'a>)) {
    for (name, value) in [
        (const { name(Langfuse, Field::TraceName) }, &context.name),
        (const { name(General, Field::UserId) }, &context.user_id),
        (const { name(General, Field::SessionId) }, &context.session_id),
        (const { name(GenAi, Field::ThreadId) }, &context.thread_id),
        (const { name(Mastra, Field::RequestId) }, &context.request_id),
        (const { name(Mastra, Field::OrganizationId) }, &context.organization_id),
        (const { name(General, Field::Environment) }, &context.environment),
        (const { name(General, Field::Release) }, &context.release),
        (const { name(Langfuse, Field::Version) }, &context.version),
        (const { name(Mastra, Field::Service) }, &context.service),
        (const { name(Mastra, Field::ExperimentId) }, &context.experiment_id),
    ] {
        if let Some(value) = value {
            to(name, Scalar::Text(value.as_str().into()));
        }
    }
    if !context.tags.is_empty() {
        to(const { name(OpenInference, Field::Tags) }, Scalar::Text(json(&context.tags)));
    }
    for (names, entity) in [(ENTITY, &context.entity), (PARENT_ENTITY, &context.parent_entity)] {
        if let Some(Entity { kind, id, name, version }) = entity {
            for (name, value) in names.into_iter().zip([kind, id, name, version]) {
                if let Some(value) = value {
                    to(name, Scalar::Text(value.as_str().into()));
                }
            }
        }
    }
    if !context.metadata.is_empty() {
        to(const { name(OpenInference, Field::Metadata) }, Scalar::Text(json(&context.metadata)));
    }
}
