//! Tags, and among them service, environment and version, which Datadog joins everything by.

use std::borrow::Cow;

use obs_core::{Resource, Str, TraceContext, Value};

use crate::metadata::flat;
use crate::{DatadogConfig, DatadogExporter};

/// What Datadog calls unified service tagging.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unified<'a> {
    pub(crate) service: Option<&'a str>,
    pub(crate) env: Option<&'a str>,
    pub(crate) version: Option<&'a str>,
}

impl<'a> Unified<'a> {
    /// What a record says of itself, and the configuration where it says nothing.
    pub(crate) fn of(config: &'a DatadogConfig, context: &'a TraceContext, resource: &'a Resource) -> Self {
        let attribute = |name| resource.attributes.get(name).and_then(Value::as_str);
        let environment =
            || attribute("deployment.environment.name").or_else(|| attribute("deployment.environment"));
        Self {
            service: context
                .service
                .as_deref()
                .or_else(|| attribute("service.name"))
                .or_else(|| config.unified_service()),
            env: context.environment.as_deref().or_else(environment).or_else(|| config.unified_env()),
            version: context
                .release
                .as_deref()
                .or_else(|| attribute("service.version"))
                .or_else(|| config.unified_version()),
        }
    }

    /// As tags, each `key:value`.
    pub(crate) fn tags(self) -> impl Iterator<Item = String> {
        let pairs = [("service", self.service), ("env", self.env), ("version", self.version)];
        pairs.into_iter().filter_map(|(key, value)| Some(format!("{key}:{}", value?)))
    }
}

/// The tags of a span or an evaluation: service, environment, version, the user, those of the configuration and of the
/// trace; and the application where the form has no field for it.
pub(crate) fn of<'a>(
    exporter: &'a DatadogExporter,
    context: &'a TraceContext,
    resource: &'a Resource,
    with_app: bool,
) -> Vec<Cow<'a, str>> {
    let config = exporter.config();
    let unified = Unified::of(config, context, resource);
    let mut tags: Vec<Cow<'a, str>> = unified.tags().map(Cow::Owned).collect();
    if with_app {
        tags.push(format!("ml_app:{}", exporter.ml_app()).into());
    }
    if let Some(user) = &context.user_id {
        tags.push(format!("user_id:{user}").into());
    }
    for name in &config.tag_keys {
        match context.metadata.get(name).map(flat) {
            Some(Value::Str(text)) => tags.push(format!("{name}:{text}").into()),
            Some(Value::Bool(value)) => tags.push(format!("{name}:{value}").into()),
            Some(Value::I64(value)) => tags.push(format!("{name}:{value}").into()),
            Some(Value::F64(value)) => tags.push(format!("{name}:{value}").into()),
            _ => {}
        }
    }
    // What a record says of its service, environment and version stands in place of what all have.
    let known = [("service", unified.service), ("env", unified.env), ("version", unified.version)];
    let is_said = |tag: &&str| {
        let key = tag.split_once(':').map(|(key, _)| key);
        known.iter().any(|(name, value)| value.is_some() && key == Some(*name))
    };
    let given = config.tags.iter().map(|tag| tag.trim()).filter(|tag| !is_said(tag));
    let labels = context.tags.iter().map(Str::as_str);
    for tag in given.chain(labels) {
        if !tags.iter().any(|known| known == tag) {
            tags.push(Cow::Borrowed(tag));
        }
    }
    tags
}
