//! Service, environment and version, which Datadog joins everything by.

use obs_core::{Resource, TraceContext};

use crate::DatadogConfig;

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
        let attribute = |name| resource.attributes.get(name).and_then(|value| value.as_str());
        let apm = &config.apm_config;
        let environment =
            || attribute("deployment.environment.name").or_else(|| attribute("deployment.environment"));
        Self {
            service: context
                .service
                .as_deref()
                .or_else(|| attribute("service.name"))
                .or(config.service.as_deref())
                .or(apm.service.as_deref()),
            env: context
                .environment
                .as_deref()
                .or_else(environment)
                .or(config.env.as_deref())
                .or(apm.env.as_deref()),
            version: context
                .release
                .as_deref()
                .or_else(|| attribute("service.version"))
                .or(config.version.as_deref())
                .or(apm.version.as_deref()),
        }
    }

    /// As tags, each `key:value`.
    pub(crate) fn tags(self) -> impl Iterator<Item = String> {
        let pairs = [("service", self.service), ("env", self.env), ("version", self.version)];
        pairs.into_iter().filter_map(|(key, value)| Some(format!("{key}:{}", value?)))
    }
}
