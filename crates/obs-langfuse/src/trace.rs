//! What Langfuse is told of the trace with every observation, since it filters observations by it.

use std::borrow::Cow;

use obs_core::{Entity, Resource, Str, TraceContext};
use obs_otlp::encode::Fields;

use crate::attribute;
use crate::metadata::{Item, Metadata};
use crate::{LangfuseConfig, text};

/// The fields of a trace that Langfuse has.
pub(crate) struct Trace<'a> {
    pub(crate) name: Option<Cow<'a, str>>,
    pub(crate) user: Option<Cow<'a, str>>,
    pub(crate) session: Option<Cow<'a, str>>,
    pub(crate) tags: &'a [Str],
    pub(crate) environment: Option<Cow<'a, str>>,
    pub(crate) release: Option<&'a str>,
    pub(crate) version: Option<&'a str>,
    pub(crate) experiment: Option<&'a str>,
}

impl<'a> Trace<'a> {
    /// What is known of the trace of a record.
    ///
    /// A conversation is a session where no session is named.
    pub(crate) fn of(config: &'a LangfuseConfig, context: &'a TraceContext, resource: &'a Resource) -> Self {
        let name = |text: &'a Option<Str>| text.as_deref().filter(|text| !text.is_empty()).map(text::name);
        Self {
            name: name(&context.name),
            user: name(&context.user_id),
            session: name(&context.session_id).or_else(|| name(&context.thread_id)),
            tags: &context.tags,
            environment: environment(config, context, resource),
            release: context.release.as_deref().or(config.release.as_deref()),
            version: context.version.as_deref(),
            experiment: context.experiment_id.as_deref(),
        }
    }

    /// Puts them as attributes.
    pub(crate) fn write(&self, to: &mut Fields<'_>) {
        to.opt_str(attribute::TRACE_NAME, self.name.as_ref());
        to.opt_str(attribute::USER_ID, self.user.as_ref());
        to.opt_str(attribute::SESSION_ID, self.session.as_ref());
        if !self.tags.is_empty() {
            to.strs(attribute::TAGS, self.tags);
        }
        to.opt_str(attribute::ENVIRONMENT, self.environment.as_ref());
        to.opt_str(attribute::RELEASE, self.release);
        to.opt_str(attribute::VERSION, self.version);
        to.opt_str(attribute::EXPERIMENT_ID, self.experiment);
    }
}

/// The environment of a record as the server will have it: its own, else its resource's, else the config's.
///
/// Scores and observations are found together only where they agree, so that this serves all of them.
pub(crate) fn environment<'a>(
    config: &'a LangfuseConfig,
    context: &'a TraceContext,
    resource: &'a Resource,
) -> Option<Cow<'a, str>> {
    given_environment(context, resource).or(config.environment.as_deref()).map(text::environment)
}

fn given_environment<'a>(context: &'a TraceContext, resource: &'a Resource) -> Option<&'a str> {
    let of_resource = || {
        let named = ["deployment.environment.name", "deployment.environment"];
        named.into_iter().find_map(|name| resource.attributes.get(name)?.as_str())
    };
    context.environment.as_deref().or_else(of_resource).filter(|name| !name.is_empty())
}

/// Adds what is known of the trace beyond those fields.
pub(crate) fn put<'a>(context: &'a TraceContext, resource: &'a Resource, to: &mut Metadata<'a>) {
    to.text("threadId", context.thread_id.as_ref());
    to.text("requestId", context.request_id.as_ref());
    to.text("organizationId", context.organization_id.as_ref());
    to.text("serviceName", context.service.as_ref());
    if let Some(entity) = &context.entity {
        put_entity(entity, ["entityType", "entityId", "entityName", "entityVersion"], to);
    }
    if let Some(parent) = &context.parent_entity {
        let keys = ["parentEntityType", "parentEntityId", "parentEntityName", "parentEntityVersion"];
        put_entity(parent, keys, to);
    }
    if let Some(given) =
        given_environment(context, resource).filter(|given| text::environment(given) != *given)
    {
        to.put("environment", Item::Text(given));
    }
    to.attributes(&context.metadata);
}

fn put_entity<'a>(entity: &'a Entity, keys: [&'static str; 4], to: &mut Metadata<'a>) {
    let values = [&entity.kind, &entity.id, &entity.name, &entity.version];
    for (key, value) in keys.into_iter().zip(values) {
        to.text(key, value.as_ref());
    }
}
