//! What a user says of metrics.

use serde::Deserialize;

/// What goes for all metrics.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct MetricsConfig {
    /// What stands before every name, with a dot between; nothing by default.
    pub namespace: Option<String>,
    /// Tags of every metric, each `key:value`.
    pub tags: Vec<String>,
}

/// A metric under a name of the user's own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct CustomMetric {
    /// The name in Datadog.
    pub metric_name: String,
    /// The type in Datadog.
    pub metric_type: String,
    /// The metric that it is made of.
    pub source_field: String,
}
