//! Which tags a series has beside its labels, and which host.

use obs_core::{Labels, Resource, TraceContext, Value};
use uuid::Uuid;

use crate::series::Tagged;
use crate::tags::Unified;
use crate::{DatadogConfig, naming};

/// The tag that tells processes of one host apart.
const PROCESS: &str = "process_id";

/// What goes for all metrics.
#[derive(Debug)]
pub(crate) struct MetricTags {
    /// Of the configuration.
    own: Vec<String>,
    process: bool,
    /// What stands where the resource does not say which process it is: its number alone is the same in many containers
    /// of one host, and for two exporters of one process.
    instance: String,
}

impl MetricTags {
    pub(crate) fn new(config: &DatadogConfig) -> Self {
        let given = config.tags.iter().chain(&config.metrics_config.tags);
        let instance = Uuid::now_v7().simple().to_string();
        Self {
            own: given.filter_map(|tag| naming::tag(tag)).collect(),
            process: config.metrics_config.process_id,
            instance: format!("{}-{}", std::process::id(), &instance[instance.len() - 12..]),
        }
    }

    /// The tags and the host of what this resource produced.
    pub(crate) fn of(&self, config: &DatadogConfig, resource: &Resource) -> Tagged {
        let attribute = |name: &str| text(resource.attributes.get(name)?);
        let host = attribute("host.name").or_else(|| config.hostname.as_ref().map(ToString::to_string));
        let context = TraceContext::default();
        let unified = Unified::of(config, &context, resource);
        let mut tags: Vec<String> = unified.tags().filter_map(|tag| naming::tag(&tag)).collect();
        tags.extend(self.own.iter().filter(|tag| !has_key(&tags, key(tag))).cloned().collect::<Vec<_>>());
        if self.process && !has_key(&tags, PROCESS) {
            let known = attribute("service.instance.id").or_else(|| attribute("process.pid"));
            tags.extend(naming::pair(PROCESS, &known.unwrap_or_else(|| self.instance.clone())));
        }
        Tagged { tags, host }
    }
}

impl Tagged {
    /// The same with the labels of a metric, which stand in place of tags of the same key.
    pub(crate) fn with_labels(mut self, labels: &Labels) -> Self {
        let labels: Vec<String> = labels.iter().filter_map(|(key, value)| naming::pair(key, value)).collect();
        self.tags.retain(|tag| !has_key(&labels, key(tag)));
        self.tags.extend(labels);
        self.tags.sort_unstable();
        self.tags.dedup();
        self
    }
}

fn key(tag: &str) -> &str {
    tag.split_once(':').map_or(tag, |(key, _)| key)
}

fn has_key(tags: &[String], wanted: &str) -> bool {
    tags.iter().any(|tag| key(tag) == wanted)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Str(text) => Some(text.to_string()).filter(|text| !text.trim().is_empty()),
        Value::I64(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(config: &DatadogConfig, resource: &Resource, labels: &Labels) -> (String, Option<String>) {
        let Tagged { tags, host } = MetricTags::new(config).of(config, resource).with_labels(labels);
        (tags.join(" "), host)
    }

    #[test]
    fn tags_are_of_the_resource_the_configuration_and_the_labels_which_win() {
        let mut resource = Resource::service("Support Desk");
        resource.attributes.push("process.pid", 7);
        resource.attributes.push("host.name", "host-1");
        let config =
            DatadogConfig::new("key").with_env("prod").with_tags(["Team:Core", "env:never", "region:us"]);
        let labels = Labels::from([("region", "eu"), ("model", "m")]);
        let (tags, host) = tags(&config, &resource, &labels);
        assert_eq!(tags, "env:prod model:m process_id:7 region:eu service:support_desk team:core");
        assert_eq!(host.as_deref(), Some("host-1"));
    }

    #[test]
    fn an_exporter_is_known_by_its_process_and_by_itself() {
        let (config, none) = (DatadogConfig::new("key"), Labels::default());
        let with_host = config.clone().with_hostname("h");
        let own = format!("process_id:{}-", std::process::id());
        for config in [&config, &with_host] {
            let one = tags(config, &Resource::default(), &none).0;
            assert_ne!(one, tags(config, &Resource::default(), &none).0);
            assert!(one.starts_with(&own) && one.len() == own.len() + 12, "{one}");
        }
        let off = config.with_metrics_config(crate::MetricsConfig::default().with_process_id(false));
        assert_eq!(tags(&off, &Resource::default(), &none), (String::new(), None));
    }
}
